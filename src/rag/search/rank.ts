// One ranking out of both halves: a sum of scores, each made comparable within the question (Bruch, Gai and Ingber, "An analysis of
// fusion functions for hybrid retrieval", 2023: such a sum loses less than ranks do, which make much of a half that knows little), and of
// the name that was asked for. By reciprocal rank, as is usual, a weak embedding took away more than it gave where words know much.
// So the meaning counts for what the words leave open: the less of the question any passage covers by its words, the more.
import type { RetrieveQuery } from '../../llm/retriever.ts'
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

export interface Weights {
  readonly vectors: number
  readonly covered: number
  readonly named: number
}

/**
 * The best BM25 counts 1; a cosine counts by how many standard deviations it stands out of those that were found, times the square of
 * what is covered nowhere. `npm run eval:retrieval -- --choose` shows that other weights near these do as well, and that sets
 * that were not looked at would have chosen them.
 */
const WEIGHTS: Weights = { vectors: 0.2, covered: 0.3, named: 1 }

/** Best first; ties in the order of the text. Where one half was asked for, it alone counts, so that both can be compared with it. */
export function rank(
  candidates: readonly Candidate[],
  mode: NonNullable<RetrieveQuery['mode']>,
  weights: Weights = WEIGHTS,
): readonly RankedPassage[] {
  const bestWords = Math.max(0, ...candidates.map(({ words }) => words ?? 0))
  const standingOut = deviations(candidates.flatMap(({ cosine }) => (cosine === undefined ? [] : [cosine])))
  const open = 1 - Math.max(0, ...candidates.map(({ evidence }) => evidence.covered))
  const meaning = weights.vectors * open ** 2
  const score = ({ words = 0, cosine, evidence }: Candidate): number => {
    if (mode === 'vector') return cosine ?? 0
    const share = bestWords > 0 ? words / bestWords : 0
    if (mode === 'bm25') return share
    const told = weights.covered * evidence.covered + (evidence.named ? weights.named : 0)
    return share + told + meaning * standingOut(cosine)
  }
  return candidates
    .map((one) => ({ ...one, score: score(one) }))
    .sort((a, b) => b.score - a.score || a.passage.ordinal - b.passage.ordinal)
}

/** What is not among the nearest stands as the farthest of them. */
function deviations(cosines: readonly number[]): (cosine: number | undefined) => number {
  if (cosines.length === 0) return () => 0
  const mean = cosines.reduce((sum, x) => sum + x, 0) / cosines.length
  const deviation = Math.sqrt(cosines.reduce((sum, x) => sum + (x - mean) ** 2, 0) / cosines.length)
  const lowest = Math.min(...cosines)
  return (cosine = lowest) => (deviation < 1e-9 ? 0 : (cosine - mean) / deviation)
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
