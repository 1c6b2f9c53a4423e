// AWS Bedrock, by Converse: one API for the models of many makers. Requests are signed when they are sent, streams come as
// AWS' binary events. No caller speaks it, so every request is written anew and every answer read into events.
import type { Secret } from '../../core/secret.ts'
import { AppError } from '../../core/errors.ts'
import type { Provider } from '../../llm/provider.ts'
import { revealed, secretsOf } from '../headers.ts'
import { callOverHttp } from '../http-call.ts'
import { createWire } from '../wire.ts'
import { EventStreamSplitter } from './event-stream.ts'
import { failureFromReply, failureInBody } from './failures.ts'
import { traitsOf } from './models.ts'
import { ConverseReader } from './reader.ts'
import { createSigner } from './sign.ts'
import { writeConverse } from './write-request.ts'

export interface BedrockOptions {
  readonly name: string
  readonly region: string
  /** Only to reach it by another way than its public address. */
  readonly baseUrl?: string | undefined
  readonly accessKeyId: Secret
  readonly secretAccessKey: Secret
  readonly sessionToken?: Secret | undefined
  readonly headers: Readonly<Record<string, string | Secret>>
}

export function createBedrockProvider(options: BedrockOptions): Provider {
  const { name, region, accessKeyId, secretAccessKey, sessionToken } = options
  const base = new URL(options.baseUrl ?? `https://bedrock-runtime.${region}.${domainOf(region)}`)
  const root = base.pathname.replace(/\/+$/, '')
  const wire = createWire(base.origin)
  const sign = createSigner({ accessKeyId, secretAccessKey, sessionToken }, region, 'bedrock')
  const unsigned: Readonly<Record<string, string>> = {
    'accept-encoding': 'identity',
    'user-agent': 'midwatch',
    ...revealed(options.headers),
  }
  const secrets = secretsOf(options.headers, accessKeyId, secretAccessKey, sessionToken)
  return {
    name,
    speaks: new Set(),
    lacks: new Set(['audio', 'logprobs', 'choices', 'embeddings', 'count-tokens']),
    takesPrefill: (model) => traitsOf(model).prefill,
    call: async ({ ask, model, requestId, prefill, traceparent }, sink, signal) => {
      const neutral = ask.neutral()
      if (neutral.kind !== 'chat')
        throw new AppError('malformed', 'Bedrock makes no embeddings here. Ask another model.')
      const { body, answerTool } = writeConverse(neutral, model, prefill)
      const path = `${root}/model/${encodeURIComponent(model)}/${ask.stream ? 'converse-stream' : 'converse'}`
      const headers = { 'content-type': 'application/json' }
      const signed = await sign({ method: 'POST', host: base.host, path, headers, body }, new Date())
      const request = {
        path,
        headers: Object.entries({ ...unsigned, 'x-request-id': requestId, ...signed }).flat(),
        body,
        stream: ask.stream,
        traceparent,
      }
      const codec = {
        reader: new ConverseReader(model, answerTool),
        splitter: new EventStreamSplitter(),
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

const domainOf = (region: string): string => (region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com')
