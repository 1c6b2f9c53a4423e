// From a source into a collection. A document is read, and passed over when it is as it is stored; else it is parsed, cut,
// embedded and put in place of the old one in a single transaction. Nothing else is kept of where a run is: one that was
// killed is simply run again, and does only what is missing. Several documents are worked on at once, within a bound of
// memory. What a run finds missing in its source it removes, if it saw all of the source, and only what it brought.
//
// Two runs over one source at a time (one-at-a-time.ts keeps them apart where it can) do the same work twice and harm nothing: a run
// removes only what was stored before it began to look.
import type { Clock } from '../../core/clock.ts'
import { AppError, describeError } from '../../core/errors.ts'
import type { EmbeddingModel } from '../../llm/embedding.ts'
import type { RawDocument } from '../document.ts'
import type { Collection, KnowledgeStore, StoredDocument } from '../store/store.ts'
import { BoundedWork } from './bounded-work.ts'
import { contentHash, isOfRecipe, type Recipe } from './content-hash.ts'
import { EmbedBatcher } from './embed-batcher.ts'
import { type AskedBy, findConflict, isOwn, originOf } from './origin.ts'
import { DocumentFault, putDocument } from './put-document.ts'
import type { DocumentReader } from './reader.ts'
import type { Counts, IngestReport, Progress } from './report.ts'
import type { ReadResult, Source, SourceItem } from './source.ts'

export interface IngestParts {
  readonly store: KnowledgeStore
  readonly model: EmbeddingModel
  readonly reader: DocumentReader
  /** Of the reader. */
  readonly recipe: Recipe
  readonly clock: Clock
}

export interface IngestOptions {
  readonly by: AskedBy
  /** auto: what is gone from the source goes, but not all of it at once, for that is more often a disk that is not mounted. */
  readonly prune: 'auto' | 'always' | 'never'
  readonly onProgress?: (progress: Progress) => void
  /** Another process reads the same source into the same collection: it is waited for. */
  readonly onWait?: () => void
  /** What former runs of this process saw, so that files that look the same need not be read. */
  readonly seen?: SeenFiles
}

/** By document. */
export type SeenFiles = Map<
  string,
  { readonly looks: string; readonly hash: string } | { readonly looks: string; readonly reason: string }
>

/** Bounds of what is worked on at once. */
const BOUNDS = { count: 32, weight: 8 * 1024 * 1024 }

/** Throws AppError when the source, the model or the store fails; what stands by then is whole, and stays. */
export async function ingestSource(
  parts: IngestParts,
  collection: Collection,
  source: Source,
  options: IngestOptions,
  signal: AbortSignal,
): Promise<IngestReport> {
  const run = new Run(parts, collection, source, options, signal)
  return run.go()
}

/** One document that was sent to us. Throws AppError. */
export async function ingestDocument(
  parts: IngestParts,
  collection: Collection,
  raw: RawDocument,
  signal: AbortSignal,
): Promise<{ readonly kind: 'stored'; readonly passages: number } | { readonly kind: 'unchanged' }> {
  const hash = contentHash(parts.recipe, raw)
  const before = await parts.store.findDocument(collection.id, raw.id)
  if (before?.contentHash === hash) return { kind: 'unchanged' }
  const tools = { ...parts, batcher: new EmbedBatcher(parts.model, signal) }
  try {
    const passages = await putDocument(tools, { collection, raw, hash, origin: null }, signal)
    return { kind: 'stored', passages }
  } catch (error) {
    if (error instanceof DocumentFault) throw new AppError('malformed', error.message, { cause: error })
    throw error
  }
}

type DocumentItem = Extract<SourceItem, { kind: 'document' }>

/** What is stored of a document as a run begins. */
interface Before {
  readonly hash: string
  readonly origin: string | null
}

class Run {
  readonly #parts: IngestParts
  readonly #collection: Collection
  readonly #source: Source
  readonly #options: IngestOptions
  readonly #signal: AbortSignal
  readonly #stopping = new AbortController()
  readonly #batcher: EmbedBatcher
  readonly #origin: string
  readonly #before = new Map<string, Before>()
  readonly #listed = new Set<string>()
  readonly #gone = new Set<string>()
  readonly #counts = { added: 0, changed: 0, unchanged: 0, removed: 0, failed: 0 }
  readonly #failures: { document: string; reason: string }[] = []
  readonly #gaps: string[] = []
  #total: number | null = null
  #passages = 0

  constructor(parts: IngestParts, collection: Collection, source: Source, options: IngestOptions, signal: AbortSignal) {
    this.#parts = parts
    this.#collection = collection
    this.#source = source
    this.#options = options
    this.#signal = AbortSignal.any([signal, this.#stopping.signal])
    this.#batcher = new EmbedBatcher(parts.model, this.#signal)
    this.#origin = originOf(options.by, source.place)
  }

