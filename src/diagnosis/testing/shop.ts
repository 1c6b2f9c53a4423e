// A made-up shop for tests: services that call each other, with the metrics that a scrape would give, under a fault whose
// consequences travel along the calls. It imitates no particular system's numbers; seeds vary load, noise and timing.
import type { FaultKind } from '../../core/fault-kinds.ts'
import type { Change, Edge, LogLevel, LogLine, Point, Series } from '../../core/telemetry.ts'
import type { CaseInput } from '../case.ts'

/** The same numbers for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const CALLS: readonly Edge[] = [
  { caller: 'storefront', callee: 'catalogue' },
  { caller: 'storefront', callee: 'cart' },
  { caller: 'storefront', callee: 'checkout' },
  { caller: 'storefront', callee: 'recommendations' },
  { caller: 'storefront', callee: 'assistant' },
  { caller: 'checkout', callee: 'cart' },
  { caller: 'checkout', callee: 'payment' },
  { caller: 'checkout', callee: 'inventory' },
  { caller: 'checkout', callee: 'orders-queue' },
  { caller: 'recommendations', callee: 'catalogue' },
  { caller: 'catalogue', callee: 'shop-db' },
  { caller: 'inventory', callee: 'shop-db' },
  { caller: 'payment', callee: 'card-network' },
  { caller: 'assistant', callee: 'midwatch' },
]

/** Has no metrics of its own: seen only by its callers. */
const OUTSIDE = new Set(['card-network'])
const SERVICES = [...new Set(CALLS.flatMap(({ caller, callee }) => [caller, callee]))].filter(
  (one) => !OUTSIDE.has(one),
)

export interface Scenario {
  readonly kind: FaultKind | null
  readonly service: string
  readonly seed: number
  /** Seconds of quiet before the fault, and from the fault to the alert and to the end. */
  readonly quietSeconds?: number
  readonly alertAfterSeconds?: number
  readonly afterSeconds?: number
  readonly stepSeconds?: number
  /** 1 is normal. */
  readonly load?: number
  /** Relative noise of every number. */
  readonly noise?: number
  /** 0 to 1, scales the fault. */
  readonly severity?: number
}

export const START_MS = Date.UTC(2026, 2, 3, 3, 10, 0)

/** What the fault does to one service at one moment. */
interface Trouble {
  latencyFactor: number
  latencyAddMs: number
  errors: number
  cpuAdd: number
  down: boolean
}

