// Whether anything fits at all. Ranks cannot say it, and neither can scores, whose height is another in every collection; what is used
// means the same everywhere: how much of the question's information the best passage covers, whether it goes by the name that was
// asked about, how much of its title was asked about, how near it is, and whether both halves agree.
import type { RankedPassage } from './rank.ts'

/** A logistic regression. Few and round, so that they say no more than was measured. */
const MODEL = { bias: -3, covered: 4, titled: 2, named: 3, cosine: 2, both: 0.5 } as const

/** Below it, nothing fits: about as often wrong on one side as on the other. */
export const FITS_FROM = 0.5

/** From 0 to 1, for the best passage. */
export function confidenceIn(best: RankedPassage | undefined): number {
  if (!best) return 0
  const { evidence, cosine, words } = best
  const sum =
    MODEL.bias +
    MODEL.covered * evidence.covered +
    MODEL.titled * evidence.titled +
    (evidence.named ? MODEL.named : 0) +
    MODEL.cosine * Math.max(0, cosine ?? 0) +
    (words !== undefined && cosine !== undefined ? MODEL.both : 0)
  return 1 / (1 + Math.exp(-sum))
}
