// Chunks of one stream are alike but for a few characters of text. One that differs from the chunk before in nothing but
// the text of its one string needs no parsing to be understood: this is most of what a stream is, and parsing it is most
// of what reading it costs.

/** As servers write the member, with and without a space. */
const MARKS = ['"content":"', '"content": "'] as const
/** What JSON writes otherwise than it means, and what may not stand in a string. */
// eslint-disable-next-line no-control-regex -- those are meant
const NOT_AS_IT_STANDS = /["\\\u0000-\u001f]/
/** After so many chunks that were not alike nobody looks any more: some servers put something new into each. */
const PATIENCE = 8

export class AlikeChunks {
  #head = ''
  #tail = ''
  #misses = 0

  /** The chunk's text, where all else in it is as in the one that was learnt; undefined where it has to be parsed. */
  textOf(data: string): string | undefined {
    const head = this.#head
    if (head === '') return undefined
    const end = data.length - this.#tail.length
    if (end > head.length && data.startsWith(head) && data.endsWith(this.#tail)) {
      const text = data.slice(head.length, end)
      if (!NOT_AS_IT_STANDS.test(text)) {
        this.#misses = 0
        return text
      }
    }
    return undefined
  }

  /** `data`: a chunk that says `text` in its one choice, and nothing else that counts. */
  learn(data: string, text: string): void {
    this.#head = ''
    if (this.#misses++ >= PATIENCE) return
    for (const mark of MARKS) {
      const at = data.indexOf(mark)
      // Inside of a string its quotes would be escaped: so this is a member, and with a second one nobody knows whose.
      if (at < 0 || data.includes(mark, at + 1)) continue
      const start = at + mark.length
      if (NOT_AS_IT_STANDS.test(text) || !data.startsWith(`${text}"`, start)) return
      this.#head = data.slice(0, start)
      this.#tail = data.slice(start + text.length)
      return
    }
  }
}
