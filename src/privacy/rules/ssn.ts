// US social security numbers: area 001 to 899 without 666, group and serial not all zeros (the Social Security
// Administration's rule since 2011, when areas ceased to mean states). Without dashes only where the words say so.
import { type DigitGroups, lengthOf } from '../digit-groups.ts'

const CONTEXT = /\b(?:ssn|ssns|social[ _-]?security|soc(?:ial)? sec)\b/i

/** Where the number that begins with the first group ends; -1 when none does. */
export function ssnEnd(text: string, groups: DigitGroups): number {
  const start = groups.starts[0] ?? 0
  if (lengthOf(groups, 0) === 9) {
    const end = groups.ends[0] ?? -1
    return valid(text.slice(start, end)) && named(text, start) ? end : -1
  }
  if (groups.count < 3 || lengthOf(groups, 0) !== 3 || lengthOf(groups, 1) !== 2 || lengthOf(groups, 2) !== 4) return -1
  const [separator, second] = [groups.separators[1], groups.separators[2]]
  if (separator !== second || (groups.count > 3 && groups.separators[3] === separator && separator === 0x2d)) return -1
  const end = groups.ends[2] ?? -1
  const digits =
    text.slice(start, groups.ends[0]) + text.slice(groups.starts[1], groups.ends[1]) + text.slice(groups.starts[2], end)
  if (!valid(digits)) return -1
  if (separator === 0x2d) return end
  return (separator === 0x20 || separator === 0x2e) && named(text, start) ? end : -1
}

const valid = (digits: string): boolean => /^(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}$/.test(digits)

const named = (text: string, start: number): boolean => CONTEXT.test(text.slice(Math.max(0, start - 40), start))
