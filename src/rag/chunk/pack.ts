// Packs the units of sections into spans of at most so many tokens. A section that fits is one span; a tiny one joins
// its neighbour of the same parent; what does not fit goes on in a next span that repeats the last sentence or so.
import type { Section, Unit } from './sections.ts'
import { sentenceStarts } from './sentences.ts'
import { estimateTokens } from './tokens.ts'

export interface Span {
  readonly headings: readonly string[]
  readonly start: number
  readonly end: number
  readonly page?: number
}

/** A section below this part of the limit is too little to be found by, or to answer from, alone. */
const TINY = 0.3
/** The most of a span that may repeat its predecessor. */
const MOST_OVERLAP = 0.25

/** Of the names of columns above a passage. */
const LONGEST_NAMES = 400

/** Sections that go into one span or, where they are larger, into several of their own. */
interface Group {
  readonly level: number
  readonly path: readonly string[]
  readonly units: readonly Unit[]
  readonly tokens: number
}

export function packSections(
  text: string,
  sections: readonly Section[],
  limit: number,
  overlapSentences: number,
): readonly Span[] {
  return groups(text, sections, limit).flatMap((group) => packGroup(text, group, limit, overlapSentences))
}

function groups(text: string, sections: readonly Section[], limit: number): readonly Group[] {
  const result: Group[] = []
  for (const section of sections) {
    const last = result.at(-1)
    const joined = last && join(text, last, section, limit)
    if (joined) result[result.length - 1] = joined
    else result.push(section)
  }
  return result
}

function join(text: string, group: Group, section: Section, limit: number): Group | undefined {
  const gap = gapTokens(text, group.units, section.units)
  const tokens = group.tokens + gap + section.tokens
  // A heading alone says nothing: it goes with what stands below it, whose path holds it.
  if (isBare(group) && section.level > group.level) {
    return { level: section.level, path: section.path, units: [...group.units, ...section.units], tokens }
  }
  if (tokens > limit) return undefined
  const bare = isBare(section)
  const tiny = group.tokens < limit * TINY || section.tokens < limit * TINY
  const isChild = section.level > group.level
  const isSibling = section.level === group.level
  if (!bare && !isBare(group) && !(tiny && (isChild || isSibling))) return undefined
  const level = Math.min(group.level, section.level)
  return {
    level,
    path: commonPath(group.path, section.path),
    units: [...group.units, ...section.units],
    tokens,
  }
}

/** Nothing but headings, which say little alone. */
const isBare = (group: Group): boolean => group.units.every((unit) => unit.kind === 'heading')

function commonPath(a: readonly string[], b: readonly string[]): readonly string[] {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return a.slice(0, length)
}

/** What stands between two blocks is no content, but is in a passage that holds both. */
function gapTokens(text: string, before: readonly Unit[], after: readonly Unit[]): number {
  const from = before.at(-1)?.end
  const to = after[0]?.start
  return from === undefined || to === undefined ? 0 : estimateTokens(text, from, to)
}

function packGroup(text: string, group: Group, limit: number, overlapSentences: number): readonly Span[] {
  const spans: Span[] = []
  let open: { start: number; end: number; tokens: number; first: Unit; last: Unit } | undefined
  const close = (): void => {
    if (!open) return
    const { start, end, first } = open
    const columns = first.columns ? [namesOf(first.columns)] : []
    spans.push({
      headings: [...group.path, ...columns],
      start,
      end,
      ...(first.page !== undefined && { page: first.page }),
    })
  }
  for (const unit of group.units) {
    const added = open ? estimateTokens(text, open.end, unit.start) + unit.tokens : unit.tokens
    if (open && open.tokens + added <= limit) {
      open = { ...open, end: unit.end, tokens: open.tokens + added, last: unit }
      continue
    }
    close()
    const start = open ? overlapStart(text, open, unit, limit, overlapSentences) : unit.start
    const tokens = start < unit.start ? estimateTokens(text, start, unit.end) : unit.tokens
    open = { start, end: unit.end, tokens, first: unit, last: unit }
  }
  close()
  return spans
}

/** Each passage of the table carries them, so that a table of thousands would be stored once for every row. */
function namesOf(columns: readonly string[]): string {
  const names = `Columns: ${columns.slice(0, LONGEST_NAMES).join(' | ')}`
  return names.length > LONGEST_NAMES ? `${names.slice(0, LONGEST_NAMES - 1).toWellFormed()}…` : names
}

/** Where the next span begins so that it repeats the end of this one, if that is prose and there is room. */
function overlapStart(
  text: string,
  closed: { readonly start: number; readonly last: Unit },
  next: Unit,
  limit: number,
  sentences: number,
): number {
  const { last } = closed
  if (sentences < 1 || last.kind !== 'paragraph') return next.start
  const start = sentenceStarts(text, last.start, last.end).at(-sentences) ?? last.start
  const gap = estimateTokens(text, last.end, next.start)
  const repeated = estimateTokens(text, start, last.end) + gap
  const fits = repeated <= limit * MOST_OVERLAP && repeated + next.tokens <= limit
  return fits && start > closed.start ? start : next.start
}
