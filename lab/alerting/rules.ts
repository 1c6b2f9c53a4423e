// The alert rules, the one source of truth: written out as a rules file where a real Prometheus runs, and evaluated by
// the embedded alerter otherwise. They know symptoms of any shop of HTTP services; they know nothing of what is broken.
import { stringify } from 'yaml'
import type { Labels } from '../../src/core/telemetry.ts'
import { type Condition, type Measure, toPromql } from './condition.ts'

export interface AlertRule {
  readonly name: string
  readonly condition: Condition
  /** Seconds the condition must hold before the alert fires. */
  readonly forSeconds: number
  /** Seconds it goes on firing after the condition ended, so that it does not flap. */
  readonly keepFiringSeconds: number
  readonly labels: Labels & { readonly severity: 'critical' | 'warning' }
  readonly annotations: Labels & { readonly summary: string }
}

/** How far back every rate looks. */
export const RATE_WINDOW_SECONDS = 15

const rate = (metric: string, match: Readonly<Record<string, string>> = {}): Measure => ({
  kind: 'rate',
  of: { metric, match },
  overSeconds: RATE_WINDOW_SECONDS,
})
const gauge = (metric: string, match: Readonly<Record<string, string>> = {}): Measure => ({
  kind: 'gauge',
  of: { metric, match },
})
const p95 = (metric: string): Measure => ({
  kind: 'quantile',
  of: { metric },
  q: 0.95,
  overSeconds: RATE_WINDOW_SECONDS,
})
const ratio = (part: Measure, whole: Measure): Measure => ({ kind: 'ratio', part, whole })

/** Below this a ratio of requests is chance: one in five seconds. */
const someTraffic = (metric: string) => ({ measure: rate(metric), is: '>', than: 0.2 }) as const

const FAILED = { status: '5..' }
const CALL_FAILED = { status: '5..|0|error|timeout|refused' }

