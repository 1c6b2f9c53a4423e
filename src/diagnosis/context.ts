// What the rules reason over: one case, read once, with the questions they ask of it.
import type { Change } from '../core/telemetry.ts'
import type { Anomaly, Window } from './anomalies.ts'
import type { Blame } from './blame.ts'
import type { CallFlow } from './count-flow.ts'
import type { Load } from './load.ts'
import type { Loss } from './loss.ts'
import type { LogFinding } from './log-evidence.ts'
import type { BrokenFlow } from './log-flow.ts'
import type { NetworkTrouble } from './network.ts'
import type { Signal, SignalRole } from './service-signals.ts'
import type { Topology } from './topology.ts'

export interface Context {
  readonly window: Window
  readonly topology: Topology
  readonly blame: Blame
  readonly signals: readonly Signal[]
  readonly anomalies: readonly Anomaly[]
  readonly byService: ReadonlyMap<string, readonly Anomaly[]>
  readonly loads: ReadonlyMap<string, Load>
  readonly network: ReadonlyMap<string, NetworkTrouble>
  /** How much users feel of errors and of lateness, 0 to 1, where the alerts point. */
  readonly felt: { readonly errors: number; readonly latency: number }
  /** Time lost at the alerted services. */
  readonly loss: Loss
  readonly logs: readonly LogFinding[]
  /** Services that write lines, now or in the healthy time. */
  readonly writers: ReadonlySet<string>
  /** Services whose lines do not arrive at all. */
  readonly silent: ReadonlySet<string>
  /** Lines that are missing beside those they go with. */
  readonly flows: readonly BrokenFlow[]
  /** Calls that are missing beside those they go with. */
  readonly callFlows: readonly CallFlow[]
  readonly changes: readonly Change[]
  /** When users began to feel it; the alert's time when no series says. */
  readonly onsetMs: number
  /** Where the alerts point. */
  readonly alerted: ReadonlySet<string>
  /** Calls away from the alerted services. */
  readonly distance: ReadonlyMap<string, number>
  /** Providers of models, by the names their labels give. */
  readonly providers: ReadonlySet<string>
  /** The services whose queues a service works off. */
  readonly queuesOf: ReadonlyMap<string, readonly string[]>
  /** Host names and the services that they stand for: what is seen there is how callers see the service. */
  readonly addresses: ReadonlyMap<string, string>
  /** Names that only observe, and are never a cause. */
  readonly observers: ReadonlySet<string>
  /** How many signals of each role a service has. */
  readonly signalCounts: ReadonlyMap<string, ReadonlyMap<SignalRole, number>>
  /** Services with series of their own. */
  readonly observed: ReadonlySet<string>
}

/** The strongest anomaly of a service in these roles. */
export function worstOf(context: Context, service: string, ...roles: readonly SignalRole[]): Anomaly | undefined {
  let worst: Anomaly | undefined
  for (const one of context.byService.get(service) ?? []) {
    if (!roles.includes(one.signal.role)) continue
    if (!worst || one.strength > worst.strength) worst = one
  }
  return worst
}

/** How much anybody suffers from a service: its own symptoms and what its callers hold against it, unexplained, 0 to 1. */
export function painOf(context: Context, service: string): number {
  const { share } = context.blame.explained(service)
  return Math.max(context.blame.symptom(service), context.blame.accused(service).strength) * (1 - 0.8 * share)
}

/** How much more work a service has from outside, 0 to 1; retries and other work that callers make do not count. */
export function loaded(context: Context, service: string): number {
  const load = context.loads.get(service)
  return !load || load.origin === 'made by a caller' ? 0 : load.rise.strength
}
