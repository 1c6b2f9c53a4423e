// What of a text a model reads at a time. A text that it can read whole is one window; of a longer one it is groups of
// sentences, for the nearest sentence tells more of a passage than the mean of all (measured: the right passage first in
// .90 against .75). However long and strange a text is, the work on it is bounded: its beginning is read.

export interface Reading {
  /** Word pieces without the model's own marks. */
  readonly cut: (text: string) => readonly number[]
  /** The most that the model reads at a time. */
  readonly maxPieces: number
  /** Sentences are taken together until they have as many. */
  readonly fewestPieces: number
}

/** About 3,000 words: passages are far shorter, and the rest of a text that is not is left to its words. */
const MAX_CHARACTERS = 16_384
const MAX_WINDOWS = 32
/** Cutting takes time in proportion to a stretch, or worse. */
const MAX_STRETCH = 1_024

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' })

/** Empty for a blank text. */
export function windowsOf(text: string, reading: Reading): readonly (readonly number[])[] {
  const read = beginningOf(text, MAX_CHARACTERS)
  if (read.trim() === '') return []
  if (read.length <= MAX_STRETCH || read.length <= reading.maxPieces * 4) {
    const whole = read.length <= MAX_STRETCH ? reading.cut(read) : stretchesOf(read).flatMap(reading.cut)
    if (whole.length > 0 && whole.length <= reading.maxPieces) return [whole]
  }
  const windows: number[][] = []
  let window: number[] = []
  for (const { segment } of sentences.segment(read)) {
    for (const stretch of stretchesOf(segment.trim())) {
      const pieces = reading.cut(stretch)
      const full = window.length + pieces.length > reading.maxPieces
      if (window.length > 0 && (full || window.length >= reading.fewestPieces)) {
        windows.push(window)
        window = []
      }
      for (const piece of pieces) {
        if (window.length === reading.maxPieces) {
          windows.push(window)
          window = []
        }
        window.push(piece)
      }
      if (windows.length >= MAX_WINDOWS) return windows.slice(0, MAX_WINDOWS)
    }
  }
  // A short rest is no sentence of its own.
  const last = windows.at(-1)
  if (last && window.length < reading.fewestPieces && last.length + window.length <= reading.maxPieces)
    last.push(...window)
  else if (window.length > 0) windows.push(window)
  return windows.length > 0 ? windows : [[]]
}

/** The beginning of a question, as much as the model reads. */
export function firstWindow(text: string, { cut, maxPieces }: Reading): readonly number[] {
  const pieces: number[] = []
  for (const stretch of stretchesOf(beginningOf(text.trim(), MAX_CHARACTERS / 2))) {
    pieces.push(...cut(stretch))
    if (pieces.length >= maxPieces) break
  }
  return pieces.slice(0, maxPieces)
}

/** Cut at a space where there is one. */
function stretchesOf(text: string): string[] {
  const stretches: string[] = []
  let rest = text
  while (rest.length > MAX_STRETCH) {
    const space = rest.lastIndexOf(' ', MAX_STRETCH)
    const first = space > MAX_STRETCH / 2 ? rest.slice(0, space) : beginningOf(rest, MAX_STRETCH)
    stretches.push(first)
    rest = rest.slice(first.length).trimStart()
  }
  if (rest !== '') stretches.push(rest)
  return stretches
}

/** Never half of a surrogate pair. */
function beginningOf(text: string, length: number): string {
  if (text.length <= length) return text
  const code = text.charCodeAt(length - 1)
  return text.slice(0, code >= 0xd800 && code <= 0xdbff ? length - 1 : length)
}
