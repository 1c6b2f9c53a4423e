// One sentence of a model, before anyone sees it: cleaned, its citations taken off, held against the passages it cites and then
// against the others, and cited anew where it is supported. What a model writes in brackets is a hint and never trusted.
import type { Evidence } from './evidence.ts'
import { sanitize, withoutAddresses } from './sanitize.ts'
import type { AnswerSentence, Sources } from './source.ts'
import { findSupport, linesOfCode } from './support.ts'

export type Checked =
  | { readonly kind: 'kept'; readonly sentence: AnswerSentence; readonly removedLinks: number }
  | {
      readonly kind: 'dropped'
      readonly reason: string
      readonly marked: AnswerSentence
      readonly removedLinks: number
    }
  /** Nothing was said: a citation alone, a line of dashes. */
  | { readonly kind: 'empty'; readonly removedLinks: number }

const UNSUPPORTED_MARK = '[unsupported]'

/** What models write for a citation, ours and others' ways: `[1]`, `[1, 2]`, `[1-3]`, `[^1]`, `【1】`, `[passage 1]`, `(source 2)`. */
const CITATION =
  /[ \t]*(?:\[\s*\^?(?:(?:passages?|sources?|doc(?:ument)?s?|ref)\s*)?#?\d{1,4}(?:\s*[,;–-]\s*#?\d{1,4})*\s*\]|【[^】\n]{0,40}】|\(\s*(?:passages?|sources?)\s+\d{1,4}(?:\s*(?:,|and)\s*\d{1,4})*\s*\))/gi
const LIST_MARK = /^(?:[-*+•]|\d{1,3}[.)])\s+/

/** Nobody writes a sentence so long; a model that is led astray does, and reading it would hold up everybody. */
const LONGEST = 4000

export function checkSentence(said: string, evidence: readonly Evidence[], sources: Sources): Checked {
  const isKnown = (address: string): boolean => evidence.some(({ readable }) => hasAddress(readable, address))
  const code = /^\s*(?:```|~~~)/.test(said)
  if (!code && said.length > LONGEST) {
    const marked = { text: `A sentence without an end was left out. ${UNSUPPORTED_MARK}`, citations: [] }
    return { kind: 'dropped', reason: 'it has no end', marked, removedLinks: 0 }
  }
  const { text: clean, removed: removedLinks } = code ? { text: fenced(said), removed: 0 } : sanitize(said, isKnown)
  const cited = code ? [] : citedIn(clean)
  const bare = code ? clean : withoutCitations(clean)
  const mark = LIST_MARK.exec(bare)?.[0] ?? ''
  const words = bare
    .slice(mark.length)
    .replace(/^#{1,6}\s+/, '')
    .trim()
  if (!/[\p{L}\p{N}]/u.test(words)) return { kind: 'empty', removedLinks }
  const order = [...cited.flatMap((n) => evidence[n - 1] ?? []), ...evidence]
  let reason = ''
  for (const one of new Set(order)) {
    const support = findSupport(words, one)
    if (support.kind === 'unsupported') {
      reason ||= support.reason
      continue
    }
    const { n } = sources.cite(one.passage, support.span)
    return { kind: 'kept', sentence: { text: withCitation(mark + words, n, code), citations: [n] }, removedLinks }
  }
  const marked = code ? 'A block of code was left out.' : withoutAddresses(mark + words, isKnown)
  return {
    kind: 'dropped',
    reason: reason || 'there is no passage',
    marked: { text: `${marked} ${UNSUPPORTED_MARK}`, citations: [] },
    removedLinks,
  }
}

/** The language of a block is a word, or it could carry anything. */
function fenced(block: string): string {
  const language = /^\s*(?:```+|~~~+)[ \t]*([\w+-]{1,16})[ \t]*\n/.exec(block)?.[1] ?? ''
  const inner = block.split('\n').slice(1, 1 + linesOfCode(block).length)
  return ['```' + language, ...inner.map((line) => line.replaceAll('```', "'''")), '```'].join('\n')
}

function hasAddress(text: string, address: string): boolean {
  if (address.length < 4) return false
  for (let at = text.indexOf(address); at >= 0; at = text.indexOf(address, at + 1)) {
    if (!/^[\w/?&=%#@:+~-]/.test(text.slice(at + address.length))) return true
  }
  return false
}

function citedIn(text: string): readonly number[] {
  return [...text.matchAll(CITATION)].flatMap(([citation]) => {
    const [from = 0, to = from] = /(\d+)\s*[–-]\s*(\d+)/.exec(citation)?.slice(1).map(Number) ?? []
    if (to > from && to - from < 20) return Array.from({ length: to - from + 1 }, (_, i) => from + i)
    return [...citation.matchAll(/\d+/g)].map(Number)
  })
}

/** Code in backticks is left as it is: `list[0]` is no citation. */
const withoutCitations = (text: string): string =>
  text
    .split(/(`[^`\n]*`)/)
    .map((part, i) => (i % 2 === 1 ? part : part.replaceAll(CITATION, '')))
    .join('')

/** Before the full stop, as readers of papers know it; a block of code has it on the next line. */
function withCitation(text: string, n: number, code: boolean): string {
  if (code) return `${text}\n[${n}]`
  const end = /[.!?…。！？]+["'”’)*_]*$/.exec(text)
  return end ? `${text.slice(0, end.index)} [${n}]${end[0]}` : `${text} [${n}]`
}
