// OpenAI's Responses at the door: `POST /v1/responses`. What is kept of a response is kept by its provider, and which one
// that was is not known afterwards, so nothing can be fetched here later.
import { AppError } from '../../core/errors.ts'
import { openAiResponses } from '../../dialects/openai-responses/dialect.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { Route } from '../exchange.ts'
import { modelCallRoute } from './model-call.ts'

const LATER = [
  ['GET', '/v1/responses/:id'],
  ['DELETE', '/v1/responses/:id'],
  ['POST', '/v1/responses/:id/cancel'],
  ['GET', '/v1/responses/:id/input_items'],
] as const

export const responsesRoutes = (gateway: Gateway): Route[] => [
  modelCallRoute(gateway, openAiResponses, 'openai'),
  ...LATER.map(([method, path]): Route => ({
    method,
    path,
    scope: 'llm:chat',
    dialect: 'openai',
    handle: ({ params }) => {
      throw new AppError(
        'not_found',
        `Midwatch keeps no responses, so there is no "${params['id'] ?? ''}". Take the whole response from the call that made it.`,
      )
    },
  })),
]
