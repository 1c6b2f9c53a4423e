// From the raw series of a source to what they say about services: error ratios from counters by status, use from size and
// free, time left from an expiry date. A signal knows whom it speaks of, which is not always who exported it.
import type { Labels, Series } from '../core/telemetry.ts'
import { endingOf, peerOf, roleOf, statusOf, type Role } from './metric-roles.ts'
import { toTrack, type Track } from './stats.ts'
import { meanOf, ratioOf, sumOf } from './track-sums.ts'

export type SignalRole =
  | 'up'
  | 'errors'
  | 'error_rate'
  | 'availability'
  | 'latency'
  | 'requests'
  | 'client_errors'
  | 'client_refused'
  | 'client_rejected'
  | 'client_latency'
  | 'client_requests'
  | 'edge_gap'
  | 'peer_latency'
  | 'cpu'
  | 'memory'
  | 'event_loop'
  | 'pool_use'
  | 'pool_waiting'
  | 'queue_depth'
  | 'queue_age'
  | 'jobs'
  | 'job_errors'
  | 'disk_use'
  | 'credential_left'
  | 'database_latency'
  | 'inflight'
  | 'restarts'
  | 'provider_errors'
  | 'provider_state'
  | 'provider_latency'
  | 'node'
  | 'other'

export interface Signal {
  /** Whom it was measured at. */
  readonly service: string
  /** The other end of the call, for what a caller sees. */
  readonly peer?: string
  readonly role: SignalRole
  /** As people call it: "error ratio", "95th percentile latency". */
  readonly name: string
  /** `ratio`, `s`, `ms`, `/s`, `bytes`, `cores`, `count`. */
  readonly unit: string
  readonly track: Track
  /** The series behind it, or the first of several that were combined. */
  readonly metric: string
  readonly as: Series['as']
  readonly labels: Labels
  readonly query: string
}

/** Causes of a refused or failed model call that are the caller's own, not the provider's. */
const CALLERS_OWN =
  /invalid|malformed|unauthenticated|forbidden|budget|blocked|content|client|cancel|abandon|not_found|too_large|^limited$/i

const HEALTHY = /^(closed|healthy|up|ok|active|available|ready|on)$/i

/** The service's name for its model provider, when its labels do not say. */
const UNNAMED_PROVIDER = ''

/**
 * Every signal of these series. `now` is the end of the case, against which expiry dates are read. The order of the
 * series does not matter.
 */
export function readSignals(series: readonly Series[]): Signal[] {
  const ordered = series.map((one) => ({ one, key: seriesKey(one) })).sort((a, b) => (a.key < b.key ? -1 : 1))
  const byRole = new Map<Role, Series[]>()
  for (const { one } of ordered) {
    const role = roleOf(one.metric, Object.keys(one.labels))
    const list = byRole.get(role)
    if (list) list.push(one)
    else byRole.set(role, [one])
  }
  const of = (role: Role): Series[] => byRole.get(role) ?? []
  return [
    ...calls(of('requests'), 'errors', 'requests'),
    ...calls(of('client_requests'), 'client_errors', 'client_requests'),
    ...calls(of('jobs'), 'job_errors', 'jobs'),
    ...of('errors').flatMap(errorRate),
    ...providerSignals(of('provider_requests'), of('provider_errors'), of('provider_state'), of('provider_latency')),
    ...combined(of('up'), 'up', 'reachability', 'ratio', meanOf),
    ...pools(of('pool_used'), of('pool_max')),
    ...disks(of('disk_free'), of('disk_size')),
    ...of('credential_expiry').map((one) =>
      signal(
        one,
        'credential_left',
        `time left of ${subject(one, 'the credential')}`,
        's',
        secondsLeft(toTrack(one.points)),
      ),
    ),
    ...(Object.keys(PLAIN) as (keyof typeof PLAIN)[]).flatMap((role) =>
      of(role)
        // The number of calls behind a latency or a size is no latency and no size.
        .filter((one) => one.as !== 'rate' || RATES.has(role))
        .map((one) => signal(one, PLAIN[role].role, nameOf(one, PLAIN[role].name), unitOf(one))),
    ),
  ].filter((one) => one.track.times.length > 0)
}

