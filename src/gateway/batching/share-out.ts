// What one call used and cost, shared out among those it was made for, so that the shares add up to it: no token is
// counted twice, and none is lost to rounding.
import type { Usage } from '../../llm/chat.ts'
import type { Bill } from '../bill.ts'

/** One bill for each weight, in their proportion. Weights are not negative. */
export function shareOut(bill: Bill, weights: readonly number[]): Bill[] {
  const columns = Object.entries(bill.usage).map(([field, tokens]) => ({
    field,
    shares: portions(tokens as number | null, weights),
  }))
  // Costs are told to a thousandth of a micro-dollar.
  const costs = portions(bill.costMicroUsd === null ? null : Math.round(bill.costMicroUsd * 1000), weights)
  return weights.map((_, i) => {
    const cost = costs[i] ?? null
    return {
      ...bill,
      usage: Object.fromEntries(columns.map(({ field, shares }) => [field, shares[i] ?? null])) as unknown as Usage,
      costMicroUsd: cost === null ? null : cost / 1000,
    }
  })
}

/** Whole numbers that add up to `total`. */
function portions(total: number | null, weights: readonly number[]): (number | null)[] {
  if (total === null) return weights.map(() => null)
  const sum = weights.reduce((all, weight) => all + weight, 0)
  let before = 0
  let given = 0
  return weights.map((weight, i) => {
    before += sum === 0 ? 1 : weight
    // The difference of two rounded sums: what one share is too small by, a later one has more.
    const upTo = Math.round((total * before) / (sum === 0 ? weights.length : sum))
    const share = (i === weights.length - 1 ? total : upTo) - given
    given += share
    return share
  })
}
