// What of the gateway hangs on the config, made whole for each version of it: a call under way keeps the version it
// began with. Providers whose settings stay are kept with their connections.
import { fingerprint } from '../config/fingerprint.ts'
import type { Config } from '../config/schema.ts'
import { NO_USAGE } from '../llm/chat.ts'
import type { Provider } from '../llm/provider.ts'
import { createProvider } from '../providers/create.ts'
import { createSubjects } from './limits/subjects.ts'
import { createPlanner, type Models, type Planner, type PlannerOptions, type Target } from './plan.ts'
import { costOf, type KnownPrice, type Prices } from './prices.ts'
import { createScreen, type Screen } from './screen.ts'

export type GatewayConfig = Pick<Config, 'providers' | 'models' | 'overload' | 'limits' | 'privacy' | 'data'>

export interface Configured {
  readonly config: GatewayConfig
  readonly models: Models
  readonly providers: ReadonlyMap<string, Provider>
  readonly planner: Planner
  readonly screen: Screen
  readonly subjectsOf: ReturnType<typeof createSubjects>
  /** null: nobody knows it. */
  priceOf(target: Target): KnownPrice | null
}

type Living = Pick<PlannerOptions, 'loads' | 'breakers' | 'clock' | 'random'> & {
  readonly prices: Prices
  readonly countPii: Parameters<typeof createScreen>[1]
}

/** Throws what a provider throws that cannot be made; then nothing has changed. */
export function configure(config: GatewayConfig, living: Living, before?: Configured): Configured {
  const { prices, clock } = living
  const providers = new Map(
    Object.entries(config.providers).map(([name, settings]) => {
      const old = before?.config.providers[name]
      const kept = old && fingerprint(old) === fingerprint(settings) ? before.providers.get(name) : undefined
      return [name, kept ?? createProvider(name, settings)]
    }),
  )
  const priceOf = (target: Target): KnownPrice | null => {
    const settings = config.providers[target.provider]
    return settings ? prices.find(settings, target, clock.now()) : null
  }
  // Before the planner, which lets go of what is not in its config any more.
  const screen = createScreen(config, living.countPii)
  const planner = createPlanner({
    models: config.models,
    providers,
    loads: living.loads,
    breakers: living.breakers,
    clock,
    random: living.random,
    priceOf: (target, { input, output }) =>
      costOf({ ...NO_USAGE, inputTokens: input, outputTokens: output }, priceOf(target)),
  })
  return {
    config,
    models: config.models,
    providers,
    planner,
    screen,
    subjectsOf: createSubjects(config),
    priceOf,
  }
}
