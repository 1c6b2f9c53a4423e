// What a character is, by its code; NaN (beyond the end) is nothing. A letter is one of the alphabets whose words are
// set apart by spaces: a number directly behind Chinese text stands by itself, one behind `é` belongs to a word.

export const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

export const isUpper = (code: number): boolean => code >= 0x41 && code <= 0x5a

export const isLetter = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0xc0 && code <= 0x2af && code !== 0xd7 && code !== 0xf7) ||
  (code >= 0x370 && code <= 0x52f)

export const isAlphanumeric = (code: number): boolean => isDigit(code) || isLetter(code)

export const isWord = (code: number): boolean => isDigit(code) || isLetter(code) || code === 0x5f

/** Letters, digits, `_` and `-`: what most keys and tokens are made of. */
export const isTokenCode = (code: number): boolean =>
  isDigit(code) || (code >= 0x61 && code <= 0x7a) || isUpper(code) || code === 0x5f || code === 0x2d

const BACKSLASH = 0x5c

/** Whether the character before `at` belongs to the same word. The n of a written-out `\n` does not. */
export function wordBefore(text: string, at: number): boolean {
  const code = text.charCodeAt(at - 1)
  if (!isWord(code)) return false
  return !(isEscapeLetter(code) && text.charCodeAt(at - 2) === BACKSLASH)
}

/** n, r, t, b, f: what stands behind the backslash in JSON that is quoted inside a text. */
export const isEscapeLetter = (code: number): boolean =>
  code === 0x6e || code === 0x72 || code === 0x74 || code === 0x62 || code === 0x66
