// Text put together block by block, for formats whose files are no text that a reader could open.
import type { Block } from '../document.ts'

export class TextBuilder {
  readonly #blocks: Block[] = []
  readonly #parts: string[] = []
  #length = 0

  get blocks(): readonly Block[] {
    return this.#blocks
  }

  get text(): string {
    return this.#parts.join('')
  }

  /** A blank line stands between blocks, but rows of a table and items of a list follow each other's line. */
  add(block: Omit<Block, 'start' | 'end'>, text: string): void {
    const content = block.kind === 'code' ? text.replace(/^\n+|\s+$/g, '') : text.trim()
    if (content === '') return
    const last = this.#blocks.at(-1)
    const isNext = last?.kind === block.kind && (block.kind === 'table' || block.kind === 'list')
    if (last) this.#push(isNext ? '\n' : '\n\n')
    const start = this.#length
    this.#push(content)
    this.#blocks.push({ ...block, start, end: this.#length })
  }

  #push(text: string): void {
    this.#parts.push(text)
    this.#length += text.length
  }
}
