// Where documents come from, whatever it is: a folder, a page, a git repository, a file of JSON lines. A source tells
// everything it holds; what it does not tell any more is gone, unless it says that it could not look everywhere.
import type { RawDocument } from '../document.ts'

export interface Source {
  /** The same for the same place, however often it is read: `folder:/srv/runbooks`. */
  readonly place: string
  /** Throws AppError when the source cannot be read at all. */
  list(signal: AbortSignal): Promise<Listing>
  /** Keeps what the next reading is quicker by. */
  finish?(): Promise<void>
}

export interface Listing {
  /** null where only the end tells. */
  readonly total: number | null
  readonly items: AsyncIterable<SourceItem> | Iterable<SourceItem>
}

export type SourceItem =
  | {
      readonly kind: 'document'
      readonly id: string
      /** About as much as it holds in memory; for the bound of what is worked on at once. */
      readonly sizeBytes: number
      /** Changes whenever the content does, and costs nothing to know: the times and the number of a file. */
      readonly looks?: string
      /** `known`: the content's hash as it is stored, if it could stay so. Throws AppError, whose message names the reason. */
      read(known: string | undefined, signal: AbortSignal): Promise<ReadResult>
    }
  /** It is there, but cannot become a document. What was stored of it stays. */
  | { readonly kind: 'bad'; readonly id: string; readonly reason: string }
  /** A part of the source could not be looked at: what is missing may still be there. */
  | { readonly kind: 'gap'; readonly reason: string }

export type ReadResult =
  | {
      readonly kind: 'read'
      readonly document: RawDocument
      /** Told the content's hash once the document stands in the store. */
      readonly stored?: (contentHash: string) => void
    }
  | { readonly kind: 'unchanged' }
  /** The source itself says that it is no more. */
  | { readonly kind: 'gone'; readonly reason: string }

/** No single document may be larger: it is held whole, with its passages and their vectors. */
export const MAX_DOCUMENT_BYTES = 32 * 1024 * 1024