export function makeCase(scenario: Scenario): CaseInput {
  const random = seeded(scenario.seed * 7919 + 13)
  const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const { kind, service, noise = 0.08, load = 1, severity = 1 } = scenario
  const stepMs = (scenario.stepSeconds ?? 2) * 1000
  const quietMs = (scenario.quietSeconds ?? 120) * 1000
  const faultMs = START_MS + quietMs
  const alertMs = faultMs + (scenario.alertAfterSeconds ?? 20) * 1000
  const endMs = alertMs + (scenario.afterSeconds ?? 10) * 1000
  const builder = new Builder()
  const logs: LogLine[] = []
  const base = new Map(
    [...SERVICES, ...OUTSIDE].map((name) => [
      name,
      { ms: 4 + 20 * random(), cpu: 0.03 + 0.1 * random(), mb: 80 + 60 * random() },
    ]),
  )
  const share = new Map(CALLS.map((edge) => [`${edge.caller}>${edge.callee}`, 0.4 + 0.5 * random()]))
  const entryRate = load * (20 + 20 * random())
  const wobble = (value: number): number => Math.max(0, value * (1 + noise * gauss()))
  const log = (at: number, by: string, level: LogLevel, message: string): void => {
    logs.push({ at, service: by, level, message, ref: `${by}.log:${logs.length + 1}` })
  }
  let [leaked, backlog, oldest] = [0, 2, 0.2]

  for (let at = START_MS; at <= endMs; at += stepMs) {
    const active = kind !== null && at >= faultMs
    const since = active ? (at - faultMs) / 1000 : 0
    const ramp = active ? severity * Math.min(1, (since + stepMs / 1000) / 4) : 0
    const surge = kind === 'traffic_surge' && active ? 1 + 2.5 * ramp : 1
    const trouble = new Map<string, Trouble>()
    for (const name of [...SERVICES, ...OUTSIDE]) {
      const quiet = { latencyFactor: 1, latencyAddMs: 0, errors: 0.002, cpuAdd: 0, down: false }
      if (surge > 1) {
        quiet.latencyFactor += 0.5 * (surge - 1)
        if (name === service) quiet.errors += 0.08 * (surge - 1)
      }
      if (active && name === service) hurt(quiet, kind, ramp)
      trouble.set(name, quiet)
    }
    if (kind === 'memory_leak' && active) leaked += severity * 6 * (stepMs / 1000)
    if (kind === 'queue_backlog' && active) {
      backlog += severity * 12 * (stepMs / 1000)
      oldest += severity * 0.9 * (stepMs / 1000)
    }
    const solved = new Map<string, { ms: number; errors: number }>()
    const solve = (name: string): { ms: number; errors: number } => {
      const known = solved.get(name)
      if (known) return known
      const own = trouble.get(name) ?? { latencyFactor: 1, latencyAddMs: 0, errors: 0, cpuAdd: 0, down: false }
      let ms = (base.get(name)?.ms ?? 5) * own.latencyFactor + own.latencyAddMs
      let fine = 1 - own.errors
      for (const { callee } of CALLS.filter(({ caller }) => caller === name)) {
        const part = share.get(`${name}>${callee}`) ?? 0.5
        const theirs = solve(callee)
        ms += part * Math.min(theirs.ms, 2000)
        fine *= 1 - part * (trouble.get(callee)?.down ? 1 : theirs.errors)
      }
      const result = { ms, errors: Math.min(1, 1 - fine) }
      solved.set(name, result)
      return result
    }
    const rates = new Map<string, number>([['storefront', entryRate * surge]])
    const rateOf = (name: string): number => {
      const known = rates.get(name)
      if (known !== undefined) return known
      const rate = CALLS.filter(({ callee }) => callee === name).reduce(
        (sum, { caller }) => sum + rateOf(caller) * (share.get(`${caller}>${name}`) ?? 0.5),
        0,
      )
      rates.set(name, rate)
      return rate
    }
    for (const name of SERVICES) {
      const own = trouble.get(name)
      const down = own?.down ?? false
      builder.add(name, 'up', 'value', {}, at, down ? 0 : 1)
      if (down) continue
      const { ms, errors } = solve(name)
      const rate = wobble(rateOf(name))
      const failing = Math.min(1, wobble(errors))
      builder.add(name, 'http_requests_total', 'rate', { status: '200' }, at, rate * (1 - failing))
      if (failing > 0.001) builder.add(name, 'http_requests_total', 'rate', { status: '500' }, at, rate * failing)
      builder.add(name, 'http_request_duration_seconds', 'mean', {}, at, wobble(ms / 1000))
      builder.add(name, 'http_request_duration_seconds', 'quantile', {}, at, wobble((2.5 * ms) / 1000))
      const cpu = (base.get(name)?.cpu ?? 0.05) * (rateOf(name) / (entryRate * 0.5)) + (own?.cpuAdd ?? 0)
      builder.add(name, 'process_cpu_seconds_total', 'rate', {}, at, wobble(cpu))
      const leak = name === service ? leaked * 1e6 : 0
      const memory = (base.get(name)?.mb ?? 90) * 1e6 * (1 + 0.02 * gauss())
      builder.add(name, 'process_resident_memory_bytes', 'value', {}, at, memory + leak)
      const blocked = kind === 'cpu' && active && name === service ? 0.12 * ramp : 0
      builder.add(name, 'nodejs_eventloop_lag_seconds', 'value', {}, at, wobble(0.002) + blocked)
      for (const { callee } of CALLS.filter(({ caller }) => caller === name)) {
        const gone = trouble.get(callee)?.down ?? false
        const theirs = gone ? { ms: 1, errors: 1 } : solve(callee)
        const calls = wobble(rateOf(name) * (share.get(`${name}>${callee}`) ?? 0.5))
        // A caller that burns its processor sees every callee late.
        const seen = theirs.ms + (blocked > 0 ? 40 * ramp : 0)
        const refused = kind === 'credential_expired' && active && name === service && callee === calleeOf(service)
        const failed = refused ? 0 : Math.min(1, theirs.errors)
        const status = refused ? '401' : gone ? 'error' : '500'
        const bad = refused ? ramp : failed
        builder.add(name, 'http_client_requests_total', 'rate', { peer: callee, status: '200' }, at, calls * (1 - bad))
        if (bad > 0.001)
          builder.add(name, 'http_client_requests_total', 'rate', { peer: callee, status }, at, calls * bad)
        builder.add(name, 'http_client_request_duration_seconds', 'mean', { peer: callee }, at, wobble(seen / 1000))
        if (gone && random() < 0.5)
          log(
            at,
            name,
            'error',
            `call to ${callee} failed: connect ECONNREFUSED 127.0.0.1:${4800 + Math.floor(random() * 20)}`,
          )
        else if (failed > 0.05 && random() < 0.4)
          log(at, name, 'warn', `${callee} answered 500 to request ${Math.floor(random() * 1e9)}`)
      }
      if (name === 'catalogue' || name === 'inventory') {
        const queryMs = solve('shop-db').ms
        builder.add(name, 'db_query_duration_seconds', 'mean', {}, at, wobble(queryMs / 1000))
        const full = kind === 'pool_exhausted' && active && name === service
        const dbSlow = queryMs / (base.get('shop-db')?.ms ?? 5)
        builder.add(name, 'db_pool_max', 'value', {}, at, 20)
        const busy = full ? 20 : Math.min(20, Math.round(wobble(3 * Math.max(1, dbSlow))))
        builder.add(name, 'db_pool_connections', 'value', { state: 'in_use' }, at, busy)
        builder.add(name, 'db_pool_connections', 'value', { state: 'idle' }, at, 20 - busy)
        builder.add(name, 'db_pool_waiting', 'value', {}, at, full ? Math.round(wobble(8 * ramp)) : busy === 20 ? 4 : 0)
        if (full && random() < 0.5)
          log(at, name, 'error', `timed out after 1000 ms waiting for connection from pool main`)
      }
      if (name === 'orders-queue') {
        builder.add(name, 'queue_depth', 'value', { queue: 'orders' }, at, Math.round(wobble(backlog)))
        builder.add(name, 'queue_oldest_seconds', 'value', { queue: 'orders' }, at, wobble(oldest))
      }
      if (name === 'inventory' || name === 'cart') {
        const full = kind === 'disk_full' && active && name === service
        builder.add(name, 'disk_size_bytes', 'value', { volume: 'data' }, at, 1e9)
        builder.add(
          name,
          'disk_free_bytes',
          'value',
          { volume: 'data' },
          at,
          full ? Math.max(0, 6e8 * (1 - since / 6)) : 6e8,
        )
        if (full && since > 6 && random() < 0.5)
          log(at, name, 'error', `write failed: ENOSPC: no space left on device, write`)
      }
      if (name === 'payment') {
        const expiry =
          kind === 'credential_expired' && name === service ? faultMs / 1000 : START_MS / 1000 + 90 * 86_400
        builder.add(name, 'credential_expiry_timestamp_seconds', 'value', { credential: 'card-network' }, at, expiry)
        if (kind === 'credential_expired' && active && random() < 0.5)
          log(at, name, 'error', `card-network refused us: 401, token expired`)
      }
      if (name === 'midwatch') provider(builder, at, kind === 'provider_failure' ? ramp : 0, wobble)
      if (random() < 0.5) log(at, name, 'info', `served request ${Math.floor(random() * 1e9)} in ${Math.floor(ms)} ms`)
      if (active && name === service && (kind === 'bad_deploy' || kind === 'bad_config') && random() < 0.6)
        log(
          at,
          name,
          'error',
          kind === 'bad_deploy'
            ? `TypeError: Cannot read properties of undefined (reading 'total')`
            : `request failed: limit 0 reached`,
        )
    }
  }
  return {
    alertAtMs: alertMs,
    stepMs,
    symptoms: [{ service: 'storefront', name: 'StorefrontErrors', startsAtMs: alertMs }],
    series: builder.series(),
    logs,
    changes: changesFor(scenario, faultMs, alertMs),
    topology: CALLS,
  }
}

