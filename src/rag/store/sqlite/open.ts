// The knowledge base in a file: FTS5 for words, vectors beside it. Two threads, one that writes and one that reads, so that a
// search never waits for an ingest and neither ever holds the main thread.
import { AppError } from '../../../core/errors.ts'
import type { Log } from '../../../observe/log.ts'
import { plain, plainDocument, plainMetadata } from '../plain-text.ts'
import type { EmbeddedPassage, Embedding, IndexQuery, KnowledgeStore, NewDocument } from '../store.ts'
import type { Reader } from './reader.ts'
import { ThreadClient } from './thread-client.ts'
import type { Writer } from './writer.ts'

/** What goes to the other thread at a time: its copy is made by the main thread. */
const PASSAGES_A_MESSAGE = 64

/**
 * Opens (and makes) the knowledge base in `file`. Throws AppError `unavailable` where that cannot be used, `internal` where a newer
 * Midwatch has written it.
 */
export async function openSqliteStore(file: string, { log }: { log: Log }): Promise<KnowledgeStore> {
  if (file === ':memory:') throw new AppError('internal', 'The knowledge base needs a file: its threads meet there.')
  const writer = await ThreadClient.start<Writer>({ file, use: 'write' }, log)
  try {
    return new SqliteStore(writer, await ThreadClient.start<Reader>({ file, use: 'read' }, log))
  } catch (error) {
    await writer.stop()
    throw error
  }
}

/** For tests, which end its threads. */
export class SqliteStore implements KnowledgeStore {
  readonly writer: ThreadClient<Writer>
  readonly reader: ThreadClient<Reader>
  #puts = 0

  constructor(writer: ThreadClient<Writer>, reader: ThreadClient<Reader>) {
    this.writer = writer
    this.reader = reader
  }

  /** Nothing is left to be done: what is put is searched as quickly as what was there. */
  async settle() {}

  settleSoon() {}

  createCollection({ tenant, name, teams }: { tenant: string; name: string; teams: readonly string[] }, now: number) {
    return this.writer.call('createCollection', { tenant, name, teams }, now)
  }

  ensureCollection(of: { tenant: string; name: string; teams?: readonly string[] }, now: number) {
    const { tenant, name, teams } = of
    return this.writer.call('ensureCollection', { tenant, name, ...(teams ? { teams } : {}) }, now)
  }

  findCollection(tenant: string, name: string) {
    return this.reader.call('findCollection', tenant, name)
  }

  listCollections(tenant: string) {
    return this.reader.call('listCollections', tenant)
  }

  allCollections() {
    return this.reader.call('allCollections')
  }

  dropCollection(id: string) {
    return this.writer.call('dropCollection', id)
  }

  async putDocument(collection: string, document: NewDocument, embedding: Embedding): Promise<void> {
    const put = ++this.#puts
    const { passages, ...rest } = plainDocument(document)
    const parts = Math.max(1, Math.ceil(passages.length / PASSAGES_A_MESSAGE))
    const part = (at: number): readonly EmbeddedPassage[] =>
      passages
        .slice(at * PASSAGES_A_MESSAGE, (at + 1) * PASSAGES_A_MESSAGE)
        .map((passage) => ({ ...passage, vectors: passage.vectors.map(alone) }))
    try {
      for (let at = 0; at < parts - 1; at++) await this.writer.call('stage', put, part(at))
      await this.writer.call('putDocument', collection, { ...rest, passages: part(parts - 1) }, embedding, put)
    } catch (error) {
      await this.writer.call('unstage', put).catch(() => undefined)
      throw error
    }
  }

  removeDocument(collection: string, document: string) {
    return this.writer.call('removeDocument', collection, plain(document))
  }

  listDocuments(collection: string, page: { after?: string; limit: number; prefix?: string }) {
    return this.reader.call('listDocuments', collection, page)
  }

  findDocument(collection: string, document: string) {
    return this.reader.call('findDocument', collection, plain(document))
  }

  eraseOwner(tenant: string, owner: string) {
    return this.writer.call('eraseOwner', tenant, plain(owner))
  }

  byWords(words: string, query: IndexQuery) {
    return this.reader.call('byWords', words, plainQuery(query))
  }

  wordCounts(words: string, collections: readonly string[]) {
    return this.reader.call('wordCounts', words, collections)
  }

  byVector(vector: Float32Array, model: string, query: IndexQuery) {
    return this.reader.call('byVector', alone(vector), model, plainQuery(query))
  }

  passages(ids: readonly string[]) {
    return this.reader.call('passages', ids)
  }

  passagesWithout(collection: string, model: string, limit: number) {
    return this.reader.call('passagesWithout', collection, model, limit)
  }

  putVectors(embedding: Embedding, of: readonly { passage: string; vectors: readonly Float32Array[] }[]) {
    return this.writer.call(
      'putVectors',
      embedding,
      of.map(({ passage, vectors }) => ({ passage, vectors: vectors.map(alone) })),
    )
  }

  switchEmbedding(collection: string, embedding: Embedding) {
    return this.writer.call('switchEmbedding', collection, embedding)
  }

  async stop(): Promise<void> {
    await this.writer.stop()
    await this.reader.stop()
  }
}

/** A view of a larger buffer would take all of that along. */
const alone = (vector: Float32Array): Float32Array =>
  vector.byteLength === vector.buffer.byteLength ? vector : vector.slice()

const plainQuery = (query: IndexQuery): IndexQuery => ({ ...query, filter: plainMetadata(query.filter) })
