// Who works off which queue, told from metrics that count jobs by queue. A queue depends on its consumers, although it is they
// who call it: the failure runs against the calls.
import type { Edge } from '../core/telemetry.ts'
import type { Signal } from './service-signals.ts'

/** `caller` is the service that holds the queue, `callee` a service that works it off. */
export function findConsumers(signals: readonly Signal[], edges: readonly Edge[]): Edge[] {
  const holders = new Map<string, Set<string>>()
  for (const { role, service, labels } of signals) {
    if (role !== 'queue_depth' && role !== 'queue_age') continue
    const queue = labels['queue'] ?? labels['topic']
    if (queue === undefined) continue
    const known = holders.get(queue)
    if (known) known.add(service)
    else holders.set(queue, new Set([service]))
  }
  const calls = new Set(edges.map(({ caller, callee }) => `${caller}\u0000${callee}`))
  return signals.flatMap(({ role, service, labels }) => {
    const queue = labels['queue'] ?? labels['topic']
    if (role !== 'jobs' || queue === undefined) return []
    return [...(holders.get(queue) ?? [])]
      .filter((holder) => holder !== service && calls.has(`${service}\u0000${holder}`))
      .map((holder) => ({ caller: holder, callee: service }))
  })
}
