// What earlier cases may do to a ranking: little, and never unseen. Only what was confirmed (or said to be wrong) counts,
// the whole of it moves a score by at most MOST_SCORE, and it never makes a cause sure enough to act on that the evidence
// did not: a memory is no witness. Between near equals it can change which comes first, and so what is proposed to a person,
// and it can make one less sure than acting needs: both are shown.
import type { Cause } from '../../diagnosis/evidence.ts'
import type { FoundCase } from './find.ts'
import { sameCause } from './standing.ts'

/** Scores of causes that were named are 1.2 and more, and mostly 3 to 8: this decides between near equals alone. */
export const MOST_SCORE = 0.2
export const MOST_CONFIDENCE = 0.05
/** What a verified fix says for a cause, beside a person's word: that is 1. */
export const FIX_SAYS = 0.8

export interface Nudge {
  readonly service: string
  readonly kind: Cause['kind']
  /** What was added to the score and to the confidence; below 0 where cases speak against it. */
  readonly score: number
  readonly confidence: number
  /** The incidents whose cases did it, by number. */
  readonly because: readonly number[]
  /** Whether it changed the order of the causes. */
  readonly reordered: boolean
}

export interface Nudged {
  readonly causes: readonly Cause[]
  /** None where no case had a say. */
  readonly nudges: readonly Nudge[]
}

/** `found` as it was found. `actAbove` is the confidence that a cause needs to be acted on. */
export function nudge(causes: readonly Cause[], found: readonly FoundCase[], actAbove: number): Nudged {
  const moves = causes.map((cause) => moveOf(cause, found, actAbove))
  const moved = causes
    .map((cause, i) => ({ ...cause, ...moves[i]?.to, was: i }))
    .sort((a, b) => b.score - a.score || a.was - b.was)
  const nudges = moved.flatMap(({ service, kind, was }, now) => {
    const move = moves[was]
    return move && (move.by.score !== 0 || move.by.confidence !== 0)
      ? [{ service, kind, ...move.by, because: move.because, reordered: now !== was }]
      : []
  })
  return { causes: moved.map(({ was: _was, ...cause }) => cause), nudges }
}

function moveOf(cause: Cause, found: readonly FoundCase[], actAbove: number) {
  const because: number[] = []
  let push = 0
  for (const { case: one, standing, likeness } of found) {
    const said = sayOf(cause, one.cause, standing)
    if (said === 0) continue
    push += said * likeness
    because.push(one.number)
  }
  // One case alone moves it by most of what all together can: a hundred more are no better witnesses.
  const share = Math.tanh(push)
  const confidence = bounded(cause.confidence, cause.confidence + MOST_CONFIDENCE * share, actAbove)
  return {
    to: { score: round(cause.score + MOST_SCORE * share), confidence },
    by: { score: round(MOST_SCORE * share), confidence: round(confidence - cause.confidence) },
    because,
  }
}

function sayOf(cause: Cause, diagnosed: FoundCase['case']['cause'], standing: FoundCase['standing']): number {
  switch (standing.kind) {
    case 'confirmed': {
      if (sameCause(cause, standing.cause)) return 1
      return standing.diagnosisWrong && sameCause(cause, diagnosed) ? -1 : 0
    }
    case 'mended': {
      return sameCause(cause, standing.cause) ? FIX_SAYS : 0
    }
    case 'wrong': {
      return sameCause(cause, diagnosed) ? -1 : 0
    }
    case 'unconfirmed': {
      return 0
    }
  }
}

function bounded(was: number, wanted: number, actAbove: number): number {
  const highest = was < actAbove ? Math.max(was, actAbove - 0.001) : Math.max(was, 0.99)
  return round(Math.max(0, Math.min(wanted, highest)))
}

const round = (value: number): number => Math.round(value * 1000) / 1000
