// How the rest of Midwatch asks a model: through the gateway like everyone else, so that the ledger, the metrics and the
// fallbacks cover it. It listens to a stream and collects it, for a stream that stalls is noticed early.
import type { Caller } from '../core/caller.ts'
import { AppError } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { openAiChat } from '../dialects/openai-chat/dialect.ts'
import { type ChatModel, type ChatRequest, NO_USAGE } from '../llm/chat.ts'
import type { Audience } from './audience.ts'
import type { Gateway } from './gateway.ts'

/** `caller` is who is charged. */
export function createChatModel(gateway: Gateway, caller: Caller): ChatModel {
  return {
    complete: async (request, signal, onText) => {
      let text = ''
      const listener: Audience = {
        begin: () => undefined,
        write: (frames) => {
          for (const frame of frames) {
            text += frame.text
            if (frame.text !== '') onText?.(frame.text)
          }
          return undefined
        },
      }
      const outcome = await gateway.serve(
        {
          dialect: openAiChat,
          body: Buffer.from(JSON.stringify(toBody(request))),
          caller,
          requestId: newId('req'),
          signal,
          purpose: request.purpose,
        },
        listener,
      )
      switch (outcome.kind) {
        case 'served':
          return {
            text,
            model: outcome.facts.answeredBy ?? outcome.facts.providerModel ?? request.model,
            usage: outcome.facts.usage ?? NO_USAGE,
            costMicroUsd: outcome.facts.costMicroUsd,
          }
        case 'refused':
          throw outcome.error
        case 'failed':
          if (outcome.reply) throw new AppError('upstream', providerSaid(outcome.reply.body), { cause: outcome.error })
          throw outcome.error
        case 'abandoned':
          signal.throwIfAborted()
          throw new AppError('client_gone')
      }
    },
  }
}

function toBody(request: ChatRequest): Record<string, unknown> {
  const { jsonSchema } = request
  return {
    model: request.model,
    messages: request.messages,
    stream: true,
    ...(request.maxTokens === undefined ? {} : { max_tokens: request.maxTokens }),
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    ...(jsonSchema === undefined
      ? {}
      : {
          response_format: {
            type: 'json_schema',
            json_schema: { name: jsonSchema.name, schema: jsonSchema.schema, strict: true },
          },
        }),
  }
}

function providerSaid(body: Uint8Array): string {
  const parsed = JSON.parse(Buffer.from(body).toString('utf8')) as { error?: { message?: unknown } }
  const message = parsed.error?.message
  return `The provider refused the request: ${typeof message === 'string' ? message : 'it did not say why'}`
}