export const ALERT_RULES: readonly AlertRule[] = [
  rule('HighErrorRatio', 'critical', 4, {
    condition: {
      when: { measure: ratio(rate('http_requests_total', FAILED), rate('http_requests_total')), is: '>', than: 0.05 },
      and: someTraffic('http_requests_total'),
    },
    summary: '{{ $labels.service }} fails {{ $value | humanizePercentage }} of its requests',
  }),
  rule('HighRouteErrorRatio', 'warning', 4, {
    condition: {
      by: ['route'],
      when: { measure: ratio(rate('http_requests_total', FAILED), rate('http_requests_total')), is: '>', than: 0.1 },
      and: someTraffic('http_requests_total'),
    },
    summary: '{{ $labels.service }} {{ $labels.route }} fails {{ $value | humanizePercentage }} of its requests',
  }),
  rule('HighInstanceErrorRatio', 'warning', 4, {
    condition: {
      by: ['instance'],
      when: { measure: ratio(rate('http_requests_total', FAILED), rate('http_requests_total')), is: '>', than: 0.1 },
      and: someTraffic('http_requests_total'),
    },
    summary: '{{ $labels.service }} on {{ $labels.instance }} fails {{ $value | humanizePercentage }} of its requests',
  }),
  rule('HighCallErrorRatio', 'warning', 4, {
    condition: {
      by: ['peer'],
      when: {
        measure: ratio(rate('http_client_requests_total', CALL_FAILED), rate('http_client_requests_total')),
        is: '>',
        than: 0.1,
      },
      and: someTraffic('http_client_requests_total'),
    },
    summary:
      'calls from {{ $labels.service }} to {{ $labels.peer }} fail: {{ $value | humanizePercentage }} of them in 15 s',
  }),
  rule('HighLatency', 'warning', 5, {
    condition: {
      when: { measure: p95('http_request_duration_seconds'), is: '>', than: 0.75 },
      and: someTraffic('http_requests_total'),
    },
    summary: '{{ $labels.service }} is slow: one request in twenty takes over {{ $value | humanizeDuration }}',
  }),
  rule('HighRouteLatency', 'warning', 5, {
    condition: {
      by: ['route'],
      when: { measure: p95('http_request_duration_seconds'), is: '>', than: 1 },
      and: someTraffic('http_requests_total'),
    },
    summary:
      '{{ $labels.service }} {{ $labels.route }} is slow: one request in twenty takes over {{ $value | humanizeDuration }}',
  }),
  rule('HighInstanceLatency', 'warning', 5, {
    condition: {
      by: ['instance'],
      when: { measure: p95('http_request_duration_seconds'), is: '>', than: 0.75 },
      and: someTraffic('http_requests_total'),
    },
    summary:
      '{{ $labels.service }} on {{ $labels.instance }} is slow: one request in twenty takes over {{ $value | humanizeDuration }}',
  }),
  rule('SlowCalls', 'warning', 5, {
    condition: {
      by: ['peer'],
      when: { measure: p95('http_client_request_duration_seconds'), is: '>', than: 0.75 },
      and: someTraffic('http_client_requests_total'),
    },
    summary:
      '{{ $labels.service }} waits long for {{ $labels.peer }}: over {{ $value | humanizeDuration }} in one call of twenty',
  }),
  // Prometheus hears of a target that was taken out up to five seconds late: that long it only looks down.
  rule('TargetDown', 'critical', 8, {
    condition: { by: ['instance'], when: { measure: gauge('up'), is: '==', than: 0 } },
    summary: '{{ $labels.service }} on {{ $labels.instance }} does not answer',
  }),
  rule('PoolExhausted', 'warning', 5, {
    condition: {
      by: ['instance'],
      when: {
        measure: ratio(gauge('db_pool_connections', { state: 'in_use' }), gauge('db_pool_max')),
        is: '>',
        than: 0.95,
      },
      and: { measure: gauge('db_pool_waiting'), is: '>', than: 0 },
    },
    summary: '{{ $labels.service }} uses {{ $value | humanizePercentage }} of its database connections',
  }),
  rule('PoolWaiting', 'warning', 5, {
    condition: { by: ['instance'], when: { measure: gauge('db_pool_waiting'), is: '>', than: 4 } },
    summary: '{{ $value | humanize }} requests of {{ $labels.service }} wait for a database connection',
  }),
  rule('SlowQueries', 'warning', 5, {
    condition: {
      by: ['query'],
      when: { measure: p95('db_query_duration_seconds'), is: '>', than: 0.4 },
      and: someTraffic('db_query_duration_seconds_count'),
    },
    summary:
      'the query {{ $labels.query }} of {{ $labels.service }} takes over {{ $value | humanizeDuration }} one time in twenty',
  }),
  rule('QueueBacklog', 'warning', 5, {
    condition: { by: ['queue'], when: { measure: gauge('queue_depth'), is: '>', than: 50 } },
    summary: '{{ $value | humanize }} jobs wait in the queue {{ $labels.queue }} of {{ $labels.service }}',
  }),
  rule('QueueOld', 'warning', 5, {
    condition: { by: ['queue'], when: { measure: gauge('queue_oldest_seconds'), is: '>', than: 10 } },
    summary:
      'the oldest job in the queue {{ $labels.queue }} of {{ $labels.service }} has waited {{ $value | humanizeDuration }}',
  }),
  rule('JobsFailing', 'warning', 4, {
    condition: {
      by: ['queue'],
      when: {
        measure: ratio(
          rate('queue_jobs_total', { result: 'failed|error|dead' }),
          rate('queue_jobs_total', { result: '.+' }),
        ),
        is: '>',
        than: 0.1,
      },
    },
    summary: 'jobs of the queue {{ $labels.queue }} of {{ $labels.service }} fail: {{ $value | humanizePercentage }}',
  }),
  rule('DiskAlmostFull', 'warning', 3, {
    condition: {
      by: ['instance', 'volume'],
      when: { measure: ratio(gauge('disk_free_bytes'), gauge('disk_size_bytes')), is: '<', than: 0.05 },
    },
    summary:
      'the volume {{ $labels.volume }} of {{ $labels.service }} has {{ $value | humanizePercentage }} of its space left',
  }),
  rule('CredentialExpired', 'critical', 2, {
    condition: {
      by: ['instance', 'credential'],
      when: {
        measure: { kind: 'until', of: { metric: 'credential_expiry_timestamp_seconds' } },
        is: '<',
        than: 0,
      },
    },
    summary: 'the credential {{ $labels.credential }} of {{ $labels.service }} has expired',
  }),
  rule('HighCpu', 'warning', 6, {
    condition: { by: ['instance'], when: { measure: rate('process_cpu_seconds_total'), is: '>', than: 0.6 } },
    summary: '{{ $labels.service }} on {{ $labels.instance }} uses {{ $value | humanizePercentage }} of a processor',
  }),
  rule('MemoryGrows', 'warning', 5, {
    condition: {
      by: ['instance'],
      when: {
        measure: { kind: 'growth', of: { metric: 'process_resident_memory_bytes' }, overSeconds: 30 },
        is: '>',
        than: 80_000_000,
      },
    },
    summary: '{{ $labels.service }} on {{ $labels.instance }} holds {{ $value | humanize1024 }}B more than 30 s ago',
  }),
  rule('EventLoopLag', 'warning', 5, {
    condition: { by: ['instance'], when: { measure: gauge('nodejs_eventloop_lag_seconds'), is: '>', than: 0.1 } },
    summary: '{{ $labels.service }} on {{ $labels.instance }} answers {{ $value | humanizeDuration }} late',
  }),
  rule('ModelErrors', 'warning', 4, {
    condition: {
      by: ['model'],
      when: { measure: ratio(rate('llm_errors_total'), rate('llm_requests_total')), is: '>', than: 0.1 },
    },
    summary:
      'the model {{ $labels.model }} fails {{ $value | humanizePercentage }} of the calls of {{ $labels.service }}',
  }),
]

function rule(
  name: string,
  severity: 'critical' | 'warning',
  forSeconds: number,
  { condition, summary }: { readonly condition: Condition; readonly summary: string },
): AlertRule {
  return { name, condition, forSeconds, keepFiringSeconds: 8, labels: { severity }, annotations: { summary } }
}

/** The same rules as a rules file of Prometheus (2.42 or later, for `keep_firing_for`). */
export function rulesFile(rules: readonly AlertRule[], intervalSeconds: number): string {
  const group = {
    name: 'shop',
    interval: `${intervalSeconds}s`,
    rules: rules.map(({ name, condition, forSeconds, keepFiringSeconds, labels, annotations }) => ({
      alert: name,
      expr: toPromql(condition),
      for: `${forSeconds}s`,
      keep_firing_for: `${keepFiringSeconds}s`,
      labels,
      annotations,
    })),
  }
  return stringify({ groups: [group] }, { lineWidth: 0 })
}
