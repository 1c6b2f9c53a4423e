// A text as the word pieces that USE-lite was trained on: the most likely cut by a unigram model (Kudo 2018), as the
// model's own tokenizer makes it, with its oddities: a place that no piece reaches counts as reached at 0, and of two
// equally likely cuts the one whose last piece begins later is taken.

/** Ids below are marks, no text: nothing is ever cut into them, save what is unknown. */
const MARKS = 6
const UNKNOWN = 0
const SPACE = '\u2581'

interface Node {
  /** −1: no piece ends here. */
  id: number
  score: number
  readonly next: Map<number, Node>
}

export type Cut = (text: string) => number[]

/** `vocabulary`: pieces with their log-likelihoods, as the model's package has them. Takes time in proportion to a text. */
export function createCut(vocabulary: readonly (readonly [string, number])[]): Cut {
  const root = node()
  const lengths = vocabulary.map(([piece]) => Array.from(piece).length)
  vocabulary.forEach(([piece, score], id) => {
    if (id < MARKS) return
    let at = root
    for (const symbol of piece) {
      const code = symbol.codePointAt(0) ?? 0
      let next = at.next.get(code)
      if (!next) at.next.set(code, (next = node()))
      at = next
    }
    at.id = id
    at.score = score
  })

  return (text) => {
    const normalized = text.normalize('NFKC')
    if (normalized === '') return []
    const symbols = Array.from(SPACE + normalized.replaceAll(' ', SPACE), (symbol) => symbol.codePointAt(0) ?? 0)
    const best = new Float64Array(symbols.length + 1)
    const last = new Int32Array(symbols.length + 1)
    for (let start = 0; start < symbols.length; start++) {
      const before = best[start] ?? 0
      let known = false
      let at = root.next.get(symbols[start] ?? 0)
      for (let end = start + 1; at; end++) {
        if (at.id >= 0) {
          known = true
          reach(end, at.score + before, at.id)
        }
        at = at.next.get(symbols[end] ?? -1)
      }
      if (!known) reach(start + 1, before, UNKNOWN)
    }
    const ids: number[] = []
    for (let end = symbols.length; end > 0;) {
      const id = last[end] ?? UNKNOWN
      // What is unknown counts once, however long.
      if (id !== UNKNOWN || ids.at(-1) !== UNKNOWN) ids.push(id)
      end -= lengths[id] ?? 1
    }
    return ids.toReversed()

    function reach(end: number, score: number, id: number): void {
      const standing = best[end] ?? 0
      if (standing !== 0 && score < standing) return
      best[end] = score
      last[end] = id
    }
  }
}

const node = (): Node => ({ id: -1, score: 0, next: new Map() })
