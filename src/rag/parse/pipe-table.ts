// Tables of pipes, which CommonMark itself takes for paragraphs. Found here and not by the parser's extension, whose time
// grows with the square of the rows.
import type { Block } from '../document.ts'

const DELIMITER = /^[\s>]*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/

/** The paragraph's blocks: the table in it, if there is one, and what stands before that. */
export function splitTable(text: string, start: number, end: number): readonly Block[] {
  const first = text.indexOf('|', start)
  if (first === -1 || first >= end) return [{ kind: 'paragraph', start, end }]
  for (let above = start, at = lineAfter(text, start, end); at < end;) {
    const next = lineAfter(text, at, end)
    const line = text.slice(at, next)
    if (line.includes('|') && DELIMITER.test(line)) {
      const columns = cells(text.slice(above, at))
      if (columns.length === cells(line).length) {
        const table: Block = { kind: 'table', columns, start: above, end }
        return above > start ? [{ kind: 'paragraph', start, end: above }, table] : [table]
      }
    }
    above = at
    at = next
  }
  return [{ kind: 'paragraph', start, end }]
}

/** The cells of a row; a pipe behind a backslash is none. */
function cells(row: string): string[] {
  return row
    .trim()
    .replace(/^[>\s]*\|/, '')
    .replace(/(?<!\\)\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim())
}

function lineAfter(text: string, at: number, end: number): number {
  const next = text.indexOf('\n', at)
  return next === -1 || next >= end ? end : next + 1
}