  async go(): Promise<IngestReport> {
    const startedAt = this.#parts.clock.now()
    // Before the source is looked at: what another run stores from now on is none of ours to remove.
    for await (const { id, contentHash: hash, origin } of documentsOf(this.#parts.store, this.#collection.id)) {
      this.#before.set(id, { hash, origin })
    }
    const { items, total } = await this.#source.list(this.#signal)
    this.#total = total
    await this.#takeAll(items)
    await this.#prune()
    await this.#source.finish?.()
    return {
      place: this.#source.place,
      documents: { ...this.#counts },
      passages: this.#passages,
      failures: this.#failures,
      gaps: this.#gaps,
      tookMs: this.#parts.clock.now() - startedAt,
    }
  }

  async #takeAll(items: AsyncIterable<SourceItem> | Iterable<SourceItem>): Promise<void> {
    const work = new BoundedWork(BOUNDS, (error) => this.#stopping.abort(error))
    try {
      for await (const item of items) {
        this.#signal.throwIfAborted()
        await work.begin(item.kind === 'document' ? item.sizeBytes : 0, () => this.#take(item))
      }
    } finally {
      await work.end()
    }
    this.#signal.throwIfAborted()
  }

  async #take(item: SourceItem): Promise<void> {
    if (item.kind === 'gap') {
      this.#gaps.push(item.reason)
      return
    }
    if (this.#listed.has(item.id)) return this.#fail(item.id, 'The source has a document of this name already.')
    this.#listed.add(item.id)
    if (item.kind === 'bad') return this.#fail(item.id, item.reason)
    const before = this.#before.get(item.id)
    const conflict = before && findConflict(item.id, before.origin, this.#origin)
    if (conflict !== undefined) return this.#fail(item.id, conflict)
    const mine = before && isOwn(before.origin, this.#origin) ? before : undefined
    const seen = this.#options.seen?.get(item.id)
    if (seen !== undefined && seen.looks === item.looks) {
      if ('reason' in seen) return this.#fail(item.id, seen.reason)
      if (seen.hash === mine?.hash) return this.#count('unchanged')
    }
    const lookedAt = this.#parts.clock.now()
    try {
      await this.#read(item, mine, lookedAt)
    } catch (error) {
      if (!(error instanceof DocumentFault)) throw error
      this.#remember(item, lookedAt, { reason: error.message })
      this.#fail(item.id, error.message)
    }
  }

  async #read(item: DocumentItem, mine: Before | undefined, lookedAt: number): Promise<void> {
    const { recipe } = this.#parts
    const known = mine !== undefined && isOfRecipe(mine.hash, recipe) ? mine.hash : undefined
    const result = await this.#readFrom(item, known)
    if (result.kind === 'gone') {
      this.#gone.add(item.id)
      return this.#fail(item.id, result.reason)
    }
    if (result.kind === 'unchanged') {
      if (known === undefined) throw new DocumentFault('It was told to be unchanged, and is not here.')
      return this.#count('unchanged')
    }
    const hash = contentHash(recipe, result.document)
    if (hash === mine?.hash) this.#count('unchanged')
    else {
      const tools = { ...this.#parts, batcher: this.#batcher }
      const origin = mine?.origin ?? this.#origin
      const of = { collection: this.#collection, raw: result.document, hash, origin }
      const passages = await putDocument(tools, of, this.#signal)
      this.#passages += passages
      this.#count(this.#before.has(item.id) ? 'changed' : 'added')
    }
    result.stored?.(hash)
    this.#remember(item, lookedAt, { hash })
  }

  async #readFrom(item: DocumentItem, known: string | undefined): Promise<ReadResult> {
    try {
      return await item.read(known, this.#signal)
    } catch (error) {
      this.#signal.throwIfAborted()
      throw new DocumentFault(describeError(error))
    }
  }

  /** A file that changed a moment ago may change again without looking any different. */
  #remember(item: DocumentItem, at: number, what: { hash: string } | { reason: string }): void {
    const { looks } = item
    const changedMs =
      looks === undefined
        ? 0
        : Math.max(
            ...looks
              .split(' ')
              .slice(3)
              .map((ns) => Number(ns) / 1e6),
          )
    if (looks !== undefined && changedMs < at - 2000) this.#options.seen?.set(item.id, { looks, ...what })
  }

  async #prune(): Promise<void> {
    const missing = [...this.#before]
      .filter(([id, { origin }]) => isOwn(origin, this.#origin) && (!this.#listed.has(id) || this.#gone.has(id)))
      .map(([id]) => id)
    if (missing.length === 0 || this.#options.prune === 'never') return
    if (this.#listed.size === 0 && this.#options.prune === 'auto')
      this.#gaps.push(
        `there is nothing at all; its ${missing.length} documents are kept, until it is pruned on purpose`,
      )
    if (this.#gaps.length > 0) return
    for (const id of missing) {
      this.#signal.throwIfAborted()
      if (await this.#parts.store.removeDocument(this.#collection.id, id)) this.#counts.removed++
      this.#options.seen?.delete(id)
    }
    this.#tell()
  }

  #fail(document: string, reason: string): void {
    this.#failures.push({ document, reason })
    this.#count('failed')
  }

  #count(as: keyof Counts): void {
    this.#counts[as]++
    this.#tell()
  }

  #tell(): void {
    const { added, changed, unchanged, failed } = this.#counts
    this.#options.onProgress?.({
      done: added + changed + unchanged + failed,
      total: this.#total,
      passages: this.#passages,
      counts: { ...this.#counts },
    })
  }
}

const PAGE = 1000

/** Every document of a collection, by name. */
export async function* documentsOf(store: KnowledgeStore, collection: string): AsyncGenerator<StoredDocument> {
  for (let after: string | undefined; ;) {
    const page = await store.listDocuments(collection, { ...(after === undefined ? {} : { after }), limit: PAGE })
    yield* page
    after = page.at(-1)?.id
    if (page.length < PAGE || after === undefined) return
  }
}
