// The templates of a stream of lines, each line's id held back a while: what later lines show about an earlier one (that a word
// of it is a variable) still counts for it. Only the ids are held, so looking far ahead costs little memory.
import { TemplateMiner } from './log-templates.ts'

export interface MinedLine {
  /** Of the input, from 1. */
  readonly line: number
  readonly id: number
  readonly template: string
}

/** Lines that are held back, at most. */
const LOOK_AHEAD = 100_000

export class TemplateStream {
  readonly #miner = new TemplateMiner()
  readonly #held: Uint32Array
  #count = 0
  #given = 0

  constructor(lookAhead = LOOK_AHEAD) {
    this.#held = new Uint32Array(lookAhead)
  }

  /** Takes the next line. True when no further fits before `release`. */
  add(line: string): boolean {
    this.#held[this.#count++] = this.#miner.add(line)
    return this.#count === this.#held.length
  }

  /** The lines held back, in order, with the templates as they stand now. Holds none afterwards. */
  *release(): Generator<MinedLine> {
    const count = this.#count
    const first = this.#given + 1
    this.#count = 0
    this.#given += count
    for (let i = 0; i < count; i++) {
      const { id = 0, text = '' } = this.#miner.findTemplate(this.#held[i] ?? 0) ?? {}
      yield { line: first + i, id, template: text }
    }
  }
}
