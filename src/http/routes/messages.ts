// Anthropic's dialect at the door: `POST /v1/messages` and `/v1/messages/count_tokens`. Clients such as Claude Code count
// before they send; where no target of a model can count, they get an estimate that says so in its head.
import { anthropicCountTokens } from '../../dialects/anthropic-count-tokens/dialect.ts'
import { estimateTokens } from '../../dialects/anthropic-count-tokens/estimate.ts'
import { anthropicMessages } from '../../dialects/anthropic-messages/dialect.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { Route } from '../exchange.ts'
import { modelCallRoute } from './model-call.ts'

export function messagesRoutes(gateway: Gateway): Route[] {
  const count = modelCallRoute(gateway, anthropicCountTokens, 'anthropic')
  return [
    modelCallRoute(gateway, anthropicMessages, 'anthropic'),
    {
      ...count,
      handle: async (exchange) => {
        const body = await exchange.body()
        const ask = anthropicCountTokens.read(body)
        const known = gateway.models.includes(ask.model)
        if (known && !gateway.speaks(ask.model, anthropicCountTokens.name)) {
          return {
            status: 200,
            headers: { 'x-midwatch-estimated': 'true' },
            json: { input_tokens: estimateTokens(ask) },
          }
        }
        return count.handle({ ...exchange, body: () => Promise.resolve(body) })
      },
    },
  ]
}
