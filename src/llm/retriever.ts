// How the rest of Midwatch asks the knowledge base: passages for a text, each with the place where it stands.
import type { ChatModel } from './chat.ts'

export interface RetrieveQuery {
  readonly tenant: string
  /** Reads only what the team may; undefined is a caller without a team. */
  readonly team?: string
  readonly text: string
  /** Names. One that is not there finds nothing. */
  readonly collections: readonly string[]
  readonly topK: number
  /** No more passages of one document than these; 2 where it is left out, 1 to search for documents. */
  readonly perDocument?: number
  /** Metadata that a document must have, exactly. */
  readonly filter?: Readonly<Record<string, string | number | boolean>>
  /** `hybrid` where it is left out. */
  readonly mode?: 'bm25' | 'vector' | 'hybrid'
  /** Helps with the search where the config wants that, at the expense of whoever asks; left out, no model is asked. */
  readonly chat?: ChatModel | undefined
}

export interface FoundPassage {
  readonly collection: string
  /** The document's id: its path relative to the ingested folder, its URL, or the id it was given. */
  readonly document: string
  readonly title: string
  /** Where it comes from, to open: a path or URL; null for text that was sent to us. */
  readonly source: string | null
  /** The headings above it, outermost first. */
  readonly headings: readonly string[]
  readonly text: string
  /** UTF-16 offsets in the document's text. */
  readonly start: number
  readonly end: number
  /** From 1; of formats with pages. */
  readonly page: number | null
  /** Greater is better; comparable within one answer alone. */
  readonly score: number
  readonly metadata: Readonly<Record<string, string | number | boolean>>
}

export interface Retrieved {
  /** Best first. */
  readonly passages: readonly FoundPassage[]
  /** Nothing fits: the passages, if any, are only the nearest. */
  readonly none: boolean
  /** How sure it is that the first fits, 0 to 1. */
  readonly confidence: number
  /** What could not be searched, and so may be missing from the answer; empty where all was. */
  readonly missing?: readonly MissingPart[]
}

/** A half of the search that failed, or that a collection does not have. */
export interface MissingPart {
  readonly half: 'words' | 'vectors'
  /** For a person. */
  readonly reason: string
}

export interface Retriever {
  /** Throws AppError when the query is wrong or the knowledge base cannot be asked. */
  retrieve(query: RetrieveQuery, signal: AbortSignal): Promise<Retrieved>
}
