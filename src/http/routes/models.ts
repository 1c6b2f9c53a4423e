// The models a caller may name, in OpenAI's shape.
import { AppError } from '../../core/errors.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import { ok, type Route } from '../exchange.ts'

/** `GET /v1/models` and `/v1/models/:id`. */
export function modelRoutes(gateway: Gateway): Route[] {
  const describe = (id: string) => ({
    id,
    object: 'model',
    created: Math.floor(gateway.startedAt / 1000),
    owned_by: 'midwatch',
  })
  return [
    {
      method: 'GET',
      path: '/v1/models',
      scope: 'llm:chat',
      dialect: 'openai',
      handle: async () => ok({ object: 'list', data: gateway.models.map(describe) }),
    },
    {
      method: 'GET',
      path: '/v1/models/:id',
      scope: 'llm:chat',
      dialect: 'openai',
      handle: async ({ params }) => {
        const id = params['id'] ?? ''
        if (!gateway.models.includes(id)) {
          throw new AppError('not_found', `There is no model called ${id}. Known: ${gateway.models.join(', ')}.`)
        }
        return ok(describe(id))
      },
    },
  ]
}
