// An answer for a terminal: what is known, how it is known, and the numbered places, each as `path:line` where the file is here
// and says the same, so that a terminal can open it.
import { readFileSync, statSync } from 'node:fs'
import type { AnswerView } from '../rag/answer/view.ts'
import { shown } from './shown.ts'

type Source = AnswerView['sources'][number]

const WIDTH = 80
const LONGEST_QUOTE = 160
const LARGEST_FILE = 16 * 1024 * 1024

export function renderAnswer(answer: AnswerView): string {
  const lines = answer.answer.split('\n').flatMap((line) => wrap(shown(line), ''))
  const note = noteOf(answer)
  if (note !== undefined) lines.push('', ...wrap(note, ''))
  if (answer.sources.length > 0) lines.push('')
  for (const source of answer.sources) {
    const mark = `[${source.n}] `
    lines.push(`${mark}${shown(placeOf(source))}`)
    const quote = source.quote.replaceAll(/\s+/g, ' ').trim()
    const short = quote.length > LONGEST_QUOTE ? `${quote.slice(0, LONGEST_QUOTE - 1).toWellFormed()}…` : quote
    lines.push(...wrap(shown(short), ' '.repeat(mark.length)))
  }
  return lines.join('\n')
}

function noteOf({ mode, reason, dropped_sentences: dropped, answered }: AnswerView): string | undefined {
  const notes = []
  if (mode === 'extract') notes.push('These are extracts of the documents, not an answer in words of its own.')
  if (reason !== null && answered) notes.push(shown(reason))
  if (dropped > 0) notes.push(`${dropped} ${dropped === 1 ? 'sentence' : 'sentences'} without support left out.`)
  return notes.length > 0 ? notes.join(' ') : undefined
}

/** `path:line` of the file that is here; else where it is from, with the page or the offsets of its text. */
function placeOf({ source, document, collection, start, end, page, quote }: Source): string {
  const place = source ?? `${collection}/${document}`
  const line = source === null ? undefined : lineIn(source, start, quote)
  if (line !== undefined) return `${place}:${line}`
  return page === null ? `${place} (characters ${start} to ${end})` : `${place} (page ${page})`
}

/** undefined where there is no such file, or it is not what was read: changed since, or no plain text. */
function lineIn(path: string, start: number, quote: string): number | undefined {
  try {
    const looks = statSync(path)
    // What a document says it is from was written by anyone too: a device or a pipe would never end.
    if (!looks.isFile() || looks.size > LARGEST_FILE) return undefined
    const text = readFileSync(path, 'utf8')
    return text.startsWith(quote, start) ? text.slice(0, start).split('\n').length : undefined
  } catch {
    return undefined
  }
}

function wrap(text: string, indent: string): string[] {
  const lines: string[] = []
  let line = indent
  for (const word of text.split(' ')) {
    if (line.length > indent.length && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = indent
    }
    line += (line.length > indent.length ? ' ' : '') + word
  }
  return [...lines, line]
}
