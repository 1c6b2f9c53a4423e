// Requests and planners for tests of routing, without a server.
import { ManualClock } from '../../core/clock.ts'
import { configSchema } from '../../config/schema.ts'
import type { Ask, Demand } from '../../llm/dialect.ts'
import { Breakers } from '../breaker.ts'
import { Loads } from '../load.ts'
import { createPlanner, type PlannerOptions } from '../plan.ts'

export function askFor(model: string, given: Partial<Ask> = {}): Ask {
  return {
    dialect: 'openai-chat',
    body: Buffer.from(JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] })),
    model,
    stream: true,
    wantsUsage: false,
    choices: 1,
    maxOutputTokens: null,
    temperature: null,
    user: null,
    demands: new Set<Demand>(),
    promptCharacters: () => 5,
    neutral: () => {
      throw new Error('routing needs no translation')
    },
    ...given,
  }
}

/** `models` as in midwatch.yaml. `draws` are what chance will say, the last one again and again. */
export function planning(
  models: Readonly<Record<string, unknown>>,
  given: Partial<PlannerOptions> & { readonly draws?: readonly number[] } = {},
) {
  const config = configSchema.parse({ models })
  const draws = [...(given.draws ?? [0.5])]
  const random = () => (draws.length > 1 ? (draws.shift() ?? 0) : (draws[0] ?? 0))
  const clock = new ManualClock()
  const loads = new Loads(clock)
  const breakers = new Breakers({ clock, random: () => 0.5 })
  const options = { models: config.models, providers: new Map(), loads, breakers, clock, random, ...given }
  const planner = createPlanner(options)
  const plan = (ask: Ask, tenant = 'acme') => planner.plan(ask, tenant)
  const order = (ask: Ask, tenant?: string) => plan(ask, tenant).targets.map(({ model }) => model)
  return { plan, order, clock, loads, breakers, options }
}
