// What changes the store; runs in the writing thread. Each operation is one transaction: a reader sees it whole or not at all,
// and so does whoever opens the file after a crash.
import { AppError } from '../../../core/errors.ts'
import { newId } from '../../../core/ids.ts'
import type { Collection, EmbeddedPassage, Embedding, NewDocument } from '../store.ts'
import { passageNumber } from '../bounds.ts'
import { checkVectors, quantize, signCodes } from '../vectors.ts'
import type { Database } from './database.ts'
import { loadCollections } from './rows.ts'
import { compactWords, createWordIndex, dropWordIndex, forgetWords, indexWords } from './word-index.ts'

/** As many are remembered at least; whoever is farther behind reads all anew. */
const GONE_KEPT = 100_000

interface CollectionHead {
  readonly n: number
  readonly model: string | null
}

export class Writer {
  readonly #db: Database
  /** Passages of documents that are sent in several parts, until the last. */
  readonly #staged = new Map<number, EmbeddedPassage[]>()

  constructor(db: Database) {
    this.#db = db
  }

  createCollection(of: { tenant: string; name: string; teams: readonly string[] }, now: number): Collection | null {
    const db = this.#db
    return db.write(() => (this.#makeCollection(of, now) ? this.#getCollection(of) : null))
  }

  ensureCollection(of: { tenant: string; name: string; teams?: readonly string[] }, now: number): Collection {
    const db = this.#db
    return db.write(() => {
      const { tenant, name, teams } = of
      if (!this.#makeCollection({ tenant, name, teams: teams ?? [] }, now) && teams !== undefined)
        db.run('update collections set teams = ? where tenant = ? and name = ?', JSON.stringify(teams), tenant, name)
      return this.#getCollection(of)
    })
  }

  dropCollection(id: string): boolean {
    const db = this.#db
    return db.write(() => {
      const collection = this.#head(id)
      if (!collection) return false
      const { n } = collection
      dropWordIndex(db, n)
      this.#dropIndexes(n, null)
      for (const statement of [
        'delete from document_texts where document in (select n from documents where collection = ?)',
        'delete from document_metadata where collection = ?',
        'delete from passages where collection = ?',
        'delete from documents where collection = ?',
        'delete from collections where n = ?',
      ])
        db.run(statement, n)
      return true
    })
  }

  /** A part of the passages of a document that `putDocument` will name by the same number. */
  stage(put: number, passages: readonly EmbeddedPassage[]): void {
    const staged = this.#staged.get(put)
    if (staged) staged.push(...passages)
    else this.#staged.set(put, [...passages])
  }

  unstage(put: number): void {
    this.#staged.delete(put)
  }

  /** The document's own passages come behind those staged as `put`. */
  putDocument(collection: string, document: NewDocument, embedding: Embedding, put: number): void {
    const passages = [...(this.#staged.get(put) ?? []), ...document.passages]
    this.#staged.delete(put)
    for (const { vectors } of passages) checkVectors(vectors, embedding)
    const db = this.#db
    db.write(() => {
      const { n: into, model } = this.#getHead(collection)
      const index = this.#ensureIndex(into, embedding)
      if (model === null) this.#serve(into, embedding)
      this.#remove(into, document.id)
      const { lastId: n } = db.run(
        `insert into documents (collection, id, title, source, content_hash, metadata, owner, origin, ingested_at, passages)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        into,
        document.id,
        document.title,
        document.source,
        document.contentHash,
        JSON.stringify(document.metadata),
        document.owner,
        document.origin,
        document.ingestedAt,
        passages.length,
      )
      db.run('insert into document_texts (document, text) values (?, ?)', n, document.text)
      for (const [key, value] of Object.entries(document.metadata))
        db.run(
          'insert into document_metadata (collection, key, value, document) values (?, ?, ?, ?)',
          into,
          key,
          JSON.stringify(value),
          n,
        )
      for (const passage of passages) {
        const { headings, text } = passage
        const { lastId } = db.run(
          `insert into passages (document, collection, ordinal, headings, start_at, end_at, page, text)
           values (?, ?, ?, ?, ?, ?, ?, ?)`,
          n,
          into,
          passage.ordinal,
          JSON.stringify(headings),
          passage.start,
          passage.end,
          passage.page,
          text,
        )
        indexWords(db, into, { n: lastId, title: document.title, headings, text })
        this.#putVectors(index, embedding, { passage: lastId, document: n, vectors: passage.vectors })
      }
    })
  }

  removeDocument(collection: string, document: string): boolean {
    return this.#db.write(() => {
      const head = this.#head(collection)
      return head !== undefined && this.#remove(head.n, document)
    })
  }

  /** What is removed is overwritten, in the indexes and the log too: it is nowhere in the files when this returns. */
  eraseOwner(tenant: string, owner: string): number {
    const db = this.#db
    const rows = db.all<{ id: string; collection: number }>(
      `select d.id, d.collection from documents d join collections c on c.n = d.collection
       where c.tenant = ? and d.owner = ?`,
      tenant,
      owner,
    )
    if (rows.length === 0) return 0
    db.exec('pragma secure_delete = on')
    try {
      db.write(() => {
        for (const { id, collection } of rows) this.#remove(collection, id)
        for (const collection of new Set(rows.map((row) => row.collection))) compactWords(db, collection)
      })
      db.exec('pragma wal_checkpoint(truncate)')
    } finally {
      db.exec('pragma secure_delete = off')
    }
    return rows.length
  }

  putVectors(embedding: Embedding, of: readonly { passage: string; vectors: readonly Float32Array[] }[]): void {
    for (const { vectors } of of) checkVectors(vectors, embedding)
    const db = this.#db
    db.write(() => {
      const indexes = new Map<number, number>()
      for (const { passage, vectors } of of) {
        const n = passageNumber(passage)
        const at = db.get<{ document: number; collection: number }>(
          'select document, collection from passages where n = ?',
          n,
        )
        if (!at) continue
        const index = indexes.get(at.collection) ?? this.#ensureIndex(at.collection, embedding)
        indexes.set(at.collection, index)
        db.run('delete from codes where passage = ? and vector_index = ?', n, index)
        this.#putVectors(index, embedding, { passage: n, document: at.document, vectors })
      }
    })
  }

  switchEmbedding(collection: string, embedding: Embedding): void {
    this.#db.write(() => {
      const { n } = this.#getHead(collection)
      const index = this.#ensureIndex(n, embedding)
      this.#serve(n, embedding)
      this.#dropIndexes(n, index)
    })
  }

  /** Whether it was not there. */
  #makeCollection(of: { tenant: string; name: string; teams: readonly string[] }, now: number): boolean {
    const { changes, lastId } = this.#db.run(
      `insert into collections (id, tenant, name, teams, created_at) values (?, ?, ?, ?, ?)
       on conflict (tenant, name) do nothing`,
      newId('col', now),
      of.tenant,
      of.name,
      JSON.stringify(of.teams),
      now,
    )
    if (changes > 0) createWordIndex(this.#db, lastId)
    return changes > 0
  }

  #getCollection({ tenant, name }: { tenant: string; name: string }): Collection {
    const [collection] = loadCollections(this.#db, 'c.tenant = ? and c.name = ?', tenant, name)
    if (!collection) throw new AppError('internal')
    return collection
  }

  #head(id: string): CollectionHead | undefined {
    return this.#db.get<CollectionHead>('select n, model from collections where id = ?', id)
  }

  #getHead(id: string): CollectionHead {
    const head = this.#head(id)
    if (!head) throw new AppError('not_found', `There is no collection ${id} (any more).`)
    return head
  }

  #serve(collection: number, { model, dimension }: Embedding): void {
    this.#db.run('update collections set model = ?, dimension = ? where n = ?', model, dimension, collection)
  }

  #ensureIndex(collection: number, { model, dimension }: Embedding): number {
    const known = this.#db.get<{ n: number; dimension: number }>(
      'select n, dimension from vector_indexes where collection = ? and model = ?',
      collection,
      model,
    )
    if (known && known.dimension !== dimension)
      throw new AppError(
        'conflict',
        `The collection has vectors of ${model} with ${known.dimension} numbers, these have ${dimension}. Give the model another name.`,
      )
    return (
      known?.n ??
      this.#db.run(
        'insert into vector_indexes (collection, model, dimension) values (?, ?, ?)',
        collection,
        model,
        dimension,
      ).lastId
    )
  }

  #dropIndexes(collection: number, except: number | null): void {
    const db = this.#db
    for (const { n } of db.all<{ n: number }>('select n from vector_indexes where collection = ?', collection)) {
      if (n === except) continue
      db.run('delete from codes where vector_index = ?', n)
      db.run('delete from vector_indexes where n = ?', n)
    }
    this.#forgetGone()
  }

  #putVectors(
    index: number,
    { dimension }: Embedding,
    of: { readonly passage: number; readonly document: number; readonly vectors: readonly Float32Array[] },
  ): void {
    const { lastId } = this.#db.run(
      'insert into codes (vector_index, passage, document, codes) values (?, ?, ?, ?)',
      index,
      of.passage,
      of.document,
      new Uint8Array(signCodes(of.vectors, dimension).buffer),
    )
    this.#db.run(
      'insert into vectors (code, bytes) values (?, ?)',
      lastId,
      new Uint8Array(quantize(of.vectors, dimension).buffer),
    )
  }

  #remove(collection: number, id: string): boolean {
    const db = this.#db
    const found = db.get<{ n: number }>('select n from documents where collection = ? and id = ?', collection, id)
    if (!found) return false
    const { n } = found
    forgetWords(db, collection, n)
    for (const statement of [
      'delete from codes where passage in (select n from passages where document = ?)',
      'delete from passages where document = ?',
      'delete from document_metadata where document = ?',
      'delete from document_texts where document = ?',
      'delete from documents where n = ?',
    ])
      db.run(statement, n)
    this.#forgetGone()
    return true
  }

  #forgetGone(): void {
    this.#db.run('delete from codes_gone where n <= (select max(n) from codes_gone) - ?', GONE_KEPT)
  }
}
