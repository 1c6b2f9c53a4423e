// Tries to refute a diagnosis: a cause moves before its victims or with them, and it stands clear of the next best.
// What speaks against it is said and costs confidence; a cause that came clearly after its victims is given up.
import { findAnomaly } from '../../diagnosis/anomalies.ts'
import type { Cause } from '../../diagnosis/evidence.ts'
import type { Signal, SignalRole } from '../../diagnosis/service-signals.ts'
import { firstAt, type Track } from '../../diagnosis/stats.ts'
import { duration } from './sentence.ts'
import type { Window } from './state.ts'

export interface Challenge {
  readonly causes: readonly Cause[]
  /** Set when the leading cause did not survive. */
  readonly givenUp: { readonly service: string; readonly reason: string } | null
  /** What would settle what is now in doubt. */
  readonly missing: readonly string[]
}

/** What users and callers feel: the signals in which a victim shows. */
const PAIN: ReadonlySet<SignalRole> = new Set(['errors', 'error_rate', 'latency', 'availability', 'up'])

/** Onsets closer than this many steps are the same moment, seen through scrape intervals and rate windows. */
const SAME_MOMENT_STEPS = 3
/** A victim this many times as early again refutes instead of merely raising a doubt. */
const CLEARLY_EARLIER_FACTOR = 3
/** As strong as this is hurt. */
const HURT = 0.3
/** How long before the alert an onset can belong to it. */
const NEAR_MS = 10 * 60_000
const DOUBT = 0.85
/** A second cause of another service this close to the first has to be told apart. */
const CLOSE = 0.85

/** `signals` are everybody's over the window; `victims` the services that hurt, without the cause. */
export function refute(
  causes: readonly Cause[],
  signals: readonly Signal[],
  victims: readonly string[],
  window: Window,
): Challenge {
  const [leading, ...others] = causes
  if (!leading) return { causes: [], givenUp: null, missing: [] }
  const missing: string[] = []
  let { confidence } = leading

  const earlier = earliestVictim(signals, victims, leading.service, window)
  if (earlier && leading.onset !== null) {
    const leadMs = leading.onset - earlier.onsetMs
    const same = SAME_MOMENT_STEPS * window.stepMs
    if (leadMs > CLEARLY_EARLIER_FACTOR * same) {
      const reason = `${earlier.service} was hurt ${duration(leadMs)} before anything moved at ${leading.service}`
      return { causes: others, givenUp: { service: leading.service, reason }, missing: [whyEarlier(earlier.service)] }
    }
    if (leadMs > same) {
      confidence *= DOUBT
      missing.push(whyEarlier(earlier.service))
    }
  }
  const rival = others.find(({ service }) => service !== leading.service)
  if (rival && rival.confidence >= CLOSE * leading.confidence) {
    confidence *= DOUBT
    missing.push(
      `a look at ${rival.service}, which explains it almost as well (${Math.round(rival.confidence * 100)} % against ${Math.round(leading.confidence * 100)} %)`,
    )
  }
  return {
    causes: [{ ...leading, confidence: Math.round(confidence * 1000) / 1000 }, ...others],
    givenUp: null,
    missing,
  }
}

const whyEarlier = (service: string): string => `what happened at ${service} first`

interface Hurt {
  readonly service: string
  readonly onsetMs: number
}

/** When the first of the victims began to hurt, as far as its own signals tell. */
function earliestVictim(
  signals: readonly Signal[],
  victims: readonly string[],
  cause: string,
  window: Window,
): Hurt | undefined {
  let first: Hurt | undefined
  // The first part of the window is its normal: an onset is looked for near the alert only.
  const sinceMs = Math.max(window.alertAtMs - NEAR_MS, (window.fromMs + window.alertAtMs) / 2)
  const quiet = (track: Track): Float64Array => track.values.subarray(0, firstAt(track, sinceMs))
  for (const signal of signals) {
    const { service, peer, role, track } = signal
    if (service === cause || peer !== undefined || !victims.includes(service) || !PAIN.has(role)) continue
    if (quiet(track).length < 4) continue
    // Beyond its noise is not yet hurt: a quiet percentile strays by some milliseconds all the time.
    const found = findAnomaly(signal, window, quiet)
    if (found && found.strength >= HURT && (!first || found.onsetMs < first.onsetMs))
      first = { service, onsetMs: found.onsetMs }
  }
  return first
}
