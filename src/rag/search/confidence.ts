// Whether anything fits at all. Ranks cannot say it, and neither can scores, whose height is another in every collection; what is used
// means the same everywhere: how much of the question's information the best passage covers, how much of its title was asked about,
// whether it goes by the name that was asked about, and by how much it is before the best of the other documents.
import type { RankedPassage } from './rank.ts'

/**
 * A logistic regression, fitted to the questions of four sets and the same questions with what answers them taken away, each set
 * weighing the same. Few and round, so that they say no more than was measured: left out of the fit, a set came out the same.
 */
const MODEL = { bias: -3, covered: 2, titled: 1.8, named: 1, before: 5.2 } as const

/** Below it, nothing is said to fit. Rather a nearest page too many than one withheld: `npm run eval:retrieval` tells both errors. */
export const FITS_FROM = 0.35

/** From 0 to 1, that the first of `ranked` fits. */
export function confidenceIn(ranked: readonly RankedPassage[]): number {
  const [best] = ranked
  if (!best) return 0
  const other = ranked.find(
    ({ passage }) => passage.document !== best.passage.document || passage.collection !== best.passage.collection,
  )
  // Being the only one says nothing where little of the question is covered.
  const before = Math.min(1, Math.max(0, best.score - (other?.score ?? 0))) * Math.sqrt(best.evidence.covered)
  const sum =
    MODEL.bias +
    MODEL.covered * best.evidence.covered +
    MODEL.titled * best.evidence.titled +
    (best.evidence.named ? MODEL.named : 0) +
    MODEL.before * before
  return 1 / (1 + Math.exp(-sum))
}
