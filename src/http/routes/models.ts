// The models a caller may name, in OpenAI's shape; in Anthropic's for clients that name a version of its API.
import { z } from 'zod'
import { AppError } from '../../core/errors.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import { type Exchange, ok, type Route } from '../exchange.ts'

/** `GET /v1/models` and `/v1/models/NAME`. Names have slashes in them: they may come as they are, or as `%2F`. */
export function modelRoutes(gateway: Gateway): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/models',
      scope: 'llm:chat',
      dialect: 'openai',
      handle: async (exchange) => ok(asksAnthropic(exchange) ? pageOf(gateway, exchange) : listOf(gateway)),
    },
    {
      method: 'GET',
      path: '/v1/models/*',
      scope: 'llm:chat',
      dialect: 'openai',
      handle: async (exchange) => {
        const id = exchange.params['*'] ?? ''
        if (!gateway.models.includes(id)) {
          throw new AppError('not_found', `There is no model called ${id}. Known: ${gateway.models.join(', ')}.`)
        }
        return ok(asksAnthropic(exchange) ? anthropicModel(gateway, id) : openAiModel(gateway, id))
      },
    },
  ]
}

const asksAnthropic = ({ headers }: Exchange): boolean => headers['anthropic-version'] !== undefined

const listOf = (gateway: Gateway) => ({ object: 'list', data: gateway.models.map((id) => openAiModel(gateway, id)) })

const openAiModel = (gateway: Gateway, id: string) => ({
  id,
  object: 'model',
  created: Math.floor(gateway.startedAt / 1000),
  owned_by: 'midwatch',
})

const pageQuery = z.looseObject({
  limit: z.coerce.number().int().min(1).max(1000).default(20),
  after_id: z.string().optional(),
  before_id: z.string().optional(),
})

function pageOf(gateway: Gateway, exchange: Exchange) {
  const { limit, after_id: after, before_id: before } = exchange.query(pageQuery)
  const { models } = gateway
  const end = before === undefined ? models.length : Math.max(0, models.indexOf(before))
  const start = before === undefined ? (after === undefined ? 0 : models.indexOf(after) + 1) : Math.max(0, end - limit)
  const page = models.slice(start, Math.min(end, start + limit))
  return {
    data: page.map((id) => anthropicModel(gateway, id)),
    first_id: page[0] ?? null,
    last_id: page.at(-1) ?? null,
    has_more: before === undefined ? start + page.length < models.length : start > 0,
  }
}

/** A name of ours can stand for several models, so what one of them can do is not told. */
const anthropicModel = (gateway: Gateway, id: string) => ({
  type: 'model',
  id,
  display_name: id,
  created_at: new Date(gateway.startedAt).toISOString(),
  lifecycle: 'active',
  line: null,
  capabilities: null,
  max_input_tokens: null,
  max_tokens: null,
  deprecated_at: null,
  retires_at: null,
})
