// OpenAI and everything that speaks its API. Where the caller speaks it too, the body goes up as it came, but for the
// model's name and the wish for usage, and the answer comes back as it was sent.
import { openAiChat } from '../../dialects/openai-chat/dialect.ts'
import { openAiEmbeddings } from '../../dialects/openai-embeddings/dialect.ts'
import { failureFromReply, failureInBody } from '../../dialects/openai-chat/failures.ts'
import type { Secret } from '../../core/secret.ts'
import type { Provider } from '../../llm/provider.ts'
import { callOverHttp } from '../http-call.ts'
import { createWire } from '../wire.ts'

export interface OpenAiOptions {
  readonly name: string
  /** Up to and with the version: `https://api.openai.com/v1`. */
  readonly baseUrl: string
  readonly apiKey: Secret | undefined
}

export function createOpenAiProvider({ name, baseUrl, apiKey }: OpenAiOptions): Provider {
  const base = new URL(baseUrl)
  const pathOf = (end: string) => `${base.pathname.replace(/\/+$/, '')}${end}${base.search}`
  const chat = { dialect: openAiChat, path: pathOf('/chat/completions') }
  const embeddings = { dialect: openAiEmbeddings, path: pathOf('/embeddings') }
  const wire = createWire(base.origin)
  const headers = [
    'content-type',
    'application/json',
    'accept-encoding',
    'identity',
    'user-agent',
    'midwatch',
    ...(apiKey ? ['authorization', `Bearer ${apiKey.reveal()}`] : []),
  ]
  return {
    name,
    speaks: new Set(['openai-chat', 'openai-embeddings']),
    lacks: new Set(),
    takesPrefill: () => false,
    call: ({ ask, model, verbatim, requestId, prefill }, sink, signal) => {
      const upstream = { model, stream: ask.stream }
      const { dialect, path } = ask.dialect === 'openai-embeddings' ? embeddings : chat
      // Also where the answer is to be written anew, the request need not be.
      const own = ask.dialect === dialect.name && prefill === undefined
      const body = own ? dialect.upstreamBody(ask, upstream) : dialect.writeRequest(ask.neutral(), upstream)
      const reader = dialect.createReader({ decode: !verbatim, choices: ask.choices, ask })
      return callOverHttp(
        wire,
        { path, headers: [...headers, 'x-request-id', requestId], body, stream: ask.stream },
        { reader, verbatim, failureFromReply, failureInBody },
        sink,
        signal,
      )
    },
    stop: () => wire.stop(),
  }
}
