// Google's Gemini, over its own API (v1beta). No caller speaks it, so every request is written anew and every answer read
// into events. The key goes in a header, never in the address, which proxies log.
import type { Secret } from '../../core/secret.ts'
import type { Provider, ProviderCall } from '../../llm/provider.ts'
import { revealed, secretsOf } from '../headers.ts'
import { callOverHttp } from '../http-call.ts'
import { createWire } from '../wire.ts'
import { createEmbeddingsReader, writeEmbedContents } from './embeddings.ts'
import { failureFromReply, failureInBody } from './failures.ts'
import { GeminiReader } from './reader.ts'
import { writeGenerateContent } from './write-request.ts'

export interface GeminiOptions {
  readonly name: string
  /** With or without the version at its end. */
  readonly baseUrl: string
  readonly apiKey: Secret
  readonly headers: Readonly<Record<string, string | Secret>>
}

export function createGeminiProvider({ name, baseUrl, apiKey, headers }: GeminiOptions): Provider {
  const base = new URL(baseUrl)
  const root = base.pathname.replace(/\/+$/, '')
  const version = /\/v\d[a-z0-9]*$/.test(root) ? root : `${root}/v1beta`
  const wire = createWire(base.origin)
  const always: Readonly<Record<string, string>> = {
    'content-type': 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'midwatch',
    'x-goog-api-key': apiKey.reveal(),
    ...revealed(headers),
  }
  const secrets = secretsOf(headers, apiKey)
  return {
    name,
    speaks: new Set(),
    lacks: new Set(['logprobs', 'count-tokens']),
    takesPrefill: () => false,
    call: (call, sink, signal) => {
      const { method, body, reader } = prepared(call)
      const stream = call.ask.stream
      const request = {
        path: `${version}/${pathOf(call.model)}:${method}${stream ? '?alt=sse' : ''}`,
        headers: Object.entries({ ...always, 'x-request-id': call.requestId }).flat(),
        body,
        stream,
        traceparent: call.traceparent,
      }
      const codec = {
        reader,
        verbatim: false,
        secrets,
        failureFromReply,
        failureInBody,
      }
      return callOverHttp(wire, request, codec, sink, signal)
    },
    stop: () => wire.stop(),
  }
}

function prepared({ ask, model, prefill }: ProviderCall) {
  const request = ask.neutral()
  if (request.kind === 'embeddings') {
    return {
      method: 'batchEmbedContents',
      body: writeEmbedContents(request, modelPath(model)),
      reader: createEmbeddingsReader(model, request.inputs.length),
    }
  }
  return {
    method: ask.stream ? 'streamGenerateContent' : 'generateContent',
    body: writeGenerateContent(request, model, prefill),
    reader: new GeminiReader({ choices: ask.choices }),
  }
}

/** `gemini-2.5-pro` stands among `models/`; `tunedModels/…` says itself where it stands. */
const modelPath = (model: string): string => (model.includes('/') ? model : `models/${model}`)

const pathOf = (model: string): string => modelPath(model).split('/').map(encodeURIComponent).join('/')
