// Where sentences start. By rule, not by Intl.Segmenter: that one ends a sentence behind "e.g." and takes several times
// as long. A stop ends a sentence only before a blank and something that can start one, so `foo.bar`, `v1.2` and
// addresses stay whole.
import { isBlank } from './tokens.ts'

const ABBREVIATIONS = new Set(
  'e.g i.e etc vs cf ca al approx resp incl excl no nos fig figs sec eq eqs ref refs dr mr mrs ms prof st jr sr inc ltd co corp dept est min max avg vol pp ed eds jan feb mar apr jun jul aug sep sept oct nov dec a.m p.m u.s z.b d.h bzw usw'.split(
    ' ',
  ),
)
const LONGEST_ABBREVIATION = 8

/** The starts of the sentences between two offsets, the first being `start` itself. Blanks go with the one before. */
export function sentenceStarts(text: string, start: number, end: number): number[] {
  const starts = [start]
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    const next = isFullWidthStop(code) ? at + 1 : isStop(code) ? afterStop(text, start, at, end) : undefined
    if (next === undefined) continue
    const begin = skipBlanks(text, next, end)
    if (begin >= end) break
    if (begin > (starts.at(-1) ?? start)) starts.push(begin)
    at = begin - 1
  }
  return starts
}

/** Behind the stop and what closes with it, if that ends a sentence. */
function afterStop(text: string, start: number, stop: number, end: number): number | undefined {
  let at = stop + 1
  while (at < end && (isStop(text.charCodeAt(at)) || isCloser(text.charCodeAt(at)))) at++
  if (at >= end || !isBlank(text.charCodeAt(at))) return undefined
  const follows = text.charCodeAt(skipBlanks(text, at, end))
  if (follows >= 0x61 && follows <= 0x7a) return undefined
  if (text.charCodeAt(stop) === 0x2e && isAbbreviation(text, start, stop)) return undefined
  return at
}

function isAbbreviation(text: string, start: number, stop: number): boolean {
  let from = stop
  while (from > start && stop - from <= LONGEST_ABBREVIATION && isWordPart(text.charCodeAt(from - 1))) from--
  if (stop - from > LONGEST_ABBREVIATION) return false
  const word = text.slice(from, stop)
  // Also initials, and the numbers of a list ("1. Do this").
  return (
    /^[A-Z]$/.test(word) ||
    (/^\d{1,3}$/.test(word) && startsLine(text, start, from)) ||
    ABBREVIATIONS.has(word.toLowerCase())
  )
}

function startsLine(text: string, start: number, at: number): boolean {
  for (let i = at - 1; i >= start; i--) {
    const code = text.charCodeAt(i)
    if (code === 0x0a) return true
    if (code !== 0x20 && code !== 0x09) return false
    // A line that starts with this many blanks is no list.
    if (at - i > 40) return false
  }
  return true
}

function skipBlanks(text: string, from: number, end: number): number {
  let at = from
  while (at < end && isBlank(text.charCodeAt(at))) at++
  return at
}

const isStop = (code: number): boolean => code === 0x2e || code === 0x21 || code === 0x3f || code === 0x2026
const isFullWidthStop = (code: number): boolean => code === 0x3002 || code === 0xff01 || code === 0xff1f
const isCloser = (code: number): boolean =>
  code === 0x22 ||
  code === 0x27 ||
  code === 0x29 ||
  code === 0x5d ||
  code === 0x2a ||
  code === 0x5f ||
  code === 0x60 ||
  code === 0x201d ||
  code === 0x2019 ||
  code === 0xbb
const isWordPart = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39) || code === 0x2e
