// How good a ranking is, by the measures of the field, and how sure one can be of it.

/** Normalised discounted cumulative gain of the first `k` (Järvelin and Kekäläinen 2002); what is relevant counts one. */
export function ndcg(ranked: readonly string[], relevant: ReadonlySet<string>, k: number): number {
  const gain = (rank: number): number => 1 / Math.log2(rank + 2)
  const got = ranked.slice(0, k).reduce((sum, id, rank) => sum + (relevant.has(id) ? gain(rank) : 0), 0)
  let most = 0
  for (let rank = 0; rank < Math.min(k, relevant.size); rank++) most += gain(rank)
  return most === 0 ? 0 : got / most
}

export const recall = (ranked: readonly string[], relevant: ReadonlySet<string>, k: number): number =>
  relevant.size === 0 ? 0 : ranked.slice(0, k).filter((id) => relevant.has(id)).length / relevant.size

export function reciprocalRank(ranked: readonly string[], relevant: ReadonlySet<string>): number {
  const rank = ranked.findIndex((id) => relevant.has(id))
  return rank < 0 ? 0 : 1 / (rank + 1)
}

/** The chance that one of `yes` is greater than one of `no`; ties count half. null where one of them is empty. */
export function areaUnderCurve(yes: readonly number[], no: readonly number[]): number | null {
  if (yes.length === 0 || no.length === 0) return null
  let sum = 0
  for (const a of yes) for (const b of no) sum += a > b ? 1 : a === b ? 0.5 : 0
  return sum / (yes.length * no.length)
}

export const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

/** The middle 95 % of the mean over samples with replacement (Efron 1979); the same for the same values. */
export function interval(values: readonly number[], samples = 1000): readonly [number, number] {
  let state = 42
  const pick = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * values.length)
  }
  const means = Array.from({ length: samples }, () => {
    let sum = 0
    for (let i = 0; i < values.length; i++) sum += values[pick()] ?? 0
    return sum / Math.max(1, values.length)
  }).sort((a, b) => a - b)
  return [means[Math.floor(samples * 0.025)] ?? 0, means[Math.ceil(samples * 0.975) - 1] ?? 0]
}
