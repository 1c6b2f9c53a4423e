// Anthropic, and whoever else speaks its Messages API. Where the caller speaks it too, the body goes up as it came but
// for the model's name, with the version and the betas that the caller named, and the answer comes back as it was sent.
import { anthropicCountTokens } from '../../dialects/anthropic-count-tokens/dialect.ts'
import { anthropicMessages } from '../../dialects/anthropic-messages/dialect.ts'
import { failureFromReply, failureInBody } from '../../dialects/anthropic-messages/failures.ts'
import { traitsOf } from '../../dialects/anthropic-messages/models.ts'
import { WRITTEN_VERSION } from '../../dialects/anthropic-messages/write-request.ts'
import type { Secret } from '../../core/secret.ts'
import { withoutSignatures } from '../../dialects/call-id.ts'
import { PASSED_HEADERS, type Provider, type ProviderCall } from '../../llm/provider.ts'
import { revealed, secretsOf } from '../headers.ts'
import { callOverHttp } from '../http-call.ts'
import { createWire } from '../wire.ts'

export interface AnthropicOptions {
  readonly name: string
  /** With or without the version at its end. */
  readonly baseUrl: string
  readonly apiKey?: Secret | undefined
  /** `anthropic-version` for callers of the dialect that name none. */
  readonly version: string
  readonly headers: Readonly<Record<string, string | Secret>>
}

export function createAnthropicProvider({ name, baseUrl, apiKey, version, headers }: AnthropicOptions): Provider {
  const base = new URL(baseUrl)
  const path = `${base.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')}/v1/messages`
  const wire = createWire(base.origin)
  const always: Readonly<Record<string, string>> = {
    'content-type': 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'midwatch',
    'anthropic-version': version,
    ...(apiKey ? { 'x-api-key': apiKey.reveal() } : {}),
    ...revealed(headers),
  }
  const secrets = secretsOf(headers, apiKey)
  return {
    name,
    speaks: new Set(['anthropic-messages', 'anthropic-count-tokens']),
    lacks: new Set(['audio', 'logprobs', 'choices', 'embeddings']),
    takesPrefill: (model) => traitsOf(model).prefill,
    call: (call, sink, signal) => {
      const { ask, model, verbatim, prefill } = call
      const counts = ask.dialect === 'anthropic-count-tokens'
      const dialect = counts ? anthropicCountTokens : anthropicMessages
      const upstream = { model, stream: ask.stream, prefill }
      // Also where the answer is to be written anew, the request need not be.
      const own = ask.dialect === dialect.name
      const body = own ? dialect.upstreamBody(ask, upstream) : dialect.writeRequest(ask.neutral(), upstream)
      const request = {
        path: `${path}${counts ? '/count_tokens' : ''}${base.search}`,
        headers: Object.entries({ ...always, ...headersOf(call, own, always), 'x-request-id': call.requestId }).flat(),
        body: withoutSignatures(body),
        stream: ask.stream,
        traceparent: call.traceparent,
      }
      const reader = dialect.createReader({ decode: !verbatim, choices: 1 })
      return callOverHttp(wire, request, { reader, verbatim, secrets, failureFromReply, failureInBody }, sink, signal)
    },
    stop: () => wire.stop(),
  }
}

/** A body of our own is in the version that we write. Betas add up: those of the config hold for every call. */
function headersOf({ headers }: ProviderCall, own: boolean, always: Readonly<Record<string, string>>): object {
  if (!own) return { 'anthropic-version': WRITTEN_VERSION }
  if (!headers) return {}
  const given: Record<string, string> = {}
  for (const name of PASSED_HEADERS) if (headers[name] !== undefined) given[name] = headers[name]
  const betas = [always['anthropic-beta'], given['anthropic-beta']].filter((beta) => beta !== undefined)
  return { ...given, ...(betas.length > 0 ? { 'anthropic-beta': betas.join(',') } : {}) }
}
