// Text without markup, source code and configuration: the text as it stands, its paragraphs told apart by blank lines.
import type { Block } from '../document.ts'
import type { Parsed } from './parsed.ts'

/** @param kind what the blocks are: prose is cut at sentences, code at lines */
export function parsePlainText(text: string, kind: 'paragraph' | 'code' = 'paragraph'): Parsed {
  const blocks: Block[] = []
  for (const { start, end } of stretches(text)) blocks.push({ kind: kindOf(text, start, end, kind), start, end })
  return { text, blocks }
}

/** What blank lines separate, without them. */
export function* stretches(text: string): Generator<{ readonly start: number; readonly end: number }> {
  let start = -1
  let last = 0
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf('\n', at)
    const end = newline === -1 ? text.length : newline
    if (text.slice(at, end).trim() !== '') {
      if (start === -1) start = at
      last = end
    } else if (start !== -1) {
      yield { start, end: last }
      start = -1
    }
    at = end + 1
  }
  if (start !== -1) yield { start, end: last }
}

/** Short lines are a log or a list more likely than prose that is wrapped. */
function kindOf(text: string, start: number, end: number, kind: 'paragraph' | 'code'): Block['kind'] {
  if (kind === 'code') return 'code'
  const sample = text.slice(start, Math.min(end, start + 2000))
  const lines = sample.split('\n').length
  return lines > 2 && /^\s*(?:[-*•+]|\d+[.)])\s/.test(sample) ? 'list' : 'paragraph'
}
