// Which signals left their normal range around the alert, by how much, and since when. "How much" is a strength from 0 to 1
// that asks for both: far beyond noise (robust z, as in BARO: Pham et al., FSE 2024) and large enough to matter for what
// the signal is (a 2 % rise of latency can be ten sigma and is still nothing).
import { findExcursion } from './onset.ts'
import type { Signal, SignalRole } from './service-signals.ts'
import { clamp, normalOf, quantileOf, sortedSample, trendOf, valuesBetween, type Normal, type Track } from './stats.ts'

export interface Anomaly {
  readonly signal: Signal
  /** Robust centre before, and level since the onset. */
  readonly before: number
  readonly after: number
  readonly direction: 1 | -1
  /** 0 to 1. */
  readonly strength: number
  readonly onsetMs: number
}

/** How much users lose where the alerts point, as a share of requests; what is as large as that is a plain fault. */
export interface Yardstick {
  readonly errors: number
}

/** For want of anything felt. */
const PLAIN_YARDSTICK: Yardstick = { errors: 0.15 }

export interface Window {
  readonly fromMs: number
  readonly alertAtMs: number
  readonly toMs: number
  readonly stepMs: number
}

interface Measure {
  /** In which direction it is trouble; 0 is either. */
  readonly bad: 1 | -1 | 0
  /** Deviations smaller than this are never counted as one scale: in the signal's unit, and relative to its centre. */
  readonly floor: number
  readonly relativeFloor: number
  /** 1 is a plain fault. */
  readonly effect: (before: number, after: number, unit: string, yard: Yardstick) => number
  /** Rises step by step, so that its latest level says more than its median since the onset. */
  readonly grows?: true
  /** Where no normal is known, this is it. */
  readonly unknownBefore?: number
}

const share = (before: number, after: number, _unit: string, yard: Yardstick) => Math.abs(after - before) / yard.errors
const difference = (full: number) => (before: number, after: number) => Math.abs(after - before) / full
const fold =
  (full: number, ground = 0) =>
  (before: number, after: number) =>
    before + ground <= 0 && after + ground <= 0
      ? 0
      : Math.abs(Math.log((Math.max(after, 0) + ground + 1e-12) / (Math.max(before, 0) + ground + 1e-12))) /
        Math.log(full)
/** Close to full is trouble whatever it was before; far from full never is. */
const filling = (before: number, after: number) => (after <= before ? 0 : clamp((after - 0.7) / 0.22, 0, 1.5))
const cpuEffect = (before: number, after: number, unit: string) =>
  Math.min(fold(2.5)(before, after), unit === 'cores' ? (after - before) / 0.25 : Number.POSITIVE_INFINITY)

/** A few milliseconds of lag are nothing, however quiet the loop was before. */
const lagEffect = (before: number, after: number, unit: string) =>
  Math.min(fold(6)(before, after), unit === 's' ? after / 0.1 : unit === 'ms' ? after / 100 : Number.POSITIVE_INFINITY)

const MEASURES: Readonly<Record<SignalRole, Measure>> = {
  up: { bad: -1, floor: 0.05, relativeFloor: 0.05, effect: difference(0.5) },
  errors: { bad: 1, floor: 0.01, relativeFloor: 0.1, effect: share, unknownBefore: 0 },
  error_rate: { bad: 1, floor: 0.02, relativeFloor: 0.2, effect: fold(4, 0.1), unknownBefore: 0 },
  availability: {
    bad: -1,
    floor: 0,
    relativeFloor: 0.01,
    effect: (before, after, _unit, yard) => (before - after) / before / yard.errors,
  },
  latency: { bad: 1, floor: 0, relativeFloor: 0.12, effect: fold(3) },
  requests: { bad: 0, floor: 0, relativeFloor: 0.12, effect: fold(2.2) },
  client_errors: { bad: 1, floor: 0.01, relativeFloor: 0.1, effect: share, unknownBefore: 0 },
  client_refused: { bad: 1, floor: 0.01, relativeFloor: 0.1, effect: share, unknownBefore: 0 },
  client_rejected: { bad: 1, floor: 0.01, relativeFloor: 0.1, effect: share, unknownBefore: 0 },
  client_latency: { bad: 1, floor: 0, relativeFloor: 0.12, effect: fold(3) },
  client_requests: { bad: 0, floor: 0, relativeFloor: 0.12, effect: fold(2.2) },
  edge_gap: { bad: 1, floor: 0, relativeFloor: 0.15, effect: fold(3) },
  peer_latency: { bad: 1, floor: 0, relativeFloor: 0.12, effect: fold(3) },
  cpu: { bad: 1, floor: 0, relativeFloor: 0.1, effect: cpuEffect },
  memory: { bad: 1, floor: 0, relativeFloor: 0.03, effect: fold(1.6), grows: true },
  event_loop: { bad: 1, floor: 0, relativeFloor: 0.3, effect: lagEffect },
  pool_use: { bad: 1, floor: 0.04, relativeFloor: 0.05, effect: filling },
  pool_waiting: { bad: 1, floor: 0.4, relativeFloor: 0.2, effect: fold(5, 0.5), unknownBefore: 0 },
  queue_depth: { bad: 1, floor: 1.5, relativeFloor: 0.2, effect: fold(6, 5), grows: true },
  queue_age: { bad: 1, floor: 0.5, relativeFloor: 0.2, effect: fold(6, 1), grows: true },
  jobs: { bad: 0, floor: 0, relativeFloor: 0.12, effect: fold(2.2) },
  job_errors: { bad: 1, floor: 0.01, relativeFloor: 0.1, effect: share, unknownBefore: 0 },
  disk_use: { bad: 1, floor: 0.01, relativeFloor: 0.01, effect: filling, grows: true },
  credential_left: { bad: -1, floor: 0, relativeFloor: 0.1, effect: () => 0 },
  database_latency: { bad: 1, floor: 0, relativeFloor: 0.12, effect: fold(3) },
  inflight: { bad: 1, floor: 1, relativeFloor: 0.2, effect: fold(6, 1) },
  restarts: { bad: 1, floor: 0.001, relativeFloor: 0.2, effect: fold(4, 0.01) },
  provider_errors: { bad: 1, floor: 0.01, relativeFloor: 0.1, effect: share, unknownBefore: 0 },
  provider_state: { bad: 1, floor: 0.05, relativeFloor: 0.1, effect: difference(0.5), unknownBefore: 0 },
  provider_latency: { bad: 1, floor: 0, relativeFloor: 0.12, effect: fold(3) },
  node: { bad: 1, floor: 0, relativeFloor: 0.12, effect: fold(4) },
  other: { bad: 0, floor: 0, relativeFloor: 0.15, effect: fold(4) },
}