const calleeOf = (service: string): string => CALLS.find(({ caller }) => caller === service)?.callee ?? ''

function hurt(quiet: Trouble, kind: FaultKind, ramp: number): void {
  switch (kind) {
    case 'cpu':
      quiet.cpuAdd = 0.8 * ramp
      quiet.latencyAddMs = 150 * ramp
      break
    case 'memory_leak':
      quiet.latencyAddMs = 40 * ramp
      quiet.errors += 0.1 * ramp
      break
    case 'slow_database':
      quiet.latencyFactor = 1 + 15 * ramp
      break
    case 'pool_exhausted':
      quiet.latencyAddMs = 600 * ramp
      quiet.errors += 0.3 * ramp
      break
    case 'bad_deploy':
    case 'bad_config':
      quiet.errors += 0.4 * ramp
      break
    case 'down':
      quiet.down = true
      break
    case 'slow_dependency':
      quiet.latencyAddMs = 900 * ramp
      break
    case 'queue_backlog':
      quiet.latencyAddMs = 25 * ramp
      break
    case 'disk_full':
      quiet.errors += 0.5 * ramp
      break
    case 'credential_expired':
      quiet.errors += 0.9 * ramp
      break
    case 'provider_failure':
      quiet.errors += 0.6 * ramp
      break
    case 'traffic_surge':
      break
  }
}

