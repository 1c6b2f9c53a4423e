// The knowledge base in PostgreSQL, for several processes that share one. Whoever writes into a collection holds its row, so that
// what is counted about it stays true.
import type { PoolClient } from 'pg'
import { AppError } from '../../../core/errors.ts'
import { newId } from '../../../core/ids.ts'
import type { Log } from '../../../observe/log.ts'
import { plain, plainDocument, plainMetadata } from '../plain-text.ts'
import type { Embedding, Hit, IndexQuery, KnowledgeStore, NewDocument } from '../store.ts'
import { boundedLimit, MAX_COUNTED, passageNumber } from '../bounds.ts'
import { checkVectors } from '../vectors.ts'
import { queryTerms } from '../words.ts'
import { Connections, failure } from './connection.ts'
import { insertDocument, removeDocument } from './documents.ts'
import { GraphSettler } from './graph-settler.ts'
import { foldLexemes } from './lexeme-counts.ts'
import { type DocumentRow, toDocument } from '../rows.ts'
import { DOCUMENT_COLUMNS, loadCollections, loadPassages } from './rows.ts'
import { prepareSchema } from './schema.ts'
import {
  EXACT_PASSAGES,
  addVectors,
  dropIndexes,
  ensureIndex,
  type Index,
  removeVectors,
  searchVectors,
} from './vector-index.ts'
import { countWords, searchWords, type Statistics } from './word-search.ts'

/**
 * Connects to the database at `url` and makes what is missing in it, in a schema of its own. Throws AppError `unavailable` where it
 * cannot be reached or lacks pgvector 0.8. Of `exactPassages` and fewer, all vectors are looked at.
 */
export async function openPostgresStore(
  url: string,
  { log, exactPassages = EXACT_PASSAGES }: { log: Log; exactPassages?: number },
): Promise<KnowledgeStore> {
  const connections = new Connections(url, log)
  try {
    await prepareSchema(connections.pool)
    const { rows } = await connections.pool.query<{ type: number }>("select 'halfvec'::regtype::oid::int as type")
    return new PostgresStore(connections, { exactPassages, halfvec: rows[0]?.type ?? 0, log })
  } catch (error) {
    await connections.stop()
    throw failure(error)
  }
}

interface CollectionHead {
  readonly n: number
  readonly model: string | null
}

interface StoreOptions {
  readonly exactPassages: number
  readonly halfvec: number
  readonly log: Log
}

/** So many passages are put before it is looked whether a graph has to be built. */
const LOOKED_AFTER = 1_000

class PostgresStore implements KnowledgeStore {
  readonly #connections: Connections
  readonly #exactPassages: number
  readonly #halfvec: number
  readonly #log: Log
  readonly #settler: GraphSettler
  #put = 0

  constructor(connections: Connections, { exactPassages, halfvec, log }: StoreOptions) {
    this.#connections = connections
    this.#exactPassages = exactPassages
    this.#halfvec = halfvec
    this.#log = log
    this.#settler = new GraphSettler(connections.pool, exactPassages)
  }