/** Fewer points than this know no normal of their own. */
const FEW = 4

/**
 * The anomaly of one signal, or undefined when it stayed normal. `quiet` picks the values that its normal is taken from;
 * `reference` is the same signal at a healthy time elsewhere, and is preferred when it has more to say. With a reference
 * the signal should also have moved within the case: a system that is merely different today is not failing.
 */
export function findAnomaly(
  signal: Signal,
  window: Window,
  quiet: (track: Track) => Float64Array,
  reference?: Track,
  yard: Yardstick = PLAIN_YARDSTICK,
): Anomaly | undefined {
  const measure = scaled(MEASURES[signal.role], signal.role, yard)
  if (signal.role === 'credential_left') return expiry(signal, window)
  const values = quiet(signal.track)
  const known = reference && reference.values.length >= Math.max(FEW, values.length) ? reference : undefined
  const normal = known ? normalOf(known.values) : normalFor(measure, values)
  if (!normal) return undefined
  let worst: Anomaly | undefined
  for (const direction of measure.bad === 0 ? ([1, -1] as const) : [measure.bad]) {
    const began = known ? beganAt(signal.track, normal, direction, window) : undefined
    const found = began
      ? stronger(
          measureFrom(signal, window, measure, began, direction, yard),
          discount(measureFrom(signal, window, measure, normal, direction, yard), normal),
        )
      : measureFrom(signal, window, measure, normal, direction, yard)
    if (found) worst = stronger(worst, found)
  }
  return worst && worst.strength >= LEAST ? worst : undefined
}

/**
 * Whether a case lies within the middle half of a healthy time on the side that would be trouble: then nothing is wrong with
 * it, and nothing else has to be worked out. Leaving out less than a quarter of the healthy time could not change that.
 */
export function isOrdinary(signal: Signal, reference: Track): boolean {
  const { bad } = MEASURES[signal.role]
  if (signal.role === 'credential_left' || reference.values.length < 4 * Math.max(FEW, signal.track.values.length))
    return false
  const { low, high } = middleOf(reference)
  return signal.track.values.every((value) => (bad === 1 || value >= low) && (bad === -1 || value <= high))
}

const middles = new WeakMap<Track, { low: number; high: number }>()

/** The quartiles, worked out once. */
function middleOf(track: Track): { low: number; high: number } {
  const known = middles.get(track)
  if (known) return known
  const sorted = sortedSample(track.values)
  const middle = { low: quantileOf(sorted, 0.25), high: quantileOf(sorted, 0.75) }
  middles.set(track, middle)
  return middle
}

/** Weaker than this is not worth a sentence. */
const LEAST = 0.08

const stronger = (a: Anomaly | undefined, b: Anomaly | undefined): Anomaly | undefined =>
  (b?.strength ?? 0) > (a?.strength ?? 0) ? b : a

/** Where little is felt, little counts: deviations far below what users lose are never one scale. */
function scaled(measure: Measure, role: SignalRole, yard: Yardstick): Measure {
  const { errors } = yard
  if (role === 'availability') return { ...measure, relativeFloor: errors / 15 }
  return measure.effect === share ? { ...measure, floor: errors / 15 } : measure
}

