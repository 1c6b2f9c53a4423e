// What a parser of one format makes of a document, before the source's own title and metadata are laid over it.
import type { Block, Metadata } from '../document.ts'

export interface Parsed {
  readonly text: string
  readonly blocks: readonly Block[]
  readonly title?: string | undefined
  readonly metadata?: Metadata
}