  /** In the background: what fails here is tried again by whoever puts more. */
  settleSoon(): void {
    this.#settler.settle(null, 'amid').catch((error: unknown) => {
      this.#log.warn({ err: error }, 'a graph of vectors could not be built; its collection is searched without')
    })
  }

  async settle(collection: string, signal: AbortSignal): Promise<void> {
    await this.#connections.write(async (client) => {
      const head = await hold(client, collection)
      if (head) await foldLexemes(client, head.n)
    })
    await this.#settler.settle(collection, 'after', signal)
  }

  createCollection(of: { tenant: string; name: string; teams: readonly string[] }, now: number) {
    return this.#connections.write(async (client) => {
      const { rowCount } = await client.query(
        `insert into collections (id, tenant, name, teams, created_at) values ($1, $2, $3, $4, $5)
         on conflict (tenant, name) do nothing`,
        [newId('col', now), of.tenant, of.name, JSON.stringify(of.teams), now],
      )
      return (rowCount ?? 0) > 0 ? getCollection(client, of) : null
    })
  }

  ensureCollection(of: { tenant: string; name: string; teams?: readonly string[] }, now: number) {
    return this.#connections.write(async (client) => {
      const teams = of.teams && JSON.stringify(of.teams)
      await client.query(
        `insert into collections as c (id, tenant, name, teams, created_at) values ($1, $2, $3, $4, $5)
         on conflict (tenant, name) do update set teams = coalesce($6::jsonb, c.teams)`,
        [newId('col', now), of.tenant, of.name, teams ?? '[]', now, teams ?? null],
      )
      return getCollection(client, of)
    })
  }

  findCollection(tenant: string, name: string) {
    return this.#connections.read(
      async (client) => (await loadCollections(client, 'c.tenant = $1 and c.name = $2', [tenant, name]))[0] ?? null,
    )
  }

  listCollections(tenant: string) {
    return this.#connections.read((client) => loadCollections(client, 'c.tenant = $1', [tenant]))
  }

  allCollections() {
    return this.#connections.read((client) => loadCollections(client, 'true', []))
  }

  dropCollection(id: string) {
    return this.#connections.write(async (client) => {
      const head = await hold(client, id)
      if (!head) return false
      await dropIndexes(client, head.n, null)
      for (const table of ['lexeme_changes', 'lexemes', 'passages', 'documents'])
        await client.query(`delete from ${table} where collection = $1`, [head.n])
      await client.query('delete from collections where n = $1', [head.n])
      return true
    })
  }

  async putDocument(collection: string, given: NewDocument, embedding: Embedding): Promise<void> {
    for (const { vectors } of given.passages) checkVectors(vectors, embedding)
    const document = plainDocument(given)
    await this.#connections.write(async (client) => {
      const { n, model } = await holdThere(client, collection)
      const index = await ensureIndex(client, n, embedding)
      if (model === null) await serve(client, n, embedding)
      await removeDocument(client, n, document.id)
      await insertDocument(client, n, document, { n: index, dimension: embedding.dimension, type: this.#halfvec })
    })
    this.#countPut(document.passages.length)
  }

  removeDocument(collection: string, document: string) {
    return this.#connections.write(async (client) => {
      const head = await hold(client, collection)
      return head !== undefined && (await removeDocument(client, head.n, plain(document)))
    })
  }

  listDocuments(collection: string, page: { after?: string; limit: number; prefix?: string }) {
    return this.#connections.read(async (client) => {
      const { after = '', prefix = '' } = page
      const { rows } = await client.query<DocumentRow>(
        `select ${DOCUMENT_COLUMNS} from documents
         where collection = (select n from collections where id = $1) and id > $2 and id >= $3 and starts_with(id, $3)
         order by id limit $4`,
        [collection, plain(after), plain(prefix), Math.max(0, page.limit)],
      )
      return rows.map(toDocument)
    })
  }

  findDocument(collection: string, document: string) {
    return this.#connections.read(async (client) => {
      const { rows } = await client.query<DocumentRow & { text: string }>(
        'select * from documents where collection = (select n from collections where id = $1) and id = $2',
        [collection, plain(document)],
      )
      const [row] = rows
      return row ? { ...toDocument(row), text: row.text } : null
    })
  }

  eraseOwner(tenant: string, owner: string) {
    return this.#connections.write(async (client) => {
      const { rows: held } = await client.query<{ n: number }>(
        'select n from collections where tenant = $1 order by n for update',
        [tenant],
      )
      const { rows } = await client.query<{ id: string; collection: number }>(
        'select id, collection from documents where owner = $1 and collection = any($2)',
        [plain(owner), held.map(({ n }) => n)],
      )
      for (const { id, collection } of rows) await removeDocument(client, collection, id)
      return rows.length
    })
  }

  byWords(words: string, query: IndexQuery): Promise<readonly Hit[]> {
    const terms = queryTerms(words)
    const limit = boundedLimit(query)
    if (terms.length === 0 || limit === 0) return Promise.resolve([])
    return this.#connections.read(async (client) => {
      const { rows } = await client.query<Statistics & { n: number }>(
        'select n, passages, words from collections where id = any($1)',
        [query.collections],
      )
      const found = await searchWords(client, {
        terms,
        collections: rows.map(({ n }) => n),
        statistics: {
          passages: rows.reduce((sum, { passages }) => sum + passages, 0),
          words: rows.reduce((sum, row) => sum + row.words, 0),
        },
        metadata: filterOf(query),
        limit,
      })
      return found.map(hitOf)
    })
  }

  wordCounts(words: string, collections: readonly string[]) {
    const terms = queryTerms(words).slice(0, MAX_COUNTED)
    return this.#connections.read((client) => countWords(client, terms, collections))
  }

  byVector(vector: Float32Array, model: string, query: IndexQuery): Promise<readonly Hit[]> {
    const limit = boundedLimit(query)
    return this.#connections.read(async (client) => {
      const { rows } = await client.query<Index>(
        `select i.n, i.collection, i.dimension, i.settled from vector_indexes i join collections c on c.n = i.collection
         where c.id = any($1) and i.model = $2`,
        [query.collections, model],
      )
      const found = []
      for (const index of rows) {
        checkVectors([vector], { model, dimension: index.dimension })
        found.push(
          ...(await searchVectors(client, index, vector, filterOf(query), {
            limit,
            exactPassages: this.#exactPassages,
          })),
        )
      }
      return found
        .sort((a, b) => b.score - a.score || a.passage - b.passage)
        .slice(0, limit)
        .map(hitOf)
    })
  }

  passages(ids: readonly string[]) {
    return this.#connections.read(async (client) => {
      const loaded = await loadPassages(client, 'where p.n = any($1)', [ids.map(passageNumber)])
      const found = new Map(loaded.map((passage) => [passage.id, passage]))
      return ids.flatMap((id) => found.get(id) ?? [])
    })
  }

  passagesWithout(collection: string, model: string, limit: number) {
    return this.#connections.read((client) =>
      loadPassages(
        client,
        `where c.id = $1 and not exists (
           select 1 from embedded e join vector_indexes i on i.n = e.vector_index
           where e.passage = p.n and i.collection = c.n and i.model = $2)
         order by p.n limit $3`,
        [collection, model, Math.max(0, limit)],
      ),
    )
  }

  async putVectors(embedding: Embedding, of: readonly { passage: string; vectors: readonly Float32Array[] }[]) {
    for (const { vectors } of of) checkVectors(vectors, embedding)
    await this.#connections.write(async (client) => {
      const numbers = of.map(({ passage }) => passageNumber(passage))
      await client.query(
        `select n from collections where n in (select collection from passages where n = any($1)) order by n for update`,
        [numbers],
      )
      const { rows } = await client.query<{ n: number; document: number; collection: number }>(
        'select n, document, collection from passages where n = any($1)',
        [numbers],
      )
      const there = new Map(rows.map((row) => [row.n, row]))
      for (const collection of new Set(rows.map((row) => row.collection))) {
        const index = await ensureIndex(client, collection, embedding)
        const added = of.flatMap(({ passage, vectors }) => {
          const row = there.get(passageNumber(passage))
          return row?.collection === collection ? [{ passage: row.n, document: row.document, vectors }] : []
        })
        for (const { passage } of added) await removeVectors(client, index, 'passage', passage)
        await addVectors(client, { n: index, dimension: embedding.dimension, type: this.#halfvec }, added)
      }
    })
    this.#countPut(of.length)
  }

  switchEmbedding(collection: string, embedding: Embedding) {
    return this.#connections.write(async (client) => {
      const { n } = await holdThere(client, collection)
      const index = await ensureIndex(client, n, embedding)
      await serve(client, n, embedding)
      await dropIndexes(client, n, index)
    })
  }

  async stop() {
    await this.#settler.stop()
    await this.#connections.stop()
  }

  #countPut(passages: number): void {
    this.#put += passages
    if (this.#put < LOOKED_AFTER) return
    this.#put = 0
    this.settleSoon()
  }
}

async function getCollection(client: PoolClient, { tenant, name }: { tenant: string; name: string }) {
  const [collection] = await loadCollections(client, 'c.tenant = $1 and c.name = $2', [tenant, name])
  if (!collection) throw new AppError('internal')
  return collection
}

/** Keeps every other writer out of the collection until the transaction ends. */
async function hold(client: PoolClient, id: string): Promise<CollectionHead | undefined> {
  const { rows } = await client.query<CollectionHead>('select n, model from collections where id = $1 for update', [id])
  return rows[0]
}

async function holdThere(client: PoolClient, id: string): Promise<CollectionHead> {
  const head = await hold(client, id)
  if (!head) throw new AppError('not_found', `There is no collection ${id} (any more).`)
  return head
}

async function serve(client: PoolClient, collection: number, { model, dimension }: Embedding): Promise<void> {
  await client.query('update collections set model = $2, dimension = $3 where n = $1', [collection, model, dimension])
}

const filterOf = ({ filter }: IndexQuery): string | null =>
  Object.keys(filter).length === 0 ? null : JSON.stringify(plainMetadata(filter))

const hitOf = ({ passage, document, score }: { passage: number; document: string; score: number }): Hit => ({
  passage: String(passage),
  document,
  score,
})
