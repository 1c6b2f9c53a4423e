// What a metric speaks of, told from its name and its labels by the naming habits of the field (Prometheus, OpenTelemetry,
// Spring, Istio, cAdvisor, node_exporter, tracing backends), so that no system's names are built in. First match wins.
import type { Labels } from '../core/telemetry.ts'

export type Role =
  | 'up'
  | 'provider_errors'
  | 'provider_state'
  | 'provider_requests'
  | 'provider_latency'
  | 'credential_expiry'
  | 'disk_free'
  | 'disk_size'
  | 'disk_used'
  | 'pool_waiting'
  | 'pool_max'
  | 'pool_used'
  | 'queue_age'
  | 'queue_depth'
  | 'jobs'
  | 'event_loop'
  | 'database_latency'
  | 'edge_gap'
  | 'peer_latency'
  | 'client_latency'
  | 'client_requests'
  | 'latency'
  | 'availability'
  | 'errors'
  | 'requests'
  | 'cpu'
  | 'memory'
  | 'restarts'
  | 'inflight'
  | 'node'
  | 'other'

/** Labels that name the other end of a call, as seen by the caller. */
const PEER_LABELS = [
  'peer',
  'peer_service',
  'callee',
  'upstream',
  'upstream_service',
  'upstream_cluster',
  'destination_service_name',
  'destination_workload',
  'destination_service',
  'destination',
  'target_service',
  'remote_service',
  'remote',
  'backend',
  'server_address',
]

/** Labels that say how a call or a job ended. */
const STATUS_LABELS = [
  'status',
  'code',
  'status_code',
  'http_status',
  'http_status_code',
  'http_response_status_code',
  'response_code',
  'grpc_code',
  'grpc_status',
  'rpc_grpc_status_code',
  'outcome',
  'result',
  'error_type',
]

/** Labels that name what a saturation metric is about, and whose values must not be added up. */
const SUBJECT_LABELS = [
  'queue',
  'topic',
  'volume',
  'mountpoint',
  'path',
  'credential',
  'certificate',
  'state',
  'pool',
  'provider',
  'name',
  'area',
  'phase',
]

const find = (names: readonly string[], wanted: readonly string[]): string | undefined =>
  wanted.find((label) => names.includes(label))

export const peerLabel = (names: readonly string[]): string | undefined => find(names, PEER_LABELS)
export const statusLabel = (names: readonly string[]): string | undefined => find(names, STATUS_LABELS)
export const subjectLabels = (names: readonly string[]): string[] =>
  SUBJECT_LABELS.filter((label) => names.includes(label))

/** `PodServerLatencyP95(s)` → `pod server latency p95 s`. */
const words = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, ' ')
    .trim()

interface RoleRule {
  readonly role: Role
  readonly name: RegExp
  /** Only when the metric has a label for the other end. */
  readonly peer?: true
}

const LATENCY =
  /latenc|duration|elapsed|response time|\bp(50|75|90|95|99)\b|requests? (seconds|ms|milliseconds)|time seconds/

