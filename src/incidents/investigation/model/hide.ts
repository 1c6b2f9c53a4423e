// What is hidden for good, where nobody needs it: secrets in whatever is stored or told, and personal data too in what is
// written into the audit log.
import { detect } from '../../../privacy/detect.ts'
import type { PiiType } from '../../../privacy/spans.ts'

/** The text with every secret as `[secret]`. */
export const hideSecrets = (text: string): string => mask(text, (type) => type === 'secret')

/** The text with secrets and personal data as `[email]`, `[secret]` …; addresses of machines stay. */
export const hidePrivate = (text: string): string => mask(text, (type) => type !== 'ip')

function mask(text: string, wanted: (type: PiiType) => boolean): string {
  const spans = detect(text).filter(({ type }) => wanted(type))
  if (spans.length === 0) return text
  let safe = ''
  let at = 0
  for (const { start, end, type } of spans) {
    safe += `${text.slice(at, start)}[${type}]`
    at = end
  }
  return safe + text.slice(at)
}

/** A value of JSON with a function laid over every string in it, names of members left alone. */
export function mapStrings<T>(value: T, map: (text: string) => string): T {
  const walk = (one: unknown): unknown => {
    if (typeof one === 'string') return map(one)
    if (Array.isArray(one)) return one.map(walk)
    if (one !== null && typeof one === 'object')
      return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, walk(inner)]))
    return one
  }
  return walk(value) as T
}
