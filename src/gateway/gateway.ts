// The gateway as the rest of Midwatch sees it.
import type { Config } from '../config/schema.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { Timekeeper } from '../core/timekeeper.ts'
import type { DialectName } from '../llm/dialect.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import { createProvider } from '../providers/create.ts'
import type { Audience } from './audience.ts'
import { Breakers } from './breaker.ts'
import { type ProviderState, ProviderHealth } from './health.ts'
import { embedThrough } from './embed-prompt.ts'
import { HedgeBudget } from './hedge.ts'
import { createAnswerCache } from './cache/create.ts'
import { Coalescer } from './cache/coalescer.ts'
import { createLedger, type LedgerOptions } from './ledger/ledger.ts'
import { Loads } from './load.ts'
import { createGatewayMetrics } from './metrics.ts'
import type { Outcome } from './outcome.ts'
import { startLagMeter } from './overload/lag.ts'
import { Turnstile } from './overload/turnstile.ts'
import type { SharedRun } from './obtain.ts'
import { createPlanner } from './plan.ts'
import type { ModelCall } from './run.ts'
import { createScreen } from './screen.ts'
import { type GatewayParts, serveCall } from './serve.ts'

export interface GatewayOptions {
  readonly config: Pick<Config, 'providers' | 'models' | 'overload' | 'privacy' | 'data' | 'ledger' | 'redis'>
  /** Where the journal is kept, and the database (with `gatewayMigrations` applied) that it is imported into. */
  readonly ledger: Pick<LedgerOptions, 'folder' | 'database'>
  readonly metrics: Metrics
  readonly log: Log
  readonly clock?: Clock
  /** 0 to 1, for strategies that draw. */
  readonly random?: () => number
}

export interface Gateway {
  /** The names callers may use. */
  readonly models: readonly string[]
  /** ms since the epoch. */
  readonly startedAt: number
  /** One call. Never throws: however it ends is an Outcome, and by then the ledger has it. */
  serve(call: ModelCall, audience: Audience): Promise<Outcome>
  /** Whether some target of this name answers in the dialect itself. */
  speaks(model: string, dialect: DialectName): boolean
  /** Resolves when all calls that have ended are in the database. Throws `unavailable` when that takes too long. */
  flush(): Promise<void>
  providerStates(): ReadonlyMap<string, ProviderState>
  /** Takes no new calls, waits for those under way, closes the connections. */
  stop(): Promise<void>
}

/** Also marks the calls that a crash left under way. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, log, clock = systemClock, random = Math.random } = options
  const providers = new Map(
    Object.entries(config.providers).map(([name, settings]) => [name, createProvider(name, settings)]),
  )
  const ledger = createLedger({ ...options.ledger, ...config.ledger, metrics: options.metrics, clock, log })
  const breakers = new Breakers({ clock, random, onVerdict: (provider, good) => health.note(provider, good) })
  const health: ProviderHealth = new ProviderHealth(clock, [...providers.keys()], (provider) =>
    breakers.isOpen(provider),
  )
  const planner = createPlanner({
    models: config.models,
    providers,
    loads: new Loads(clock),
    breakers,
    clock,
    random,
  })
  const timekeeper = new Timekeeper(clock)
  const lag = startLagMeter()
  const turnstile = new Turnstile({ limits: config.overload, clock, timekeeper, lagMs: () => lag.lagMs() })
  const cache = createAnswerCache({ config, clock, log })
  const parts: GatewayParts = {
    models: config.models,
    planner,
    screen: createScreen(config, options.metrics),
    providers,
    ledger,
    metrics: createGatewayMetrics(options.metrics, health),
    health,
    timekeeper,
    clock,
    log,
    turnstile,
    hedges: new HedgeBudget(),
    random,
    cache,
    coalescer: new Coalescer<SharedRun>(),
    embedFor: (call, model) => embedThrough(serve, call, model),
  }
  const underWay = new Set<Promise<Outcome>>()
  let stopping = false
  const serve: Gateway['serve'] = (call, audience) => {
    if (stopping) return Promise.reject(new AppError('unavailable', 'Midwatch is stopping. Try again in a moment.'))
    const served = serveCall(parts, call, audience).finally(() => underWay.delete(served))
    underWay.add(served)
    return served
  }
  return {
    models: Object.keys(config.models),
    startedAt: clock.now(),
    serve,
    flush: () => ledger.flush(),
    speaks: (model, dialect) => planner.speaks(model, dialect),
    providerStates: () => health.states(),
    stop: async () => {
      stopping = true
      turnstile.stop()
      lag.stop()
      await Promise.allSettled(underWay)
      timekeeper.stop()
      await cache.stop()
      await ledger.stop()
      await Promise.all([...providers.values()].map((provider) => provider.stop()))
    },
  }
}
