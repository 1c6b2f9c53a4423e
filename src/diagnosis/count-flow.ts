// The proportions of calls: how many calls of one kind go with how many of another, in a healthy time and in the incident, told
// from counts of spans and of calls on edges. What log lines show of a broken way, counts show too.
import type { LogRow, LogTable } from './log-table.ts'
import type { Window } from './anomalies.ts'
import { findBrokenFlows, type BrokenFlow } from './log-flow.ts'
import type { Signal } from './service-signals.ts'
import type { Track } from './stats.ts'

/** A broken way, with the calls that it was told from. */
export interface CallFlow extends BrokenFlow {
  readonly signal: Signal
}

/** Where calls are missing beside the calls that they go with. */
export function findCallFlows(
  signals: readonly Signal[],
  healthyOf: (signal: Signal) => Track | undefined,
  window: Window,
  callersOf: (service: string) => readonly string[],
): CallFlow[] {
  const table = tabulateCounts(signals, healthyOf, window)
  if (!table) return []
  return findBrokenFlows(table, [], callersOf).flatMap((flow) => {
    const signal = table.signalOf.get(`${flow.service}\u0000${flow.template}`)
    return signal ? [{ ...flow, signal }] : []
  })
}

/** Counts of calls beside those of a healthy time, in windows of one step. Undefined without a healthy time. */
function tabulateCounts(
  signals: readonly Signal[],
  healthyOf: (signal: Signal) => Track | undefined,
  window: Window,
): (LogTable & { readonly signalOf: ReadonlyMap<string, Signal> }) | undefined {
  const counted = signals.filter(
    ({ role, metric }) => (role === 'requests' || role === 'client_requests') && /count/.test(metric),
  )
  const times = new Set<number>()
  for (const one of counted) for (const time of healthyOf(one)?.times ?? []) times.add(time)
  const order = new Map([...times].sort((a, b) => a - b).map((time, w) => [time, w] as const))
  if (order.size === 0) return undefined
  const signalOf = new Map<string, Signal>()
  const rows = counted.flatMap((one): LogRow[] => {
    const past = healthyOf(one)
    if (!past) return []
    const healthy = new Float64Array(order.size)
    for (const [i, time] of past.times.entries()) healthy[order.get(time) ?? 0] = past.values[i] ?? 0
    const before = past.values.reduce((sum, value) => sum + value, 0)
    const count = one.track.values.reduce((sum, value) => sum + value, 0)
    const template = one.peer === undefined ? (one.labels['operation'] ?? one.metric) : `calls to ${one.peer}`
    signalOf.set(`${one.service}\u0000${template}`, one)
    return [
      {
        service: one.service,
        template,
        level: 'info',
        healthy,
        before,
        count: Math.round(count),
        firstMs: 0,
        lines: [],
      },
    ]
  })
  return {
    rows,
    signalOf,
    silent: new Set(),
    healthyMs: order.size * window.stepMs,
    incidentMs: window.toMs - window.fromMs,
    windows: order.size,
    windowMs: window.stepMs,
  }
}
