// OpenAI's Responses at the door: `POST /v1/responses`. What a provider keeps of a response is kept there, and which one it
// was is not known afterwards, so nothing can be fetched here later. But what Midwatch answered for providers that keep
// nothing can be referred to for a while.
import { AppError } from '../../core/errors.ts'
import { openAiResponses } from '../../dialects/openai-responses/dialect.ts'
import { KeptResponses } from '../../dialects/openai-responses/kept.ts'
import { ResponsesWriter } from '../../dialects/openai-responses/writer.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { Dialect } from '../../llm/dialect.ts'
import type { Route } from '../exchange.ts'
import { callModel, modelCallRoute } from './model-call.ts'

const LATER = [
  ['GET', '/v1/responses/:id'],
  ['DELETE', '/v1/responses/:id'],
  ['POST', '/v1/responses/:id/cancel'],
  ['GET', '/v1/responses/:id/input_items'],
] as const

export function responsesRoutes(gateway: Gateway): Route[] {
  const kept = new KeptResponses({ now: Date.now })
  return [
    {
      ...modelCallRoute(gateway, openAiResponses, 'openai'),
      handle: (exchange) => callModel(gateway, keeping(kept, exchange.caller.tenant), 'openai', exchange),
    },
    ...LATER.map(([method, path]): Route => ({ method, path, scope: 'llm:chat', dialect: 'openai', handle: refuse })),
  ]
}

/** The dialect for one tenant: what is referred to is put in its place, what is written is kept. */
const keeping = (kept: KeptResponses, tenant: string): Dialect => ({
  ...openAiResponses,
  read: (body) => openAiResponses.read(kept.expand(tenant, body)),
  createWriter: (ask) => new ResponsesWriter(ask, (response) => kept.keep(tenant, ask.body, response)),
})

const refuse: Route['handle'] = ({ params }) => {
  throw new AppError(
    'not_found',
    `Midwatch keeps no responses to be fetched, so there is no "${params['id'] ?? ''}". Take the whole response from the call that made it.`,
  )
}
