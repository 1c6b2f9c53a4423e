// How alike two signatures are. Within one type of features: the ratio model of Tversky ("Features of Similarity",
// Psychological Review 84, 1977) with alpha and beta 1, each feature weighing by its inverse frequency over the cases
// (Spärck Jones, "A statistical interpretation of term specificity", Journal of Documentation 28, 1972). Types are joined by
// fixed weights, so that forty victims' alerts cannot outvote the one pool that filled. To know a trouble again by a
// signature of what moved is the idea of Cohen et al., "Capturing, indexing, clustering, and retrieving system history"
// (SOSP 2005), and of Bodik et al., "Fingerprinting the datacenter" (EuroSys 2010).
import { FEATURE_TYPES, type FeatureType, OF_ALERTS, type Signature, typeOf } from './signature.ts'

/** How much a type says: what a service measures and writes tells a fault, who raises alerts tells only where it hurts. */
const WEIGHT: Readonly<Record<FeatureType, number>> = {
  service: 0.5,
  alert: 1.5,
  anomaly: 3,
  log: 2,
  change: 0.5,
  first: 1,
  word: 0.5,
}

/** Against little evidence: signatures that agree in one common feature are not known to be alike. */
const DOUBT = 0.7

/** How often each feature is among how many cases. */
export interface Frequencies {
  readonly cases: number
  readonly of: (feature: string) => number
}

export interface Likeness {
  /** 0 to 1: how sure it is that both are the same trouble. */
  readonly likeness: number
  /** What both have, most telling first. */
  readonly shared: readonly string[]
  /** What only one of them has, most telling first. */
  readonly differing: readonly string[]
}

/** `ln(1 + cases / those with it)`: never 0, so that what all cases have still has to agree. */
export const rarity = (feature: string, { cases, of }: Frequencies): number =>
  Math.log1p(Math.max(1, cases) / Math.max(1, of(feature)))

export function compare(now: Signature, before: Signature, frequencies: Frequencies): Likeness {
  const types = now.withEvidence && before.withEvidence ? FEATURE_TYPES : OF_ALERTS
  const highest = Math.log1p(Math.max(1, frequencies.cases))
  const [a, b] = [new Set(now.features), new Set(before.features)]
  const shared: string[] = []
  const differing: string[] = []
  let agreed = 0
  let mass = DOUBT
  for (const type of types) {
    const union = [...new Set([...a, ...b])].filter((feature) => typeOf(feature) === type)
    if (union.length === 0) continue
    let both = 0
    let all = 0
    let rarest = 0
    for (const feature of union) {
      const weight = rarity(feature, frequencies)
      const isShared = a.has(feature) && b.has(feature)
      ;(isShared ? shared : differing).push(feature)
      if (isShared) both += weight
      all += weight
      rarest = Math.max(rarest, weight)
    }
    // What every case has tells less, and not nothing: a trouble that comes all the time is still this one.
    const says = WEIGHT[type] * (0.5 + (0.5 * rarest) / highest)
    agreed += says * (both / all)
    mass += says
  }
  const byRarity = (x: string, y: string) =>
    WEIGHT[typeOf(y)] * rarity(y, frequencies) - WEIGHT[typeOf(x)] * rarity(x, frequencies) || (x < y ? -1 : 1)
  return { likeness: sureness(agreed / mass), shared: shared.sort(byRarity), differing: differing.sort(byRarity) }
}

/**
 * From agreement to how often it is the same trouble: a logistic curve (Platt, 1999). Steeper and later than the fit over
 * made-up cases and recorded ones, so that it errs towards saying less.
 */
const sureness = (agreement: number): number => Math.round(1000 / (1 + Math.exp(-14 * (agreement - 0.71)))) / 1000

/** From here on a case is told as alike. */
export const ALIKE = 0.6
