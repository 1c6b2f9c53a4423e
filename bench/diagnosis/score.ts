// How good answers are: accuracy at k, accuracy of the kind, and whether the stated confidence is what it says. Where an answer
// abstains, what it would look at next counts as its ranking, with the confidence that it states for it.
import type { Diagnosis } from '../../src/diagnosis/case.ts'
import { kindsOf, type Truth } from './sets.ts'

export interface Scored {
  /** Of the guilty service, from 0; -1 when it was not ranked. */
  readonly place: number
  readonly abstained: boolean
  /** Of the first name given; 0 when it abstained. */
  readonly confidence: number
  /** Undefined where the truth does not say, or another service was named. */
  readonly kindRight: boolean | undefined
  readonly tookMs: number
}

export function scoreAnswer({ causes, leads, abstained }: Diagnosis, truth: Truth, tookMs: number): Scored {
  const ranked = [...causes, ...leads]
  const place = ranked.findIndex(({ service }) => service === truth.service)
  const kinds = kindsOf(truth)
  const [first] = ranked
  return {
    place,
    abstained,
    confidence: causes[0]?.confidence ?? 0,
    kindRight: kinds === undefined || place !== 0 || !first ? undefined : kinds.includes(first.kind),
    tookMs,
  }
}

export function accuracyOf(places: readonly number[]) {
  const at = (k: number): number => places.filter((place) => place >= 0 && place < k).length / places.length
  const average = [1, 2, 3, 4, 5].reduce((sum, k) => sum + at(k), 0) / 5
  return { 'AC@1': at(1).toFixed(2), 'AC@3': at(3).toFixed(2), 'Avg@5': average.toFixed(2) }
}

export function summarise(all: readonly Scored[]) {
  const kinds = all.flatMap(({ kindRight }) => kindRight ?? [])
  const given = all.filter(({ abstained }) => !abstained)
  const bold = given.filter(({ confidence }) => confidence >= 0.8)
  const mean = given.reduce((sum, { confidence }) => sum + confidence, 0) / Math.max(1, given.length)
  const took = all.reduce((sum, { tookMs }) => sum + tookMs, 0) / Math.max(1, all.length)
  return {
    ...accuracyOf(all.map(({ place }) => place)),
    kind: kinds.length === 0 ? '' : (kinds.filter(Boolean).length / kinds.length).toFixed(2),
    abstained: all.length - given.length,
    confidence: mean.toFixed(2),
    ECE: calibrationError(given).toFixed(2),
    'right of those at 0.8':
      bold.length === 0 ? '' : `${bold.filter(({ place }) => place === 0).length}/${bold.length}`,
    's/case': (took / 1000).toFixed(2),
  }
}

const BINS = [0, 0.2, 0.4, 0.6, 0.8, 1.001] as const

/** Expected calibration error: Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities …", AAAI 2015. */
function calibrationError(given: readonly Scored[]): number {
  return (
    binned(given).reduce((sum, { count, stated, right }) => sum + count * Math.abs(stated - right), 0) /
    Math.max(1, given.length)
  )
}

/** Answers by stated confidence: how many, what they stated on average, and how many of them were right. */
export function binned(given: readonly Scored[]) {
  return BINS.slice(1).map((until, i) => {
    const from = BINS[i] ?? 0
    const inside = given.filter(({ abstained, confidence }) => !abstained && confidence >= from && confidence < until)
    const count = inside.length
    const stated = inside.reduce((sum, { confidence }) => sum + confidence, 0) / Math.max(1, count)
    const right = inside.filter(({ place }) => place === 0).length / Math.max(1, count)
    return { from, until: Math.min(1, until), count, stated, right }
  })
}
