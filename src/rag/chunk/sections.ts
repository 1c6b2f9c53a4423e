// A document as sections, one for every heading, and each section as units: the pieces that are not cut any further.
import type { Block, ParsedDocument } from '../document.ts'
import { sentenceStarts } from './sentences.ts'
import { endOfTokens, estimateTokens, isBlank } from './tokens.ts'

export interface Unit {
  readonly start: number
  readonly end: number
  readonly tokens: number
  readonly kind: Block['kind']
  /** Of a later row of a table: the names that stand above its first. */
  readonly columns?: readonly string[]
  readonly page?: number
}

export interface Section {
  /** Of its heading; 0 for what comes before the first. */
  readonly level: number
  readonly path: readonly string[]
  readonly units: readonly Unit[]
  readonly tokens: number
}

const LONGEST_HEADING = 200

/** @param limit tokens that no unit exceeds */
export function sectionsOf(document: ParsedDocument, limit: number): readonly Section[] {
  const sections: Section[] = []
  let outline: { readonly level: number; readonly words: string }[] = []
  let level = 0
  let units: Unit[] = []
  const close = (): void => {
    if (units.length === 0) return
    const tokens = units.reduce((sum, unit) => sum + unit.tokens, 0)
    sections.push({ level, path: outline.map(({ words }) => words), units, tokens })
    units = []
  }
  for (const block of document.blocks) {
    if (block.kind === 'heading') {
      close()
      level = block.level ?? 1
      const words = (block.words ?? document.text.slice(block.start, block.end)).trim().slice(0, LONGEST_HEADING)
      outline = [...outline.filter((above) => above.level < level), { level, words }]
    }
    cut(document.text, block, limit, units)
  }
  close()
  return sections
}

function cut(text: string, block: Block, limit: number, into: Unit[]): void {
  const { start, end } = trimmed(text, block.start, block.end)
  if (start >= end) return
  const tokens = estimateTokens(text, start, end)
  const { kind, page } = block
  if (tokens <= limit) {
    into.push({ start, end, tokens, kind, ...(page !== undefined && { page }) })
    return
  }
  const starts = kind === 'paragraph' ? sentenceStarts(text, start, end) : lineStarts(text, start, end)
  for (const [i, from] of starts.entries()) {
    const columns = i > 0 ? block.columns : undefined
    const of = { kind, ...(page !== undefined && { page }), ...(columns && { columns }) }
    cutHard(text, from, starts[i + 1] ?? end, limit, of, into)
  }
}

/** What is one sentence or line, and may still be enormous. */
function cutHard(
  text: string,
  from: number,
  to: number,
  limit: number,
  of: Pick<Unit, 'kind' | 'page' | 'columns'>,
  into: Unit[],
): void {
  for (let at = from; at < to;) {
    const next = endOfTokens(text, at, to, limit)
    const { start, end } = trimmed(text, at, next)
    if (start < end) into.push({ ...of, start, end, tokens: estimateTokens(text, start, end) })
    at = next
  }
}

function lineStarts(text: string, start: number, end: number): number[] {
  const starts = [start]
  for (let at = text.indexOf('\n', start); at !== -1 && at + 1 < end; at = text.indexOf('\n', at + 1))
    starts.push(at + 1)
  return starts
}

function trimmed(text: string, from: number, to: number): { readonly start: number; readonly end: number } {
  let start = from
  let end = to
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return { start, end }
}
