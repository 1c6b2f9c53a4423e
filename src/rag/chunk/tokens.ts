// How many word pieces a text is about, without the model's vocabulary: sizes have to be the same whatever model embeds.
// Never splits lower: the estimate of a text is at most the sum of those of its parts, so sums are safe bounds.

const LETTERS_PER_PIECE = 5
const DIGITS_PER_PIECE = 2

/** Pieces in `text` from `start` to `end`: words by length, digits by twos, every sign and every CJK character one. */
export function estimateTokens(text: string, start = 0, end = text.length): number {
  return scan(text, start, end, Infinity).tokens
}

/** Where a text of at most `limit` tokens from `start` ends: behind a blank if one is near, else inside a word. */
export function endOfTokens(text: string, start: number, end: number, limit: number): number {
  const { at, lastBlank } = scan(text, start, end, limit)
  if (at >= end || lastBlank > start + (at - start) / 2) return at >= end ? end : lastBlank
  return Math.max(start + 1, isLowSurrogate(text.charCodeAt(at)) ? at - 1 : at)
}

/** Counts up to the character that would be one token too many. `lastBlank` is the place behind the last blank. */
function scan(
  text: string,
  start: number,
  end: number,
  limit: number,
): { readonly tokens: number; readonly at: number; readonly lastBlank: number } {
  let tokens = 0
  let letters = 0
  let digits = 0
  let lastBlank = -1
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    const before = tokens
    if (isLetter(code)) {
      if (letters % LETTERS_PER_PIECE === 0) tokens++
      letters++
      digits = 0
    } else if (code >= 0x30 && code <= 0x39) {
      if (digits % DIGITS_PER_PIECE === 0) tokens++
      digits++
      letters = 0
    } else {
      letters = 0
      digits = 0
      if (isBlank(code)) lastBlank = at + 1
      else tokens++
    }
    if (tokens > limit) return { tokens: before, at, lastBlank }
  }
  return { tokens, at: end, lastBlank }
}

export function isBlank(code: number): boolean {
  return (
    code === 0x20 ||
    (code >= 0x09 && code <= 0x0d) ||
    code === 0xa0 ||
    code === 0xfeff ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  )
}

/** Of an alphabet, whose words are several letters a piece; CJK and what is unknown count singly. */
function isLetter(code: number): boolean {
  if (code < 0x80) return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)
  return code >= 0xc0 && code < 0x2000
}

const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff
