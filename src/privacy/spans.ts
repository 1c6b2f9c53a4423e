// What was found in a text: where, and of which kind. Offsets count UTF-16 units, as JavaScript's strings do.

export const PII_TYPES = ['email', 'phone', 'card', 'ssn', 'iban', 'ip', 'secret'] as const
export type PiiType = (typeof PII_TYPES)[number]

export interface Span {
  readonly start: number
  /** Behind the last character. */
  readonly end: number
  readonly type: PiiType
}

/** Where two rules claim the same characters, the more specific one has them. */
const RANK: Readonly<Record<PiiType, number>> = { secret: 0, email: 1, iban: 2, card: 3, ssn: 4, ip: 5, phone: 6 }

/** In order, none overlapping another. */
export function settle(spans: Span[]): readonly Span[] {
  if (spans.length < 2) return spans
  spans.sort((a, b) => a.start - b.start || RANK[a.type] - RANK[b.type] || b.end - a.end)
  const kept: Span[] = []
  for (const span of spans) {
    const last = kept.at(-1)
    if (!last || span.start >= last.end) kept.push(span)
    else if (RANK[span.type] < RANK[last.type]) kept[kept.length - 1] = span
  }
  return kept
}