function measureFrom(
  signal: Signal,
  window: Window,
  measure: Measure,
  normal: Normal,
  direction: 1 | -1,
  yard: Yardstick,
): Anomaly | undefined {
  const scale = Math.max(normal.scale, measure.floor, measure.relativeFloor * Math.abs(normal.centre), 1e-12)
  const sinceMs = window.alertAtMs - Math.max(4 * window.stepMs, 0.05 * (window.alertAtMs - window.fromMs))
  const found = findExcursion(signal.track, normal, scale, direction, sinceMs)
  if (!found) return undefined
  const since = sortedSample(valuesBetween(signal.track, found.onsetMs, found.untilMs + 1))
  const level = measure.grows ? 0.9 : 0.6
  const after = quantileOf(since, direction === 1 ? level : 1 - level)
  // A small deviation that stays is as telling as a large one that has just begun.
  const patience = Math.sqrt(clamp(since.length, 3, 12) / 3)
  const far = clamp(((Math.abs(after - normal.centre) / scale) * patience - 2) / 3, 0, 1)
  const large = clamp(measure.effect(normal.centre, after, signal.unit, yard), 0, 1)
  const usual = clamp(beyondUsual(after, normal, direction) / 0.6, 0, 1)
  // What began after the alert is not what raised it.
  const late = found.onsetMs > window.alertAtMs + 2 * window.stepMs ? 0.4 : 1
  const strength = far * large * usual * late
  return { signal, before: normal.centre, after, direction, strength, onsetMs: found.onsetMs }
}

/** The reference's normal moved to where the case itself began, if that is already off towards trouble. */
function beganAt(track: Track, normal: Normal, direction: 1 | -1, window: Window): Normal | undefined {
  const own = valuesBetween(track, Number.NEGATIVE_INFINITY, window.alertAtMs - window.stepMs / 2)
  if (own.length < 2) return undefined
  // Half of these few may already belong to the incident: the quieter half speaks.
  const centre = quantileOf(sortedSample(own), direction === 1 ? 0.35 : 0.65)
  return direction * (centre - normal.centre) > 0 ? { ...normal, centre } : undefined
}

/** What was off from the case's first point on may be an older story: believed as far as no quiet day comes near it. */
function discount(found: Anomaly | undefined, normal: Normal): Anomaly | undefined {
  if (!found) return undefined
  const belief = clamp(0.2 + beyondUsual(found.after, normal, found.direction) / 15, 0, 1)
  return { ...found, strength: found.strength * belief }
}

/**
 * How far a level lies beyond what quiet times reach by themselves (their 2nd or 98th percentile), in units of how far those
 * reach; infinite where they never stray, or where too few points are known to say.
 */
function beyondUsual(after: number, normal: Normal, direction: 1 | -1): number {
  if (normal.count < 20) return Number.POSITIVE_INFINITY
  const edge = direction === 1 ? normal.high : normal.low
  const room = Math.abs(edge - normal.centre)
  return room <= 0 ? Number.POSITIVE_INFINITY : (direction * (after - edge)) / room
}

function normalFor(measure: Measure, values: Float64Array): Normal | undefined {
  if (values.length >= FEW) return normalOf(values)
  const { unknownBefore } = measure
  if (unknownBefore === undefined) return undefined
  return { centre: unknownBefore, scale: measure.floor, low: unknownBefore, high: unknownBefore, count: 0 }
}

/** A credential is trouble from the moment it runs out, and not before. */
function expiry(signal: Signal, window: Window): Anomaly | undefined {
  const { times, values } = signal.track
  const last = values.length - 1
  const left = values[last]
  if (left === undefined || left > 0) return undefined
  const onsetMs = (times[last] ?? window.toMs) + left * 1000
  const before = values[0] ?? left
  return { signal, before, after: left, direction: -1, strength: 1, onsetMs: Math.max(onsetMs, window.fromMs) }
}

/** Whether a rise goes on until the end: memory that leaks, a queue that grows, a disk that fills. */
export function keepsRising(anomaly: Anomaly): boolean {
  const { track } = anomaly.signal
  return trendOf(valuesBetween(track, anomaly.onsetMs, Number.POSITIVE_INFINITY)) > 0.5
}

/** What is felt at the alerted services: first looked at closely, then the measure for everything else. */
export function yardstickFrom(felt: readonly Anomaly[]): Yardstick {
  const lost = felt.map(({ signal, before, after }) => {
    if (signal.role === 'errors' && signal.unit === 'ratio') return after - before
    return signal.role === 'availability' && before > 0 ? (before - after) / before : 0
  })
  const most = Math.max(0, ...lost)
  // Alerts without anything to see: whatever it is, it is small.
  return most === 0 ? { errors: 0.05 } : { errors: clamp(most, CLOSE.errors, PLAIN_YARDSTICK.errors) }
}

/** How closely the alerted services are looked at. */
export const CLOSE: Yardstick = { errors: 0.01 }
