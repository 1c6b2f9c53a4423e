// Money is counted in micro-dollars (millionths of a US dollar), with fractions: a short call of a cheap model costs
// less than one. What is not known is null and stays null; it is never counted as nothing.

/** US dollars a million tokens, which is the same as micro-dollars a token. */
export interface Price {
  readonly inputUsd: number
  readonly outputUsd: number
  /** Without it, what input costs. */
  readonly cacheReadUsd?: number | undefined
  /** Without it, what input costs. */
  readonly cacheWriteUsd?: number | undefined
  /** Without it, what the shorter write costs. */
  readonly cacheWrite1hUsd?: number | undefined
}

/** Tokens by what they are charged as: each token is in exactly one of these. null where nobody said. */
export interface ChargedTokens {
  /** Read anew: neither from a cache nor written to one. */
  readonly inputTokens: number | null
  readonly cacheReadTokens: number | null
  readonly cacheWriteTokens: number | null
  readonly cacheWrite1hTokens: number | null
  /** With reasoning. */
  readonly outputTokens: number | null
}

/**
 * Rounded to a thousandth of a micro-dollar; null when the price, the input or the output is unknown. A provider that
 * says nothing of its cache has counted those tokens as input, so an unknown number of them adds nothing.
 */
export function costMicroUsd(tokens: ChargedTokens, price: Price | null | undefined): number | null {
  if (!price || tokens.inputTokens === null || tokens.outputTokens === null) return null
  const write = price.cacheWriteUsd ?? price.inputUsd
  const cost =
    tokens.inputTokens * price.inputUsd +
    (tokens.cacheReadTokens ?? 0) * (price.cacheReadUsd ?? price.inputUsd) +
    (tokens.cacheWriteTokens ?? 0) * write +
    (tokens.cacheWrite1hTokens ?? 0) * (price.cacheWrite1hUsd ?? write) +
    tokens.outputTokens * price.outputUsd
  return Math.round(cost * 1000) / 1000
}

/** Everything that was read, whatever it cost: what a tier of prices goes by. */
export const allInputTokens = (tokens: ChargedTokens): number =>
  (tokens.inputTokens ?? 0) +
  (tokens.cacheReadTokens ?? 0) +
  (tokens.cacheWriteTokens ?? 0) +
  (tokens.cacheWrite1hTokens ?? 0)

/** The most that so many tokens can cost, whichever of them a cache takes part in. Rounded up. */
export function mostMicroUsd(inputTokens: number, outputTokens: number, price: Price): number {
  const { inputUsd, cacheReadUsd = 0, cacheWriteUsd = 0, cacheWrite1hUsd = 0 } = price
  const dearest = Math.max(inputUsd, cacheReadUsd, cacheWriteUsd, cacheWrite1hUsd)
  return Math.ceil((inputTokens * dearest + outputTokens * price.outputUsd) * 1000) / 1000
}

/** Micro-dollars as dollars, without an exponent and without trailing zeros: `0.000123`. */
export function formatUsd(microUsd: number): string {
  return (microUsd / 1e6).toFixed(9).replace(/\.?0+$/, '')
}