const RULES: readonly RoleRule[] = [
  { role: 'up', name: /^(up|probe success|health status|service up|target up|kube workload ready ratio)$/ },
  { role: 'provider_errors', name: /^(llm|gen ai)\b.*\b(errors?|failures?)\b/ },
  { role: 'provider_state', name: /^(llm|gen ai)\b.*\b(provider|breaker|circuit)\b.*\b(state|up|health|open)\b/ },
  { role: 'provider_requests', name: /^(llm|gen ai)\b.*\brequests?\b(?!.*(duration|seconds))/ },
  { role: 'provider_latency', name: /^(llm|gen ai)\b.*(duration|latenc|seconds)/ },
  { role: 'other', name: /\b(db|database|sql|query|jdbc)\b.*\bcount$/ },
  { role: 'client_requests', name: /(seconds|duration|latency|milliseconds|ms) count$/, peer: true },
  { role: 'requests', name: /(seconds|duration|latency|milliseconds|ms) count$/ },
  { role: 'credential_expiry', name: /(expir|not after|valid until)/ },
  {
    role: 'disk_free',
    name: /((disk|filesystem|volume|fs)\b.*\b(free|avail|available|left))|((free|avail|available)\b.*\b(disk|filesystem|volume))/,
  },
  { role: 'disk_size', name: /(disk|filesystem|volume|fs)\b.*\b(size|capacity|total bytes|limit)/ },
  { role: 'disk_used', name: /(disk|filesystem|volume|fs)\b.*\b(used|usage|util)/ },
  { role: 'pool_waiting', name: /(pool|connections?|hikaricp|threads?)\b.*\b(wait|waiting|waiters|pending|queued)/ },
  { role: 'pool_max', name: /(pool|hikaricp|connections?)\b.*\b(max|limit|size|capacity)$|(pool|connections?) max\b/ },
  {
    role: 'pool_used',
    name: /(pool|hikaricp)\b.*\b(connections?|used|active|in use|busy|open)|connections? (in use|active)/,
  },
  {
    role: 'queue_age',
    name: /(queue|topic|consumer|backlog|message|job)s?\b.*\b(oldest|age|lag seconds|delay|wait seconds|waiting seconds)/,
  },
  {
    role: 'queue_depth',
    name: /(queue|backlog)s?\b.*\b(depth|length|size|messages|ready|backlog|pending|waiting|items)$|consumer.*\blag\b|\bqueue(d)?$/,
  },
  { role: 'jobs', name: /\b(jobs?|tasks?|messages?)\b.*\b(total|processed|consumed|completed|done|count)/ },
  { role: 'event_loop', name: /event ?loop.*(lag|delay)|gc pause|scheduler? latency/ },
  {
    role: 'database_latency',
    name: /\b(db|database|sql|query|queries|jdbc|mongo|redis|postgres|mysql)\b.*(duration|latenc|seconds|ms$|time)/,
  },
  { role: 'edge_gap', name: /\bgap\b/, peer: true },
  { role: 'peer_latency', name: /\bserver\b.*(p\d\d|latenc|duration|ms|seconds)/, peer: true },
  { role: 'client_latency', name: LATENCY, peer: true },
  { role: 'client_latency', name: /\b(client|outgoing|outbound|egress|upstream)\b.*(latenc|duration|seconds|p\d\d)/ },
  {
    role: 'client_requests',
    name: /\b(requests?|calls?|count|rpcs?|errors?|failures?|responses?|total|handled)\b/,
    peer: true,
  },
  { role: 'client_requests', name: /\b(client|outgoing|outbound|egress|upstream)\b.*\b(requests?|calls?)\b/ },
  { role: 'latency', name: LATENCY },
  { role: 'availability', name: /success ?(rate|ratio)|availab(le|ility)\b/ },
  { role: 'errors', name: /\b(errors?|exceptions?|failures?|failed|faults?|5xx)\b/ },
  { role: 'node', name: /^node\b.*(cpu|memory|network|load)/ },
  { role: 'cpu', name: /\bcpu\b/ },
  { role: 'memory', name: /\b(memory|heap|rss|resident)\b/ },
  { role: 'restarts', name: /\brestarts?\b/ },
  { role: 'inflight', name: /\b(in ?flight|active requests|concurren|sessions|workers busy)/ },
  {
    role: 'requests',
    name: /\b(requests?|calls?|rpcs?|handled|hits|ops|workload|throughput|queries|span count|invocations?)\b/,
  },
]

const FROM_NAME = new Map<string, Role>()

/** The role of a metric with these labels; `other` when its name says nothing known. */
export function roleOf(metric: string, labelNames: readonly string[]): Role {
  const peer = peerLabel(labelNames) !== undefined
  const key = `${peer ? '>' : ''}${metric}`
  const known = FROM_NAME.get(key)
  if (known) return known
  const plain = words(metric)
  const role = RULES.find((rule) => (!rule.peer || peer) && rule.name.test(plain))?.role ?? 'other'
  if (FROM_NAME.size < 20_000) FROM_NAME.set(key, role)
  return role
}

/** How one call ended, told from a status label: HTTP and gRPC codes and the words people use. */
export type Ending = 'ok' | 'failed' | 'refused' | 'rejected'

/**
 * `refused` is who-are-you and you-may-not: the caller's credentials, not the callee's health. `rejected` is what-is-this:
 * the caller asks for something that is not there.
 */
export function endingOf(status: string): Ending {
  const word = status.toLowerCase()
  if (
    /^(401|403|407|unauthenticated|unauthorized|unauthorised|permissiondenied|permission_denied|forbidden)$/.test(word)
  )
    return 'refused'
  if (/^(5\d\d|5xx|429|0|000)$/.test(word)) return 'failed'
  if (
    /^(400|404|405|406|410|415|422|4xx|notfound|not_found|invalidargument|invalid_argument|unimplemented)$/.test(word)
  )
    return 'rejected'
  if (/^[1-4](\d\d|xx)$/.test(word)) return 'ok'
  if (
    /error|fail|timeout|timed|refused|reset|exception|unavailable|abort|exhausted|internal|dataloss|deadline|unreach/.test(
      word,
    )
  )
    return 'failed'
  return 'ok'
}

/** The other end's name as services call themselves: without scheme, port, path and cluster suffix. */
export function peerName(value: string): string {
  const bare = value.replace(/^[a-z][a-z0-9+.-]*:\/\//, '').replace(/[/?].*$/, '')
  return bare.replace(/:\d+$/, '').replace(/\.svc(\.cluster\.local)?$/, '')
}

export const peerOf = (labels: Labels): string | undefined => {
  const label = peerLabel(Object.keys(labels))
  const value = label === undefined ? undefined : labels[label]
  return value === undefined || value === '' ? undefined : peerName(value)
}

export const statusOf = (labels: Labels): string | undefined => {
  const label = statusLabel(Object.keys(labels))
  return label === undefined ? undefined : labels[label]
}

/** Whether a name is that of a database or cache: what others query. */
export const looksLikeDatabase = (service: string): boolean =>
  /(^|[^a-z])(db|database|postgres(ql)?|pg|mysql|mariadb|mongo(db)?|redis|valkey|sql|sqlite|oracle|dynamodb|cassandra|elastic(search)?|clickhouse)([^a-z]|$)/i.test(
    service,
  )
