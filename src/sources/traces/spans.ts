// From spans to what they say of services and of calls between them. A service is measured at its entry spans (those whose parent
// is another service's, or none): how many, how long, how long in itself. A call is a caller's client span and the callee's entry
// span under it: what the caller waited, what the callee worked, and what was lost between the two.
import type { Labels } from '../../core/telemetry.ts'

export interface Span {
  readonly id: string
  readonly parent: string | undefined
  readonly service: string
  readonly startMs: number
  readonly durationMs: number
  readonly failed: boolean
  /** The waiting for another's answer: that time is the other's. */
  readonly client: boolean
}

/** One number of one moment. */
export interface Measured {
  readonly metric: string
  readonly service: string
  readonly labels: Labels
  readonly atMs: number
  readonly value: number
}

/** Counts have the value 1 for each call; times are in ms. Spans of whole traces, each once. */
export function measure(spans: readonly Span[]): Measured[] {
  const byId = new Map(spans.map((span) => [span.id, span]))
  const children = Map.groupBy(
    spans.filter(({ parent }) => parent !== undefined),
    ({ parent }) => parent ?? '',
  )
  const measured: Measured[] = []
  for (const span of spans) {
    const { service, startMs: atMs, durationMs, failed } = span
    const add = (metric: string, value: number, of: string, labels: Labels = {}) =>
      measured.push({ metric, service: of, labels, atMs, value })
    if (!span.client) add('span_self_p95_ms', selfTime(span, children.get(span.id) ?? []), service)
    const parent = span.parent === undefined ? undefined : byId.get(span.parent)
    if (parent?.service === service) continue
    const status = failed ? 'error' : 'ok'
    add('span_count', 1, service, { status })
    add('span_p95_ms', durationMs, service)
    if (!parent) continue
    add('edge_count', 1, parent.service, { callee: service, status })
    add('edge_server_p95_ms', durationMs, parent.service, { callee: service })
    if (!parent.client) continue
    add('edge_client_p95_ms', parent.durationMs, parent.service, { callee: service })
    add('edge_gap_p95_ms', Math.max(0, parent.durationMs - durationMs), parent.service, { callee: service })
  }
  return measured
}

/** The span's time in which none of its children ran. */
function selfTime({ startMs, durationMs }: Span, children: readonly Span[]): number {
  const endMs = startMs + durationMs
  let covered = 0
  let reached = startMs
  for (const child of [...children].sort((a, b) => a.startMs - b.startMs)) {
    const from = Math.max(reached, child.startMs)
    const to = Math.min(endMs, child.startMs + child.durationMs)
    if (to > from) {
      covered += to - from
      reached = to
    }
  }
  return durationMs - covered
}
