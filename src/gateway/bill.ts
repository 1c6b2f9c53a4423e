// What one try used and cost, and what all tries of a request did together: whoever began to answer is paid, also when
// the answer broke off or another was faster.
import { type Usage, NO_USAGE } from '../llm/chat.ts'
import type { UsageSource } from './tables.ts'

export interface Bill {
  readonly usage: Usage
  readonly source: 'measured' | 'estimated'
  /** null: the price is unknown. */
  readonly costMicroUsd: number | null
}

export interface Total {
  readonly usage: Usage | null
  readonly source: UsageSource
  readonly costMicroUsd: number | null
}

const FIELDS = Object.keys(NO_USAGE) as (keyof Usage)[]

/** null in the list: nobody began to answer there. Usage is null when that holds for all. */
export function sumBills(bills: readonly (Bill | null)[]): Total {
  const paid = bills.filter((bill) => bill !== null)
  const [only] = paid
  if (!only) return { usage: null, source: 'unknown', costMicroUsd: null }
  if (paid.length === 1) return only
  const usage = Object.fromEntries(FIELDS.map((field) => [field, sumKnown(paid.map((bill) => bill.usage[field]))]))
  const costs = paid.map(({ costMicroUsd }) => costMicroUsd)
  return {
    usage: usage as unknown as Usage,
    source: paid.every(({ source }) => source === 'measured') ? 'measured' : 'estimated',
    costMicroUsd: costs.includes(null) ? null : sumKnown(costs),
  }
}

/** null when none is known. */
function sumKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0)
}
