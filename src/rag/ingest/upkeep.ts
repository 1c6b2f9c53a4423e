// Keeps the collections of the config as their sources are: all at the start, and each again when its time has come. One
// after the other, for they share one model, and what else the process serves comes first. A source that fails is told, and
// tried again the next time; the others go on.
import type { CollectionConfig, RagConfig } from '../../config/rag-schema.ts'
import { DEFAULT_TENANT } from '../../core/caller.ts'
import type { Clock } from '../../core/clock.ts'
import { describeError } from '../../core/errors.ts'
import type { Log } from '../../observe/log.ts'
import type { OpenKnowledge } from '../knowledge.ts'
import type { KnowledgeMetrics } from '../metrics.ts'
import type { Collection } from '../store/store.ts'
import { documentsOf, type SeenFiles } from './ingest.ts'
import { isOfConfig, originOf } from './origin.ts'
import type { Failure, Progress } from './report.ts'

export interface Upkeep {
  start(): void
  /** By the collection's name. */
  state(): {
    readonly collections: Readonly<Record<string, CollectionState>>
    /** By the collection's name, of another tenant than the default one `tenant/name`. Passages that are embedded anew by the model that the config names, while the old one serves. */
    readonly embeddingAnew: Readonly<Record<string, { readonly done: number; readonly total: number }>>
  }
  stop(): Promise<void>
}

export type CollectionState =
  | { readonly state: 'waiting' }
  | { readonly state: 'reading'; readonly done: number; readonly total: number | null }
  | { readonly state: 'current'; readonly at: string; readonly failures: number; readonly first: readonly Failure[] }
  | { readonly state: 'failed'; readonly at: string; readonly reason: string }

export interface UpkeepOptions {
  readonly config: RagConfig
  readonly open: () => Promise<OpenKnowledge>
  readonly metrics: KnowledgeMetrics | undefined
  readonly clock: Clock
  readonly log: Log
}

/** Not more often than this, whatever fails and however short `everySeconds` is. */
const PAUSE_MS = 1_000
const TOLD_FAILURES = 20
/** Another process with another config may leave passages without vectors of ours. */
const LOOK_AGAIN_MS = 3_600_000
const RETRY_MS = 60_000

export function createUpkeep(options: UpkeepOptions): Upkeep {
  const stopping = new AbortController()
  const work = new Work(options, stopping.signal)
  let running: Promise<void> | undefined
  return {
    start: () => {
      running ??= work.run()
    },
    state: () => ({ collections: Object.fromEntries(work.states), embeddingAnew: Object.fromEntries(work.anew) }),
    stop: async () => {
      stopping.abort(new Error('Midwatch is being stopped'))
      await running
    },
  }
}

class Work {
  readonly states = new Map<string, CollectionState>()
  readonly anew = new Map<string, { readonly done: number; readonly total: number }>()
  readonly #options: UpkeepOptions
  readonly #signal: AbortSignal
  readonly #due = new Map<string, number>()
  readonly #seen = new Map<string, SeenFiles>()

  constructor(options: UpkeepOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
    for (const name of Object.keys(options.config.collections)) this.states.set(name, { state: 'waiting' })
  }

