// What OpenAI, Azure and all that speak their API have in common: which of its APIs is asked, at what path, with what
// headers. Where the caller speaks the API too, the body goes up as it came, but for what must change, and the answer
// comes back as it was sent.
import type { Secret } from '../core/secret.ts'
import { withoutSignatures } from '../dialects/call-id.ts'
import { openAiChat } from '../dialects/openai-chat/dialect.ts'
import { failureFromReply, failureInBody } from '../dialects/openai-chat/failures.ts'
import { type TokenLimit, writeChatRequest } from '../dialects/openai-chat/write-request.ts'
import { openAiEmbeddings } from '../dialects/openai-embeddings/dialect.ts'
import { isOpenAiReasoning } from '../dialects/openai-models.ts'
import { openAiResponses } from '../dialects/openai-responses/dialect.ts'
import type { Ask, Demand, Dialect, DialectName, Upstream } from '../llm/dialect.ts'
import type { Provider, ProviderCall } from '../llm/provider.ts'
import { revealed, secretsOf } from './headers.ts'
import { callOverHttp } from './http-call.ts'
import { createWire } from './wire.ts'

/** Which of OpenAI's two APIs for answers there is. Embeddings there are always. */
export type Api = 'chat' | 'responses' | 'both'

export interface OpenAiLikeOptions {
  readonly name: string
  readonly origin: string
  readonly api: Api
  /** What is behind the origin for a call of `end` (`/chat/completions`) to that model. */
  readonly pathOf: (end: string, model: string) => string
  readonly apiKey: Secret | undefined
  /** The one that carries the key. */
  readonly keyHeader: Readonly<Record<string, string>>
  /** Of the config; they take the place of ours. */
  readonly headers: Readonly<Record<string, string | Secret>>
  /** How a limit of tokens is called in requests that we write; where it is not given, the model's name decides. */
  readonly tokenLimit?: TokenLimit | undefined
}

const CHAT = '/chat/completions'
const ENDS = { 'openai-chat': CHAT, 'openai-responses': '/responses', 'openai-embeddings': '/embeddings' } as const
type OpenAiDialect = keyof typeof ENDS

export function createOpenAiLikeProvider(options: OpenAiLikeOptions): Provider {
  const { name, api, pathOf, tokenLimit } = options
  const wire = createWire(options.origin)
  const headers = Object.entries({
    'content-type': 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'midwatch',
    ...options.keyHeader,
    ...revealed(options.headers),
  }).flat()
  const chat: Dialect = {
    ...openAiChat,
    writeRequest: (request, upstream) => writeChatRequest(request, upstream, tokenLimit),
  }
  const dialects = { 'openai-chat': chat, 'openai-responses': openAiResponses, 'openai-embeddings': openAiEmbeddings }
  const speaks: ReadonlySet<DialectName> = new Set([
    ...(api === 'responses' ? [] : ['openai-chat' as const]),
    ...(api === 'chat' ? [] : ['openai-responses' as const]),
    'openai-embeddings',
  ])
  const secrets = secretsOf(options.headers, options.apiKey)
  return {
    name,
    speaks,
    lacks: new Set<Demand>(api === 'responses' ? ['audio', 'choices', 'logprobs'] : []),
    takesPrefill: () => false,
    call: (call, sink, signal) => {
      const { ask, model, verbatim, requestId, prefill } = call
      const upstream: Upstream = { model, stream: ask.stream, prefill }
      // Also where the answer is to be written anew, the request need not be.
      const own = speaks.has(ask.dialect) && prefill === undefined
      const spoken = own ? (ask.dialect as OpenAiDialect) : dialectFor(call, api)
      const dialect = dialects[spoken]
      const request = {
        path: pathOf(ENDS[spoken], model),
        headers: [...headers, 'x-request-id', requestId],
        body: withoutSignatures(
          own ? dialect.upstreamBody(ask, upstream) : dialect.writeRequest(ask.neutral(), upstream),
        ),
        stream: ask.stream,
        traceparent: call.traceparent,
      }
      const reader = dialect.createReader({ decode: !verbatim, choices: ask.choices, ask })
      return callOverHttp(wire, request, { reader, verbatim, secrets, failureFromReply, failureInBody }, sink, signal)
    },
    stop: () => wire.stop(),
  }
}

/**
 * In which dialect to ask on behalf of a caller who speaks another. A model that reasons hands its reasoning over only in
 * Responses, so that the caller's next turn can bring it back; all else chat says better, if there is chat.
 */
function dialectFor({ ask, model, prefill }: ProviderCall, api: Api): OpenAiDialect {
  if (ask.demands.has('embeddings')) return 'openai-embeddings'
  if (api !== 'both') return api === 'chat' ? 'openai-chat' : 'openai-responses'
  return prefill === undefined && isOpenAiReasoning(model) && fitsResponses(ask) ? 'openai-responses' : 'openai-chat'
}

function fitsResponses(ask: Ask): boolean {
  if (ask.choices > 1 || ask.demands.has('audio')) return false
  const request = ask.neutral()
  return request.kind === 'chat' && request.stop === undefined
}
