// Money is counted in micro-dollars (millionths of a US dollar), with fractions: a short call of a cheap model costs
// less than one. What is not known is null and stays null; it is never counted as nothing.

/** US dollars a million tokens, which is the same as micro-dollars a token. */
export interface Price {
  readonly inputUsd: number
  readonly outputUsd: number
}

/** Tokens by what they are charged as. */
export interface ChargedTokens {
  readonly input: number | null
  readonly output: number | null
}

/** Rounded to a thousandth of a micro-dollar; null when the price or a count is unknown. */
export function costMicroUsd(tokens: ChargedTokens, price: Price | undefined): number | null {
  if (!price || tokens.input === null || tokens.output === null) return null
  return Math.round((tokens.input * price.inputUsd + tokens.output * price.outputUsd) * 1000) / 1000
}

/** Micro-dollars as dollars, without an exponent and without trailing zeros: `0.000123`. */
export function formatUsd(microUsd: number): string {
  return (microUsd / 1e6).toFixed(9).replace(/\.?0+$/, '')
}
