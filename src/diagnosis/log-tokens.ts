// A log line cut into marks, words and variables: whatever a program would have formatted into its message (numbers with their
// units, times, addresses, paths, ids, names with a number) is a variable, and a list of any length is one. Masking the kinds
// of value before anything is compared does more for grouping than the way of comparing (Qin, Aly, Li and others,
// "Preprocessing is all you need", 2024). One pass over the characters: this is the miner's hot path.
import { type TokenKind, type Tokens, TokenWriter } from './log-token-writer.ts'
import {
  announcesName,
  CHAR,
  classAt,
  endOfColons,
  endOfPath,
  isGlue,
  isHexLetter,
  isHost,
  isLiteral,
  isUnit,
  isWordPart,
  VARIABLE,
} from './log-values.ts'

/** What follows in a longer line is a dump, not a message. */
const MAX_CHARS = 2000
const MAX_TOKENS = 120
/** The longest part of a list, in tokens, that is recognised when it is repeated. */
const MAX_REPEAT = 6

/** The line's tokens. Never throws; a line without any text has none. */
export function tokenize(raw: string): Tokens {
  const line = raw.length > MAX_CHARS ? raw.slice(0, MAX_CHARS) : raw
  const out = new TokenWriter()
  let at = 0
  while (at < line.length && out.texts.length < MAX_TOKENS) {
    const kind = classAt(line, at)
    if (kind === CHAR.space) {
      out.gap = true
      at++
    } else if (kind === CHAR.letter || kind === CHAR.digit || line.startsWith(VARIABLE, at))
      at = readWord(line, at, out)
    else at = readMark(line, at, out)
  }
  collapseRepeats(out)
  return out
}

/** A word as it was read. Positions are of the line; -1 for none. */
interface Word {
  readonly from: number
  readonly end: number
  /** The first digit or variable. */
  readonly digitAt: number
  /** Whether a joint or an underscore stands before that: worker-7, core.31, blk_12 are one of many. */
  readonly numbered: boolean
  readonly letters: boolean
  /** Only hexadecimal digits, and hyphens. */
  readonly hex: boolean
  readonly dots: number
  readonly slashes: number
  /** Has what no word has: an at-sign, a tilde, a backslash. */
  readonly odd: boolean
}

function readWord(line: string, from: number, out: TokenWriter): number {
  const colons = endOfColons(line, from)
  if (colons > 0) return variable(out, colons)
  const word = scanWord(line, from)
  const { end, digitAt } = word
  if (line.startsWith('://', end)) return variable(out, endOfPath(line, end + 3))
  if (end === from + 1 && word.letters && line.startsWith(':\\', end)) return variable(out, endOfPath(line, end + 2))
  if (digitAt < 0) pushPlain(line, word, out)
  else if (isValue(word) || nameIsAnnounced(out)) variable(out, end)
  else out.pushVariable(line.slice(from, digitAt) + VARIABLE, 'shape')
  return end
}

function scanWord(line: string, from: number): Word {
  let at = from
  let digitAt = -1
  let numbered = false
  let letters = false
  let hex = true
  let dots = 0
  let slashes = 0
  let odd = false
  let joint = false
  for (; at < line.length; at++) {
    const code = line.charCodeAt(at)
    const kind = classAt(line, at)
    if (kind === CHAR.letter) {
      letters = true
      if (code === 95) joint = true
      if (!isHexLetter(code)) hex = false
    } else if (kind === CHAR.digit || (code === 60 && line.startsWith(VARIABLE, at))) {
      if (digitAt < 0) {
        digitAt = at
        numbered = joint
      }
      if (code === 60) {
        hex = false
        at += VARIABLE.length - 1
      }
    } else if (kind === CHAR.joint && isWordPart(line, at + 1)) {
      joint = true
      if (code === 46) dots++
      else if (code === 47) slashes++
      else if (code === 64 || code === 92 || code === 126) odd = true
      if (code !== 45) hex = false
    } else if (code === 47 && line.charCodeAt(at + 1) === 46 && isWordPart(line, at + 2)) odd = true
    else break
  }
  // As in x+ or C++.
  if (endsInSigns(line, at)) while (classAt(line, at) !== CHAR.space) at++
  return { from, end: at, digitAt, numbered, letters, hex, dots, slashes, odd }
}

