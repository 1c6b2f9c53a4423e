// How much time a lateness costs, next to what users lose. Unusual is not the same as important: a callee that takes eight
// milliseconds instead of three is not why users wait for seconds.
import type { Anomaly } from './anomalies.ts'
import type { Signal, SignalRole } from './service-signals.ts'
import { clamp } from './stats.ts'

const LATENESS: ReadonlySet<SignalRole> = new Set([
  'latency',
  'client_latency',
  'database_latency',
  'peer_latency',
  'edge_gap',
  'provider_latency',
])

export interface Loss {
  /** Of the same measurement elsewhere, in its unit. */
  readonly byMeasure: ReadonlyMap<string, number>
  /** The most of any, where the unit is known; 0 when nothing is late. */
  readonly seconds: number
  /** How much a lateness counts when none is seen where the alerts point, 0 to 1. */
  readonly unseen: number
}

/** Seconds, or undefined for a unit that is not known to be time. */
export function inSeconds(value: number, unit: string): number | undefined {
  if (unit === 's') return value
  return unit === 'ms' ? value / 1000 : undefined
}

/** Signals with the same key measure the same thing in the same unit. */
const measureKey = (signal: Signal): string => [signal.metric, signal.as, signal.unit].join(' ')

/**
 * What these late signals, at the services that the alerts point at, have lost. `unseen` as in Loss: where lateness is
 * measured, is not there, and no alert speaks of it, lateness elsewhere is hardly why.
 */
export function lossOf(anomalies: readonly Anomaly[], unseen: number, everywhere: readonly Anomaly[] = []): Loss {
  const byMeasure = new Map<string, number>()
  let seconds = 0
  for (const { signal, before, after } of anomalies) {
    if (signal.role !== 'latency') continue
    const key = measureKey(signal)
    byMeasure.set(key, Math.max(byMeasure.get(key) ?? 0, after - before))
    seconds = Math.max(seconds, inSeconds(after - before, signal.unit) ?? 0)
  }
  return { byMeasure, seconds: seconds > 0 ? seconds : 0.5 * longest(everywhere), unseen }
}

/** The most that is lost anywhere, where it is plain: what is small beside it is beside the point. */
const longest = (anomalies: readonly Anomaly[]): number =>
  anomalies.reduce(
    (most, { signal, before, after, strength }) =>
      strength >= 0.5 && LATENESS.has(signal.role) ? Math.max(most, inSeconds(after - before, signal.unit) ?? 0) : most,
    0,
  )

/** 1 for a lateness that can be felt in what users lose, down to 0.15 for one that cannot; 1 when it cannot be said. */
export function matters(loss: Loss, { signal, before, after }: Anomaly): number {
  if (!LATENESS.has(signal.role)) return 1
  const same = loss.byMeasure.get(measureKey(signal))
  const [lost, here] =
    same === undefined ? [loss.seconds, inSeconds(after - before, signal.unit)] : [same, after - before]
  const felt = loss.byMeasure.size > 0 ? 1 : loss.unseen
  if (lost <= 0) return felt
  // A mean is set against a percentile here, and one call against many: a factor of six is no contradiction.
  return here === undefined ? felt : felt * clamp(here / (0.15 * lost), 0.15, 1)
}

/** How much of one lateness another can account for, 0 to 1; 1 when they cannot be compared. */
export function accountsForTime(whole: Anomaly | undefined, part: Anomaly | undefined): number {
  if (!whole || !part) return 1
  const sameUnit = whole.signal.unit === part.signal.unit
  const lost = sameUnit ? whole.after - whole.before : inSeconds(whole.after - whole.before, whole.signal.unit)
  const gained = sameUnit ? part.after - part.before : inSeconds(part.after - part.before, part.signal.unit)
  return lost === undefined || gained === undefined || lost <= 0 ? 1 : clamp(gained / (0.4 * lost), 0, 1)
}
