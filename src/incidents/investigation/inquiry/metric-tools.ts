// What the numbers say, as rows: each series of a service before and after the incident's begin, how far it moved against
// how far it strays on a quiet day, and its extremes with their times.
import type { Diagnosis } from '../../../diagnosis/case.ts'
import { readSignals, type Signal } from '../../../diagnosis/service-signals.ts'
import { decimate, firstAt, median, normalOf } from '../../../diagnosis/stats.ts'
import type { Readings } from '../read.ts'
import { timeOfDay } from '../sentence.ts'
import type { Window } from '../state.ts'
import type { Found } from './claim-ref.ts'

const MAX_POINTS = 120
/** Of `list_anomalies`. */
const MOST_ROWS = 200
/** A move of this many quiet-day deviations is as strong as it gets. */
const STRONGEST = 12
/** Less than this share of a move is nothing, however quiet the series was. */
const LEAST_SHARE = 0.15
const ANOMALOUS = 0.25

export interface SeriesAsked {
  readonly readings: Readings
  readonly diagnosis: Diagnosis
  readonly window: Window
}

const signalsOf = new WeakMap<Readings, readonly Signal[]>()

/** Read once for all the questions about them. */
export function signalsIn(readings: Readings): readonly Signal[] {
  const known = signalsOf.get(readings)
  if (known) return known
  const signals = readSignals(readings.series)
  signalsOf.set(readings, signals)
  return signals
}

/** What left its normal range, strongest first. */
export function listAnomalies(asked: SeriesAsked, service: string | null): Found[] {
  return signalsIn(asked.readings)
    .filter((one) => service === null || one.service === service || one.peer === service)
    .flatMap((one) => rowOf(one, asked) ?? [])
    .filter(({ strength }) => strength >= ANOMALOUS)
    .sort((a, b) => b.strength - a.strength || (a.text < b.text ? -1 : 1))
    .slice(0, MOST_ROWS)
}

/** Every series of a service whose name has these letters in it, moved or not. */
export function querySeries(asked: SeriesAsked, service: string | null, metric: string | null): Found[] {
  const wanted = (metric ?? '').toLowerCase()
  return signalsIn(asked.readings)
    .filter((one) => service === null || one.service === service || one.peer === service)
    .filter((one) => `${one.metric} ${one.name} ${one.role}`.toLowerCase().includes(wanted))
    .flatMap((one) => rowOf(one, asked) ?? [])
    .sort((a, b) => b.strength - a.strength || (a.text < b.text ? -1 : 1))
    .slice(0, MOST_ROWS)
}

function rowOf(signal: Signal, { diagnosis, window }: SeriesAsked): Found | undefined {
  const onsetMs = Math.min(diagnosis.onsetMs ?? window.alertAtMs, window.alertAtMs)
  const { track } = signal
  const from = firstAt(track, window.fromMs)
  const split = firstAt(track, onsetMs)
  const quiet = track.values.subarray(from, split)
  const later = track.values.subarray(split)
  if (later.length === 0 || quiet.length < 4) return undefined
  const normal = normalOf(quiet)
  const after = median(later)
  const move = after - normal.centre
  const scale = Math.max(normal.scale, LEAST_SHARE * Math.abs(normal.centre), 1e-9)
  const strength = Math.min(1, Math.abs(move) / scale / STRONGEST)
  const shown = { times: track.times.subarray(from), values: track.values.subarray(from) }
  const whom = signal.peer === undefined ? signal.service : `${signal.service} to ${signal.peer}`
  const unit = signal.unit === '' ? '' : ` ${signal.unit}`
  const [low, high] = extremes(shown)
  return {
    text: `${signal.name} of ${whom}: ${number(normal.centre)}${unit} before, ${number(after)}${unit} since ${timeOfDay(onsetMs)} (lowest ${number(low.value)} at ${timeOfDay(low.at)}, highest ${number(high.value)} at ${timeOfDay(high.at)})`,
    service: signal.peer ?? signal.service,
    strength: Math.round(strength * 100) / 100,
    ref: {
      kind: 'series',
      service: signal.service,
      metric: signal.metric,
      labels: { ...signal.labels },
      query: signal.query,
      unit: signal.unit,
      fromMs: shown.times[0] ?? window.fromMs,
      toMs: shown.times.at(-1) ?? window.toMs,
      onsetMs,
      before: normal.centre,
      after,
      points: decimate(shown, MAX_POINTS),
    },
  }
}

interface Extreme {
  readonly at: number
  readonly value: number
}

function extremes({ times, values }: Signal['track']): [Extreme, Extreme] {
  let [low, high] = [0, 0]
  for (let i = 1; i < values.length; i++) {
    if ((values[i] ?? 0) < (values[low] ?? 0)) low = i
    if ((values[i] ?? 0) > (values[high] ?? 0)) high = i
  }
  const at = (i: number): Extreme => ({ at: times[i] ?? 0, value: values[i] ?? 0 })
  return [at(low), at(high)]
}

const number = (value: number): string => String(Number(value.toPrecision(3)))
