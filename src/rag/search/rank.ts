// One ranking out of both halves: a sum of scores, each made comparable within the question (Bruch, Gai and Ingber, "An analysis of
// fusion functions for hybrid retrieval", 2023: such a sum loses less than ranks do, which make much of a half that knows little), and of
// what speaks for a passage beside them. By reciprocal rank, a weak embedding takes away more than it gives on every set measured.
import type { Hit, StoredPassage } from '../store/store.ts'
import type { Evidence } from './evidence.ts'

export interface Candidate {
  readonly passage: StoredPassage
  /** By BM25, and by cosine; undefined where that half does not have it among its best. */
  readonly words: number | undefined
  readonly cosine: number | undefined
  readonly evidence: Evidence
}

export interface RankedPassage extends Candidate {
  readonly score: number
}

/** The best BM25 counts 1; the others are told in its measure. */
export const WEIGHTS = { vectors: 0.2, covered: 0.2, paired: 0.1, named: 1 } as const

/** Best first; ties in the order of the text. `halves` says which of the two was searched. */
export function rank(
  candidates: readonly Candidate[],
  halves: { readonly words: boolean; readonly vectors: boolean },
): readonly RankedPassage[] {
  const bestWords = Math.max(0, ...candidates.map(({ words }) => words ?? 0))
  const cosines = candidates.flatMap(({ cosine }) => (cosine === undefined ? [] : [cosine]))
  const [low, high] = [Math.min(...cosines), Math.max(...cosines)]
  const nearness = (cosine: number | undefined): number =>
    cosine === undefined ? 0 : high > low ? (cosine - low) / (high - low) : 1
  const score = ({ words = 0, cosine, evidence }: Candidate): number => {
    // By one half alone means by that alone: so it can be compared with both.
    if (!halves.vectors) return words
    if (!halves.words) return cosine ?? 0
    return (
      (bestWords > 0 ? words / bestWords : 0) +
      WEIGHTS.vectors * nearness(cosine) +
      WEIGHTS.covered * evidence.covered +
      WEIGHTS.paired * evidence.paired +
      (evidence.named ? WEIGHTS.named : 0)
    )
  }
  return candidates
    .map((one) => ({ ...one, score: score(one) }))
    .sort((a, b) => b.score - a.score || a.passage.ordinal - b.passage.ordinal)
}

/** Whatever either half found, once. */
export function scoresOf(
  words: readonly Hit[] | null,
  vectors: readonly Hit[] | null,
): ReadonlyMap<string, { readonly words: number | undefined; readonly cosine: number | undefined }> {
  const scores = new Map<string, { readonly words: number | undefined; readonly cosine: number | undefined }>()
  for (const { passage, score } of words ?? []) scores.set(passage, { words: score, cosine: undefined })
  for (const { passage, score } of vectors ?? [])
    scores.set(passage, { words: scores.get(passage)?.words, cosine: score })
  return scores
}
