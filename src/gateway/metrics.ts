// What Prometheus sees of the gateway. The labels are bounded: models and providers come from the config, and a name
// that is not there counts as `unknown`.
import { Counter, Gauge, Histogram } from 'prom-client'
import type { Metrics } from '../observe/metrics.ts'
import type { AttemptEnd } from './attempt.ts'
import { type AttemptReason, endName, type LimitHit } from './decision.ts'
import { errorTypeOf, type Outcome, statusOf } from './outcome.ts'

export interface Timing {
  readonly seconds: number
  /** null for plain answers, and streams without content. */
  readonly firstContentSeconds: number | null
}

export interface GatewayMetrics {
  began(model: string): void
  ended(model: string, endpoint: string, outcome: Outcome, timing: Timing): void
  tried(provider: string, reason: AttemptReason, end: AttemptEnd): void
  limited(hit: LimitHit): void
}

const CALL_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300]
const OVERHEAD_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5]

export function createGatewayMetrics(registry: Metrics): GatewayMetrics {
  const registers = [registry]
  const requests = new Counter({
    name: 'llm_requests_total',
    help: 'Model calls by how they ended, as an HTTP status.',
    labelNames: ['model', 'endpoint', 'status'],
    registers,
  })
  const duration = new Histogram({
    name: 'llm_request_duration_seconds',
    help: 'From the whole request to the end of the answer.',
    labelNames: ['model', 'endpoint'],
    buckets: CALL_SECONDS,
    registers,
  })
  const firstContent = new Histogram({
    name: 'llm_time_to_first_token_seconds',
    help: 'From the whole request to the first content of a stream.',
    labelNames: ['model'],
    buckets: CALL_SECONDS,
    registers,
  })
  const overhead = new Histogram({
    name: 'llm_gateway_overhead_seconds',
    help: 'Time spent in Midwatch, without waiting for providers and callers.',
    buckets: OVERHEAD_SECONDS,
    registers,
  })
  const tokens = new Counter({
    name: 'llm_tokens_total',
    help: 'Tokens by type: input (read anew), cached (by the provider), cache_write, output (with reasoning).',
    labelNames: ['model', 'type'],
    registers,
  })
  const cost = new Counter({
    name: 'llm_cost_total_usd',
    help: 'Cost of the calls whose price is known, in US dollars.',
    labelNames: ['model', 'provider'],
    registers,
  })
  const cache = new Counter({
    name: 'llm_cache_total',
    help: 'Model calls by where the answer came from: our cache (hit), a provider (miss, off), a call under way (shared).',
    labelNames: ['result'],
    registers,
  })
  const active = new Gauge({
    name: 'llm_active_requests',
    help: 'Model calls under way.',
    labelNames: ['model'],
    registers,
  })
  const errors = new Counter({
    name: 'llm_errors_total',
    help: 'Model calls that were not served, by why.',
    labelNames: ['model', 'error_type'],
    registers,
  })
  const attempts = new Counter({
    name: 'llm_attempts_total',
    help: 'Calls to providers by why they were begun (first, retry, failover, hedge, rescue) and how they ended.',
    labelNames: ['provider', 'reason', 'result'],
    registers,
  })
  const limited = new Counter({
    name: 'midwatch_limit_refusals_total',
    help: 'Model calls refused by a limit or a budget: which of its limits, and whose.',
    labelNames: ['reason', 'subject'],
    registers,
  })
  /** Looked up once for each pair, not hashed anew by prom-client for every call; both are from the config. */
  const series = new Map<string, ReturnType<typeof seriesOf>>()
  const seriesOf = (model: string, endpoint: string) => ({
    served: requests.labels({ model, endpoint, status: '200' }),
    duration: duration.labels({ model, endpoint }),
    firstContent: firstContent.labels({ model }),
    input: tokens.labels({ model, type: 'input' }),
    cached: tokens.labels({ model, type: 'cached' }),
    cacheWrite: tokens.labels({ model, type: 'cache_write' }),
    output: tokens.labels({ model, type: 'output' }),
  })
  const cached = {
    hit: cache.labels({ result: 'hit' }),
    miss: cache.labels({ result: 'miss' }),
    shared: cache.labels({ result: 'shared' }),
    off: cache.labels({ result: 'off' }),
  }
  const activeOf = new Map<string, ReturnType<typeof active.labels>>()
  const activeFor = (model: string) => {
    let one = activeOf.get(model)
    if (!one) activeOf.set(model, (one = active.labels({ model })))
    return one
  }
  const firstCompleted = new Map<string, ReturnType<typeof attempts.labels>>()
  return {
    began: (model) => activeFor(model).inc(),
    tried: (provider, reason, end) => {
      const result = endName(end)
      if (reason !== 'first' || result !== 'completed') return attempts.inc({ provider, reason, result })
      let one = firstCompleted.get(provider)
      if (!one) firstCompleted.set(provider, (one = attempts.labels({ provider, reason, result })))
      one.inc()
    },
    limited: ({ reason, subject }) => limited.inc({ reason, subject }),
    ended: (model, endpoint, outcome, timing) => {
      activeFor(model).dec()
      const key = `${endpoint} ${model}`
      let of = series.get(key)
      if (!of) series.set(key, (of = seriesOf(model, endpoint)))
      const status = statusOf(outcome)
      if (status === 200) of.served.inc()
      else requests.inc({ model, endpoint, status: String(status) })
      of.duration.observe(timing.seconds)
      if (timing.firstContentSeconds !== null) of.firstContent.observe(timing.firstContentSeconds)
      cached[outcome.facts.cache].inc()
      const errorType = errorTypeOf(outcome)
      if (errorType) errors.inc({ model, error_type: errorType })
      const { usage, costMicroUsd, provider, overheadMs } = outcome.facts
      overhead.observe(overheadMs / 1000)
      if (usage?.inputTokens) of.input.inc(usage.inputTokens)
      if (usage?.cacheReadTokens) of.cached.inc(usage.cacheReadTokens)
      const written = (usage?.cacheWriteTokens ?? 0) + (usage?.cacheWrite1hTokens ?? 0)
      if (written > 0) of.cacheWrite.inc(written)
      if (usage?.outputTokens) of.output.inc(usage.outputTokens)
      if (costMicroUsd && provider !== null) cost.inc({ model, provider }, costMicroUsd / 1e6)
    },
  }
}