/** What identifies a series: the same text for the same series in another window. */
export function seriesKey(one: Pick<Series, 'service' | 'metric' | 'as' | 'labels' | 'query'>): string {
  const labels = Object.entries(one.labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return [one.service, one.metric, one.as, ...labels.flat(), one.as === 'quantile' ? one.query : ''].join('\u0000')
}

const RATES: ReadonlySet<Role> = new Set(['cpu', 'restarts', 'node', 'other', 'memory', 'event_loop'])

const PLAIN = {
  latency: { role: 'latency', name: 'latency' },
  client_latency: { role: 'client_latency', name: 'latency of calls' },
  edge_gap: { role: 'edge_gap', name: 'time lost between caller and callee' },
  peer_latency: { role: 'peer_latency', name: 'server time of calls' },
  database_latency: { role: 'database_latency', name: 'query time' },
  availability: { role: 'availability', name: 'success rate' },
  cpu: { role: 'cpu', name: 'CPU use' },
  memory: { role: 'memory', name: 'memory' },
  event_loop: { role: 'event_loop', name: 'event-loop lag' },
  pool_waiting: { role: 'pool_waiting', name: 'callers waiting for a pool connection' },
  queue_depth: { role: 'queue_depth', name: 'queue depth' },
  queue_age: { role: 'queue_age', name: 'age of the oldest queued item' },
  disk_used: { role: 'disk_use', name: 'disk use' },
  inflight: { role: 'inflight', name: 'requests in flight' },
  restarts: { role: 'restarts', name: 'restarts' },
  node: { role: 'node', name: 'node load' },
  other: { role: 'other', name: '' },
} as const satisfies Partial<Record<Role, { role: SignalRole; name: string }>>

function signal(one: Series, role: SignalRole, name: string, unit: string, track = toTrack(one.points)): Signal {
  const peer = peerOf(one.labels)
  const { service, metric, as, labels, query } = one
  return { service, ...(peer === undefined ? {} : { peer }), role, name, unit, track, metric, as, labels, query }
}

function nameOf(one: Series, name: string): string {
  if (name === '') return one.metric
  const high = one.as === 'quantile' || /p9\d/i.test(one.metric)
  return `${high ? '95th percentile ' : one.as === 'mean' ? 'mean ' : ''}${name}`
}

const subject = (one: Series, fallback: string): string =>
  Object.entries(one.labels)
    .filter(([label]) => label !== 'instance')
    .map(([, value]) => value)
    .join(' ') || fallback

function unitOf(one: Series): string {
  const name = one.metric.toLowerCase()
  if (/cpu/.test(name) && /seconds/.test(name) && one.as === 'rate') return 'cores'
  if (/_ms\b|_ms$|\(ms\)|milliseconds/.test(name)) return 'ms'
  if (/seconds|\(s\)/.test(name)) return 's'
  if (/bytes/.test(name)) return 'bytes'
  if (/%|percent/.test(name)) return '%'
  if (/ratio/.test(name)) return 'ratio'
  return one.as === 'rate' ? '/s' : ''
}

/** One group for each service, metric and peer (or queue); in each, how many calls there were and how they ended. */
function calls(series: readonly Series[], errorRole: SignalRole, rateRole: SignalRole): Signal[] {
  return groups(series, (one) => [
    one.service,
    one.metric,
    peerOf(one.labels) ?? '',
    one.labels['queue'] ?? '',
  ]).flatMap((group) => {
    const [first] = group
    const ended = (ending: string): Series[] => group.filter((one) => endingOfSeries(one) === ending)
    const total = sumOf(group)
    const label = Object.fromEntries(
      Object.entries(first.labels).filter(([, value]) => value !== statusOf(first.labels)),
    )
    const base = { ...first, labels: label }
    const rate = signal(base, rateRole, rateRole === 'jobs' ? 'jobs' : 'request rate', unitOf(first), total)
    if (group.every((one) => statusOf(one.labels) === undefined)) {
      return /error|fail/i.test(first.metric) ? [signal(base, errorRole, 'failed calls', unitOf(first), total)] : [rate]
    }
    const failed = [rate, signal(base, errorRole, 'error ratio', 'ratio', ratioOf(sumOf(ended('failed')), total))]
    if (errorRole !== 'client_errors') return failed
    const refused = ratioOf(sumOf(ended('refused')), total)
    const rejected = ratioOf(sumOf(ended('rejected')), total)
    return [
      ...failed,
      signal(base, 'client_refused', 'share of calls refused', 'ratio', refused),
      signal(base, 'client_rejected', 'share of calls rejected as wrong', 'ratio', rejected),
    ]
  })
}

function endingOfSeries(one: Series): string {
  const status = statusOf(one.labels)
  return status === undefined ? 'ok' : endingOf(status)
}

function errorRate(one: Series): Signal[] {
  const role = peerOf(one.labels) === undefined ? 'error_rate' : 'client_errors'
  return [signal(one, role, 'errors', one.as === 'rate' ? '/s' : '')]
}

function providerSignals(
  requests: readonly Series[],
  errors: readonly Series[],
  states: readonly Series[],
  latencies: readonly Series[],
): Signal[] {
  const providers = [...new Set([...errors, ...states, ...requests].flatMap((one) => one.labels['provider'] ?? []))]
  const only = providers.length === 1 ? (providers[0] ?? UNNAMED_PROVIDER) : UNNAMED_PROVIDER
  const named = (one: Series, built: Signal): Signal => ({ ...built, peer: one.labels['provider'] ?? only })
  const providersOwn = errors.filter((one) => !CALLERS_OWN.test(one.labels['error_type'] ?? ''))
  const unhealthy = states.filter((one) => !HEALTHY.test(one.labels['state'] ?? ''))
  return [
    ...groups(requests, (one) => [one.service, one.metric, one.labels['provider'] ?? '']).map((group) => {
      const failed = group.filter((one) => endingOfSeries(one) === 'failed')
      const ratio = ratioOf(sumOf(failed), sumOf(group))
      return named(
        group[0],
        signal({ ...group[0], labels: {} }, 'provider_errors', 'error ratio of model calls', 'ratio', ratio),
      )
    }),
    ...groups(providersOwn, (one) => [one.service, one.metric, one.labels['provider'] ?? '']).map((group) =>
      named(group[0], signal(group[0], 'provider_errors', 'failed model calls', '/s', sumOf(group))),
    ),
    ...groups(unhealthy, (one) => [one.service, one.metric, one.labels['provider'] ?? '']).map((group) =>
      named(
        group[0],
        signal(group[0], 'provider_state', 'state of the provider (1 = not healthy)', 'ratio', sumOf(group)),
      ),
    ),
    ...latencies
      .filter((one) => one.as === 'mean' || one.as === 'quantile')
      .map((one) => named(one, signal(one, 'provider_latency', nameOf(one, 'latency of model calls'), unitOf(one)))),
  ]
}

function combined(
  series: readonly Series[],
  role: SignalRole,
  name: string,
  unit: string,
  combine: (group: readonly Series[]) => Track,
): Signal[] {
  return groups(series, (one) => [one.service, one.metric]).map((group) =>
    signal(group[0], role, name, unit, combine(group)),
  )
}

/** Connections in use against the pool's size; without a size, the number itself. */
function pools(used: readonly Series[], sizes: readonly Series[]): Signal[] {
  const busy = used.filter((one) => !/idle|free|avail/i.test(`${one.labels['state'] ?? ''} ${one.metric}`))
  return groups(busy, (one) => [one.service, one.metric, one.labels['pool'] ?? '']).flatMap((group) => {
    const [first] = group
    const size = sizes.filter((one) => one.service === first.service && one.labels['pool'] === first.labels['pool'])
    if (size.length === 0) return []
    return [signal(first, 'pool_use', 'share of the pool in use', 'ratio', ratioOf(sumOf(group), sumOf(size)))]
  })
}

function disks(free: readonly Series[], sizes: readonly Series[]): Signal[] {
  return free.flatMap((one) => {
    const same = (other: Series): boolean =>
      other.service === one.service &&
      Object.entries(other.labels).every(([label, value]) => one.labels[label] === value)
    const size = sizes.find(same)
    if (!size) return []
    const share = ratioOf(toTrack(one.points), toTrack(size.points))
    const used = { times: share.times, values: share.values.map((value) => 1 - value) }
    return [signal(one, 'disk_use', `use of ${subject(one, 'the disk')}`, 'ratio', used)]
  })
}

const secondsLeft = (track: Track): Track => ({
  times: track.times,
  values: track.values.map((expiry, i) => (expiry > 1e11 ? expiry / 1000 : expiry) - (track.times[i] ?? 0) / 1000),
})

/** In order of first appearance; no group is empty. */
function groups(series: readonly Series[], keyOf: (one: Series) => readonly string[]): [Series, ...Series[]][] {
  const byKey = new Map<string, [Series, ...Series[]]>()
  for (const one of series) {
    const key = keyOf(one).join('\u0000')
    const group = byKey.get(key)
    if (group) group.push(one)
    else byKey.set(key, [one])
  }
  return [...byKey.values()]
}
