// From bytes to passages, as the ingest needs it: whatever is wrong with a document is told as its own fault, and costs
// nobody else anything.
import type { Metadata, Passage, RawDocument } from '../document.ts'

export interface ReadDocument {
  readonly title: string
  readonly text: string
  readonly metadata: Metadata
  readonly passages: readonly Passage[]
}

export interface DocumentReader {
  /**
   * Tenants take turns. Throws AppError whose message says what is wrong with the document, and whatever `signal` was aborted
   * with.
   */
  read(raw: RawDocument, signal: AbortSignal, tenant: string): Promise<ReadDocument>
}
