// What the knowledge base keeps, whatever keeps it: SQLite with FTS5, or PostgreSQL with pgvector. One
// contract suite over both. Every read is by collections that the caller was found to may read: tenants meet nowhere.
import type { Metadata, Passage } from '../document.ts'

export interface Collection {
  readonly id: string
  readonly tenant: string
  /** Unique in its tenant. */
  readonly name: string
  /** Who may read it; empty is the whole tenant. */
  readonly teams: readonly string[]
  /** By what its vectors were made; null until the first. Searches use these, also while others are made anew. */
  readonly embedding: Embedding | null
  readonly createdAt: number
  readonly documents: number
  readonly passages: number
}

export interface Embedding {
  readonly model: string
  readonly dimension: number
}

export interface StoredDocument {
  readonly id: string
  readonly title: string
  readonly source: string | null
  /** Of the bytes and of how they are parsed and cut: the same means that nothing has to be done. */
  readonly contentHash: string
  readonly metadata: Metadata
  readonly owner: string | null
  /** The source that brought it (`cli folder:/srv/runbooks`): only it may remove it. null: it was sent to us. */
  readonly origin: string | null
  readonly ingestedAt: number
  readonly passages: number
}

export interface NewDocument extends Omit<StoredDocument, 'passages'> {
  readonly text: string
  readonly passages: readonly EmbeddedPassage[]
}

export interface EmbeddedPassage extends Passage {
  readonly vectors: readonly Float32Array[]
}

export interface IndexQuery {
  readonly collections: readonly string[]
  readonly filter: Metadata
  readonly limit: number
}

/** Greater is better. */
export interface Hit {
  readonly passage: string
  readonly document: string
  readonly score: number
}

export interface WordCounts {
  /** Of all collections asked. */
  readonly passages: number
  readonly words: readonly WordCount[]
}

export interface WordCount {
  /** Lower case. */
  readonly text: string
  /** Of an identifier, and not a word of the question itself. */
  readonly part: boolean
  readonly passages: number
}

export interface StoredPassage extends Passage {
  readonly id: string
  /** The collection's id. */
  readonly collection: string
  readonly document: string
  readonly title: string
  readonly source: string | null
  readonly metadata: Metadata
}

export interface KnowledgeStore {
  /** null where there is one of this name already, whose teams nobody who comes later may change by that. */
  createCollection(
    of: { tenant: string; name: string; teams: readonly string[] },
    now: number,
  ): Promise<Collection | null>
  /** What is there stays as it is, but for its teams where they are given. */
  ensureCollection(of: { tenant: string; name: string; teams?: readonly string[] }, now: number): Promise<Collection>
  findCollection(tenant: string, name: string): Promise<Collection | null>
  listCollections(tenant: string): Promise<readonly Collection[]>
  /** Of every tenant: for upkeep, never for a caller. */
  allCollections(): Promise<readonly Collection[]>
  /** With everything in it. Whether it was there. */
  dropCollection(id: string): Promise<boolean>

  /** Replaces the whole document in one transaction: old passages are never found together with new ones. */
  putDocument(collection: string, document: NewDocument, embedding: Embedding): Promise<void>
  removeDocument(collection: string, document: string): Promise<boolean>
  /** In order of id, behind `after`. */
  listDocuments(
    collection: string,
    page: { after?: string; limit: number; prefix?: string },
  ): Promise<readonly StoredDocument[]>
  findDocument(collection: string, document: string): Promise<(StoredDocument & { readonly text: string }) | null>
  /** Everything that is a user's, in every collection of the tenant. How many documents. */
  eraseOwner(tenant: string, owner: string): Promise<number>

  /** BM25 over titles, headings and texts. `words` is what somebody asked, never a query language. */
  byWords(words: string, query: IndexQuery): Promise<readonly Hit[]>
  /** In how many passages each word of a question is, however often: what is rare says most. Words as `byWords` takes them. */
  wordCounts(words: string, collections: readonly string[]): Promise<WordCounts>
  /** Cosine with the nearest of each passage's vectors, among those made by `model`. */
  byVector(vector: Float32Array, model: string, query: IndexQuery): Promise<readonly Hit[]>
  /** In the order asked; what is gone is left out. */
  passages(ids: readonly string[]): Promise<readonly StoredPassage[]>

  /** Passages that have no vectors of `model` yet, for a change of model beside the one that serves. */
  passagesWithout(collection: string, model: string, limit: number): Promise<readonly StoredPassage[]>
  /** Adds vectors; passages that are gone by now are left out. */
  putVectors(embedding: Embedding, of: readonly { passage: string; vectors: readonly Float32Array[] }[]): Promise<void>
  /** From now on searches use `embedding`; other vectors are removed. */
  switchEmbedding(collection: string, embedding: Embedding): Promise<void>

  /**
   * After much was put: makes what searches are quick by. May take minutes, while everything goes on; ends early, and without an
   * error, when the signal is aborted or the store is stopped.
   */
  settle(collection: string, signal: AbortSignal): Promise<void>
  /** The same in the background, of all collections: what another process left undone. What fails is logged. */
  settleSoon(): void

  stop(): Promise<void>
}
