// Two rankings of the same passages made one. By reciprocal rank (Cormack, Clarke and Büttcher, "Reciprocal rank fusion
// outperforms Condorcet and individual rank learning methods", SIGIR 2009): scores of different kinds are never compared.

export interface Ranked {
  readonly passage: string
  readonly score: number
}

/** As in the paper; how little the first places count more than those behind them. */
const K = 60

/** Best first. A passage that only one of them has gets nothing from the other. */
export function fuseRanks(
  rankings: readonly { readonly weight: number; readonly hits: readonly Ranked[] }[],
): readonly Ranked[] {
  const scores = new Map<string, number>()
  for (const { weight, hits } of rankings) {
    hits.forEach(({ passage }, rank) => {
      scores.set(passage, (scores.get(passage) ?? 0) + weight / (K + rank + 1))
    })
  }
  return [...scores].map(([passage, score]) => ({ passage, score })).sort((a, b) => b.score - a.score)
}
