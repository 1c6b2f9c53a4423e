// Chance that can be had again: the same seed gives the same run. (mulberry32 by Tommy Ettinger, public domain.)

export interface Random {
  /** From 0 up to, never reaching, 1. */
  next(): number
  /** A number from `min` up to, never reaching, `max`. */
  between(min: number, max: number): number
  /** A whole number from `min` to `max`, both possible. */
  int(min: number, max: number): number
  pick<T>(list: readonly T[]): T
  /** Lower-case hex digits, such as the short hash of a release. */
  hex(digits: number): string
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
  return {
    next,
    int,
    between: (min, max) => min + next() * (max - min),
    pick: <T>(list: readonly T[]): T => {
      const chosen = list[int(0, list.length - 1)]
      if (chosen === undefined) throw new Error('cannot pick from an empty list')
      return chosen
    },
    hex: (digits) => Array.from({ length: digits }, () => int(0, 15).toString(16)).join(''),
  }
}
