// When two terms are taken for the same.

/** A unit of which one of both leaves out the currency is the same. */
export function sameUnit(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true
  const [scale, currency] = a?.split(' ') ?? []
  const [other, theirs] = b?.split(' ') ?? []
  return scale === other && (currency === undefined || theirs === undefined)
}

/** So much of a word is the same in words of one family: Europe, European. */
const FAMILY = 5
const LONGEST_ENDING = 3

/** The stem, or one of its family. */
export function isThere(stem: string, stems: ReadonlySet<string>): boolean {
  if (stems.has(stem)) return true
  if (stem.length < FAMILY) return false
  for (const other of stems) {
    const [short, long] = other.length < stem.length ? [other, stem] : [stem, other]
    if (short.length >= FAMILY && long.length - short.length <= LONGEST_ENDING && long.startsWith(short)) return true
  }
  return false
}

/** A rate that one of both leaves out is the same. */
export const sameRate = (a: string | undefined, b: string | undefined): boolean =>
  a === undefined || b === undefined || a === b