function endsInSigns(line: string, from: number): boolean {
  let at = from
  while (line.charCodeAt(at) === 43 || line.charCodeAt(at) === 45) at++
  return at > from && classAt(line, at) === CHAR.space
}

/** Whether a word with a digit is a value as a whole, and not a name of which the number alone is one (SOCKS5, eth0). */
function isValue({ from, end, digitAt, numbered, hex, dots, slashes, odd }: Word): boolean {
  return odd || numbered || dots > 1 || slashes > 1 || digitAt - from < 2 || (hex && end - from >= 6)
}

function pushPlain(line: string, { from, end, hex, dots, slashes, odd }: Word, out: TokenWriter): void {
  if (odd || slashes > 1 || (slashes > 0 && dots > 0)) return out.pushVariable(VARIABLE, 'variable')
  const text = line.slice(from, end)
  if (out.gap && out.endsInVariable() && isUnit(text)) return out.addUnit()
  const value =
    isLiteral(text) ||
    (hex && end - from >= 7 && !text.includes('-')) ||
    (dots > 0 && isHost(line, from, end)) ||
    (nameIsAnnounced(out) && !isGlue(text))
  if (value) out.pushVariable(VARIABLE, 'variable')
  else out.push(text, 'word')
}

const nameIsAnnounced = (out: TokenWriter): boolean =>
  out.gap && out.kindAt(1) === 'word' && announcesName(out.textAt(1))

function variable(out: TokenWriter, end: number): number {
  out.pushVariable(VARIABLE, 'variable')
  return end
}

function readMark(line: string, from: number, out: TokenWriter): number {
  const mark = line.charAt(from)
  const begins = from === 0 || !isWordPart(line, from - 1)
  if (mark === '/' && begins && (isWordPart(line, from + 1) || classAt(line, from + 1) === CHAR.joint))
    return variable(out, endOfPath(line, from + 1))
  // A sign or a comparison belongs to its number.
  if (SIGNS.has(mark) && begins && beginsNumber(line, from + 1)) return from + 1
  if (mark === '%' && out.endsInVariable()) {
    out.addUnit()
    return from + 1
  }
  if (CLOSES.has(mark)) {
    out.close(mark, line.charAt(from - 1))
    return from + 1
  }
  let at = from + 1
  if (!OPENS.has(mark)) while (line.charAt(at) === mark) at++
  out.push(mark.repeat(Math.min(3, at - from)), 'mark')
  return at
}
const SIGNS = new Set('-+<>~')
const OPENS = new Set('([{')
const CLOSES = new Set(')]}')

const beginsNumber = (line: string, at: number): boolean =>
  classAt(line, at) === CHAR.digit || line.startsWith(VARIABLE, at)

/** What is repeated together with its variables is a list: one of its parts stands for all. */
function collapseRepeats(tokens: Tokens): void {
  for (let size = 2; size <= MAX_REPEAT && tokens.texts.length >= 2 * size; size++) {
    for (let at = 0; at + 2 * size <= tokens.texts.length;) {
      if (!isRepeated(tokens, at, size)) at++
      else for (const each of [tokens.texts, tokens.kinds, tokens.gaps]) each.splice(at + size, size)
    }
  }
}

function isRepeated({ texts, kinds }: Tokens, at: number, size: number): boolean {
  let varies = false
  for (let i = at; i < at + size; i++) {
    if (texts[i] !== texts[i + size]) return false
    if (isVariable(kinds[i])) varies = true
  }
  return varies
}

const isVariable = (kind: TokenKind | undefined): boolean => kind !== 'mark' && kind !== 'word'
