// The worst case of a call, reserved before it is made, and what is told when it is over.
import { allInputTokens, type ChargedTokens } from '../../core/money.ts'
import { type KnownPrice, mostCostOf } from '../prices.ts'
import type { Used } from './limiter.ts'

/** What is assumed of an answer that neither the caller nor the config limits. */
const DEFAULT_MAX_OUTPUT_TOKENS = 4096

/**
 * Characters a token, for the worst case: fewer than usual (about 4), because code, numbers and other scripts than
 * Latin have more tokens.
 */
const CHARACTERS_A_TOKEN = 3

export interface Candidate {
  /** null: nobody knows its price. */
  readonly price: KnownPrice | null
  /** What the config says it can write at most. */
  readonly maxOutputTokens?: number | undefined
}

export interface Reservation {
  readonly tokens: number
  /** At the dearest candidate; null where the price of one is unknown. */
  readonly costMicroUsd: number | null
}

export interface Wanted {
  readonly promptCharacters: number
  /** The caller's limit. */
  readonly maxOutputTokens: number | null
  /** How many alternative answers: each may be as long as the limit. */
  readonly choices: number
  /** Embeddings and counts write nothing. */
  readonly writes: boolean
}

export function worstCase(wanted: Wanted, candidates: readonly Candidate[]): Reservation {
  const input = Math.ceil(wanted.promptCharacters / CHARACTERS_A_TOKEN)
  let tokens = input
  let costMicroUsd: number | null = 0
  for (const { price, maxOutputTokens } of candidates) {
    const most = wanted.maxOutputTokens ?? maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS
    const output = wanted.writes ? Math.min(most, maxOutputTokens ?? most) * wanted.choices : 0
    tokens = Math.max(tokens, input + output)
    if (costMicroUsd === null || !price) costMicroUsd = null
    else costMicroUsd = Math.max(costMicroUsd, mostCostOf(input, output, price))
  }
  return { tokens, costMicroUsd }
}

/** Nobody was asked, or whoever was asked did not begin to answer: it is not charged. */
export const USED_NOTHING: Used = { tokens: 0, costMicroUsd: 0 }

/** It was asked, and nobody knows what came of it: the reservation stands. */
export const USED_UNKNOWN: Used = { tokens: null, costMicroUsd: null }

/** What was used, as it was told or counted. */
export const usedBy = (usage: ChargedTokens, costMicroUsd: number | null): Used => ({
  tokens: usage.inputTokens === null || usage.outputTokens === null ? null : allInputTokens(usage) + usage.outputTokens,
  costMicroUsd,
})
