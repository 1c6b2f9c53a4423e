// What to ask a metric source, decided from its catalogue alone: names, types and labels, never a particular system's
// metrics. The number of questions is bounded; what speaks of users' pain and of saturation is asked first.
import type { MetricInfo, MetricQuery } from '../core/telemetry.ts'
import { peerLabel, roleOf, statusLabel, subjectLabels, type Role } from './metric-roles.ts'

/** More questions than this are not asked of one incident. */
const MAX_QUERIES = 160

/** A runtime's inner life and bookkeeping: many series that say nothing about who is to blame. */
const NOISE =
  /_info$|_created$|_bucket$|^(go_|promhttp_|prometheus_|scrape_|python_|ALERTS|nodejs_(version|gc|heap|external|active|eventloop_lag_(min|max|stddev|p\d+))|process_(start_time|open_fds|max_fds|virtual|heap|network)|jvm_(classes|buffer|compilation)|midwatch_)/

/** Smaller is asked earlier. */
const PRIORITY: Readonly<Record<Role, number>> = {
  up: 0,
  errors: 1,
  requests: 1,
  latency: 1,
  availability: 1,
  client_requests: 1,
  client_latency: 1,
  provider_errors: 1,
  provider_requests: 1,
  provider_state: 1,
  provider_latency: 2,
  cpu: 2,
  memory: 2,
  event_loop: 2,
  pool_used: 2,
  pool_max: 2,
  pool_waiting: 2,
  queue_depth: 2,
  queue_age: 2,
  jobs: 2,
  disk_free: 2,
  disk_size: 2,
  disk_used: 2,
  credential_expiry: 2,
  database_latency: 2,
  restarts: 3,
  inflight: 3,
  edge_gap: 3,
  peer_latency: 3,
  node: 4,
  other: 5,
}

/** Values that make no sense added up over instances. */
const PER_INSTANCE: ReadonlySet<Role> = new Set(['credential_expiry', 'event_loop', 'queue_age', 'up'])

/**
 * The queries that a diagnosis needs from a source that knows these metrics. Counters become rates by how calls ended and
 * whom they went to; histograms become mean and 95th percentile; gauges are read as they are, by the few labels that
 * tell apart what must not be added up. At most 160 queries, in a fixed order.
 */
export function planQueries(catalogue: readonly (MetricInfo & { labels: readonly string[] })[]): MetricQuery[] {
  return catalogue
    .filter((metric) => !NOISE.test(metric.name))
    .map((metric) => ({ metric, role: roleOf(metric.name, metric.labels) }))
    .sort((a, b) => PRIORITY[a.role] - PRIORITY[b.role] || (a.metric.name < b.metric.name ? -1 : 1))
    .flatMap(({ metric, role }) => queriesFor(metric, role))
    .slice(0, MAX_QUERIES)
}

function queriesFor(metric: MetricInfo & { labels: readonly string[] }, role: Role): MetricQuery[] {
  const peer = peerLabel(metric.labels)
  const status = statusLabel(metric.labels)
  const queue = metric.labels.includes('queue') ? 'queue' : undefined
  const provider = /^(llm|gen_ai)_/.test(metric.name)
    ? ['provider', 'model', 'state'].filter((label) => metric.labels.includes(label))
    : []
  const calls = [peer, status, queue, ...provider].filter((label) => label !== undefined)
  switch (metric.type) {
    case 'counter':
      return [{ metric: metric.name, as: 'rate', by: calls }]
    case 'histogram':
    case 'summary': {
      const by = [peer, queue, ...provider].filter((label) => label !== undefined)
      const mean: MetricQuery = { metric: metric.name, as: 'mean', by }
      const high: MetricQuery = { metric: metric.name, as: 'quantile', q: 0.95, by }
      // Where a histogram knows how calls ended (Spring, OpenTelemetry), its count is the request counter.
      const count: MetricQuery = { metric: `${metric.name}_count`, as: 'rate', by: calls }
      return [mean, ...(metric.type === 'histogram' ? [high] : []), ...(status === undefined ? [] : [count])]
    }
    case 'unknown':
      if (/_(total|count|sum)$/.test(metric.name)) return [{ metric: metric.name, as: 'rate', by: calls }]
      return [{ metric: metric.name, as: 'value', by: gaugeLabels(metric.labels, role) }]
    case 'gauge':
      return [{ metric: metric.name, as: 'value', by: gaugeLabels(metric.labels, role) }]
  }
}

function gaugeLabels(labels: readonly string[], role: Role): string[] {
  const peer = peerLabel(labels)
  const by = [...(peer === undefined ? [] : [peer]), ...subjectLabels(labels)].slice(0, 3)
  if (PER_INSTANCE.has(role) && labels.includes('instance')) by.push('instance')
  return by
}