function provider(builder: Builder, at: number, ramp: number, wobble: (value: number) => number): void {
  const labels = { provider: 'model-provider' }
  builder.add(
    'midwatch',
    'llm_requests_total',
    'rate',
    { model: 'shop', endpoint: 'chat', status: '200' },
    at,
    wobble(4 * (1 - 0.6 * ramp)),
  )
  builder.add(
    'midwatch',
    'llm_requests_total',
    'rate',
    { model: 'shop', endpoint: 'chat', status: '502' },
    at,
    wobble(4 * 0.6 * ramp),
  )
  if (ramp > 0)
    builder.add(
      'midwatch',
      'llm_errors_total',
      'rate',
      { model: 'shop', error_type: 'upstream' },
      at,
      wobble(2.4 * ramp),
    )
  builder.add('midwatch', 'llm_provider_state', 'value', { ...labels, state: 'closed' }, at, ramp > 0.9 ? 0 : 1)
  builder.add('midwatch', 'llm_provider_state', 'value', { ...labels, state: 'open' }, at, ramp > 0.9 ? 1 : 0)
}

/** The change that did it, where one did, among changes that did not. */
function changesFor({ kind, service, seed }: Scenario, faultMs: number, alertMs: number): Change[] {
  const found: Change[] = [
    { id: 'late', at: alertMs + 2000, service: 'storefront', kind: 'deploy', summary: 'storefront 1.9.1' },
  ]
  // A healthy service is deployed at about the same time: the red herring.
  if (service !== 'recommendations') {
    const at = faultMs - 5000 - (seed % 5) * 1000
    found.push({ id: 'herring', at, service: 'recommendations', kind: 'deploy', summary: 'recommendations 4.2.0' })
  }
  const at = faultMs - 1000
  if (kind === 'bad_deploy') found.push({ id: 'guilty', at, service, kind: 'deploy', summary: `${service} 2.0.0` })
  if (kind === 'bad_config') found.push({ id: 'guilty', at, service, kind: 'config', summary: 'limit 100 to 0' })
  if (kind === 'pool_exhausted') found.push({ id: 'guilty', at, service, kind: 'deploy', summary: `${service} 3.1.0` })
  return found
}

class Builder {
  readonly #series = new Map<string, Omit<Series, 'points'> & { points: Point[] }>()

  add(
    service: string,
    metric: string,
    as: Series['as'],
    labels: Record<string, string>,
    at: number,
    value: number,
  ): void {
    const key = JSON.stringify([service, metric, as, labels])
    const known = this.#series.get(key)
    if (known) known.points.push([at, value])
    else this.#series.set(key, { service, metric, as, labels, query: `${as}(${metric})`, points: [[at, value]] })
  }

  series(): Series[] {
    return [...this.#series.values()]
  }
}