  async run(): Promise<void> {
    await Promise.all([this.#syncAll(), this.#embedAllAnew()])
  }

  async #syncAll(): Promise<void> {
    const { config, clock } = this.#options
    while (!this.#signal.aborted) {
      for (const [name, collection] of Object.entries(config.collections)) {
        if (this.#signal.aborted || (this.#due.get(name) ?? 0) > clock.now()) continue
        await this.#sync(name, collection)
        this.#due.set(name, clock.now() + collection.everySeconds * 1000)
      }
      await clock.sleep(PAUSE_MS, this.#signal).catch(() => undefined)
    }
  }

  /** Beside the reading, for it can take hours. Also what no config names: commands and callers made it. */
  async #embedAllAnew(): Promise<void> {
    while (!this.#signal.aborted) {
      const done = await this.#embedAnew()
      await this.#options.clock.sleep(done ? LOOK_AGAIN_MS : RETRY_MS, this.#signal).catch(() => undefined)
    }
  }

  async #sync(name: string, config: CollectionConfig): Promise<void> {
    const { open, clock, log, metrics } = this.#options
    const at = () => new Date(clock.now()).toISOString()
    try {
      const knowledge = await open()
      const { tenant, teams } = config
      const collection = await knowledge.store.ensureCollection({ tenant, name, teams }, clock.now())
      const { failures, problems } = await this.#read(knowledge, collection, name, config)
      if (problems.length > 0) this.states.set(name, { state: 'failed', at: at(), reason: problems.join('; ') })
      else
        this.states.set(name, {
          state: 'current',
          at: at(),
          failures: failures.length,
          first: failures.slice(0, TOLD_FAILURES),
        })
    } catch (error) {
      if (this.#signal.aborted) return
      const reason = describeError(error)
      metrics?.failed()
      if (isNews(this.states.get(name), reason))
        log.error({ collection: name, reason }, 'a collection could not be brought up to date')
      this.states.set(name, { state: 'failed', at: at(), reason })
    }
  }

  async #read(knowledge: OpenKnowledge, collection: Collection, name: string, config: CollectionConfig) {
    const { log, metrics } = this.#options
    const failures: Failure[] = []
    const problems: string[] = []
    const sources = await knowledge.sources.ofConfig(name, config)
    for (const source of sources) {
      const seen = this.#seen.get(`${name} ${source.place}`) ?? new Map()
      this.#seen.set(`${name} ${source.place}`, seen)
      const onProgress = ({ done, total }: Progress) => void this.states.set(name, { state: 'reading', done, total })
      try {
        const report = await knowledge.ingest(
          collection,
          source,
          { by: 'config', prune: 'auto', onProgress, seen },
          this.#signal,
        )
        failures.push(...report.failures)
        const { added, changed, removed } = report.documents
        if (added + changed + removed > 0 || report.gaps.length > 0)
          log.info(
            { collection: name, place: source.place, ...report.documents, gaps: report.gaps, tookMs: report.tookMs },
            'a source was read into its collection',
          )
      } catch (error) {
        this.#signal.throwIfAborted()
        metrics?.failed()
        problems.push(describeError(error))
        log.warn(
          { collection: name, place: source.place, reason: describeError(error) },
          'a source could not be read; what was stored of it stays',
        )
      }
    }
    await this.#dropSources(knowledge, collection, new Set(sources.map(({ place }) => originOf('config', place))))
    return { failures, problems }
  }

  /** What came from a source that the config does not name any more. */
  async #dropSources({ store }: OpenKnowledge, collection: Collection, named: ReadonlySet<string>): Promise<void> {
    const gone: string[] = []
    for await (const { id, origin } of documentsOf(store, collection.id))
      if (origin !== null && isOfConfig(origin) && !named.has(origin)) gone.push(id)
    for (const id of gone) {
      this.#signal.throwIfAborted()
      await store.removeDocument(collection.id, id)
    }
  }

  /** Whether all collections have their vectors by the model that the config names. */
  async #embedAnew(): Promise<boolean> {
    const { open, log } = this.#options
    try {
      const knowledge = await open()
      knowledge.store.settleSoon()
      for (const collection of await knowledge.store.allCollections()) {
        if (this.#signal.aborted) return false
        const label = labelOf(collection)
        const tell = (done: number) => void this.anew.set(label, { done, total: collection.passages })
        if (collection.embedding !== null && collection.embedding.model !== knowledge.models.current.id) tell(0)
        const count = await knowledge.reembed(collection, tell, this.#signal).finally(() => this.anew.delete(label))
        if (count > 0) log.info({ collection: label, passages: count }, 'a collection is embedded anew')
      }
      return true
    } catch (error) {
      if (!this.#signal.aborted)
        log.warn({ reason: describeError(error) }, 'the collections could not be embedded anew; it is tried again')
      return false
    }
  }
}

/** Tenants may have collections of one name. */
const labelOf = ({ tenant, name }: Collection): string => (tenant === DEFAULT_TENANT ? name : `${tenant}/${name}`)

/** The same trouble is told once, not every few minutes. */
const isNews = (before: CollectionState | undefined, reason: string): boolean =>
  before?.state !== 'failed' || before.reason !== reason
