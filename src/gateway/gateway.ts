// The gateway as the rest of Midwatch sees it.
import type { Config } from '../config/schema.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { Timekeeper } from '../core/timekeeper.ts'
import type { Db } from '../db/connect.ts'
import type { DialectName } from '../llm/dialect.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Tracing } from '../observe/tracing.ts'
import { createPrivacyMetrics } from '../privacy/metrics.ts'
import type { Audience } from './audience.ts'
import { MicroBatcher } from './batching/micro-batcher.ts'
import { TOGETHER } from './batching/pursue-together.ts'
import { Breakers } from './breaker.ts'
import { configure, type GatewayConfig } from './configured.ts'
import { type ProviderState, ProviderHealth } from './health.ts'
import { embedThrough } from './embed-prompt.ts'
import { createGauges } from './gauges.ts'
import { HedgeBudget } from './hedge.ts'
import { createAnswerCache } from './cache/create.ts'
import { Coalescer } from './cache/coalescer.ts'
import { createLedger, type LedgerOptions } from './ledger/ledger.ts'
import { createLimiter } from './limits/create.ts'
import { Loads } from './load.ts'
import { createGatewayMetrics } from './metrics.ts'
import type { Outcome } from './outcome.ts'
import { startLagMeter } from './overload/lag.ts'
import { Turnstile, type TurnstileState } from './overload/turnstile.ts'
import type { SharedRun } from './obtain.ts'
import { Prices } from './prices.ts'
import { type ModelCall, Run } from './run.ts'
import { type GatewayParts, serveCall } from './serve.ts'
import type { GatewayTables } from './tables.ts'

export interface GatewayOptions {
  readonly config: GatewayConfig & Pick<Config, 'redis' | 'ledger'>
  /** Where the journal is kept, and the database that it is imported into. */
  readonly ledger: Pick<LedgerOptions, 'folder' | 'database'>
  /** The same database, with `gatewayMigrations` applied, to read from. */
  readonly db: Db<GatewayTables>
  readonly metrics: Metrics
  /** Without it no spans are made. */
  readonly tracing?: Tracing | undefined
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
  /**
   * One call. Never throws: however it ends is an Outcome, and by then the ledger has it, save one that comes while the
   * gateway stops: that is refused and leaves no row, for nobody was asked.
   */
  serve(call: ModelCall, audience: Audience): Promise<Outcome>
  /** Whether some target of this name answers in the dialect itself. */
  speaks(model: string, dialect: DialectName): boolean
  /** Resolves when all calls that have ended are in the database. Throws `unavailable` when that takes too long. */
  flush(): Promise<void>
  /** Whether one more call that can wait may come, where so many of them have come. Half of all places are for the others. */
  hasRoom(taken: number): boolean
  providerStates(): ReadonlyMap<string, ProviderState>
  /** Why a call cannot be recorded, or its limits not be known, right now. */
  trouble(): { readonly ledger: string | undefined; readonly limits: string | undefined }
  /** How calls come and go at the door. */
  load(): TurnstileState
  /** What the process may take on at once. */
  readonly overload: GatewayConfig['overload']
  /** From the next call on; those under way end as they began. Throws, and changes nothing, where it cannot be made. */
  reload(config: GatewayConfig): void
  /** Takes no new calls, waits for those under way, closes the connections. */
  stop(): Promise<void>
}

/** Also marks the calls that a crash left under way. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { db, log, clock = systemClock, random = Math.random } = options
  const { metrics } = options
  const ledger = createLedger({ ...options.ledger, ...options.config.ledger, metrics, clock, log })
  const limiter = await createLimiter({ config: options.config, db, flush: () => ledger.flush(), clock, log })
  const timekeeper = new Timekeeper(clock)
  const lag = startLagMeter()
  const health: ProviderHealth = new ProviderHealth(clock, Object.keys(options.config.providers), (provider) =>
    breakers.isOpen(provider),
  )
  const breakers = new Breakers({ clock, random, onVerdict: (provider, good) => health.note(provider, good) })
  const turnstile = new Turnstile({
    limits: options.config.overload,
    clock,
    timekeeper,
    lagMs: () => lag.lagMs(),
  })
  const cache = createAnswerCache({ config: options.config, clock, log })
  const living = {
    ledger,
    limiter,
    metrics: createGatewayMetrics(metrics),
    timekeeper,
    clock,
    log,
    turnstile,
    hedges: new HedgeBudget(),
    random,
    cache,
    tracing: options.tracing,
    coalescer: new Coalescer<SharedRun>(),
    batcher: new MicroBatcher({ clock, ...TOGETHER }),
    embedFor: (call: ModelCall, model: string) => embedThrough(serve, call, model),
    loads: new Loads(clock),
    breakers,
    prices: new Prices(),
    countPii: createPrivacyMetrics(metrics),
  }
  createGauges(metrics, { health, breakers, turnstile })
  let parts: GatewayParts = { ...living, ...configure(options.config, living) }
  const underWay = new Set<Promise<Outcome>>()
  let stopping = false
  const serve: Gateway['serve'] = (call, audience) => {
    if (stopping) return Promise.resolve(refusedAtTheEnd(new Run(call, clock, timekeeper)))
    const served = serveCall(parts, call, audience)
    underWay.add(served)
    void served.then(() => underWay.delete(served))
    return served
  }
  return {
    get models() {
      return Object.keys(parts.models)
    },
    startedAt: clock.now(),
    serve,
    flush: () => ledger.flush(),
    speaks: (model, dialect) => parts.planner.speaks(model, dialect),
    hasRoom: (taken) => turnstile.hasRoom(taken),
    providerStates: () => health.states(),
    trouble: () => ({ ledger: ledger.trouble(), limits: limiter.trouble && `limits in Redis: ${limiter.trouble}` }),
    load: () => turnstile.state(),
    get overload() {
      return parts.config.overload
    },
    reload: (config) => {
      const old = parts
      parts = { ...living, ...configure(config, living, old) }
      turnstile.configure(config.overload)
      health.retain(Object.keys(config.providers))
      const dropped = [...old.providers.values()].filter((one) => ![...parts.providers.values()].includes(one))
      // Calls under way keep the providers they began with.
      void Promise.allSettled(underWay).then(() => Promise.allSettled(dropped.map((provider) => provider.stop())))
    },
    stop: async () => {
      stopping = true
      turnstile.stop()
      lag.stop()
      await Promise.allSettled(underWay)
      timekeeper.stop()
      await cache.stop()
      await limiter.stop()
      await ledger.stop()
      await Promise.all([...parts.providers.values()].map((provider) => provider.stop()))
    },
  }
}

function refusedAtTheEnd(run: Run): Outcome {
  run.end()
  const error = new AppError('unavailable', 'Midwatch is stopping. Try again in a moment.')
  return { kind: 'refused', errorType: 'stopping', error, facts: run.facts() }
}
