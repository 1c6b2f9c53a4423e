// The cache of answers, exact and semantic. A request is looked up by everything that changes its answer; where the
// model's config allows it and that finds nothing, the text of the last user's message may differ as far as an embedding
// and the rules of agreement let it.
import type { ModelConfig } from '../../config/schema.ts'
import type { Clock } from '../../core/clock.ts'
import type { Dialect } from '../../llm/dialect.ts'
import type { Log } from '../../observe/log.ts'
import type { Facts } from '../outcome.ts'
import { traitsOf } from './agreement.ts'
import type { AnswerStore } from './answer-store.ts'
import { type CacheDirective, isCacheable, type UncacheableReason } from './cacheable.ts'
import type { CachedAnswer } from './cached-answer.ts'
import { type Embed, Embedder } from './embedder.ts'
import { findLastUserText } from './last-user-text.ts'
import { AnswerRecorder } from './record-answer.ts'
import { maySayAgain, type Replay, replay } from './replay.ts'
import type { RequestKey } from './request-key.ts'
import { type Prompt, SemanticIndex } from './semantic-index.ts'

export interface LookupRequest {
  readonly request: RequestKey
  readonly dialect: Dialect
  readonly settings: ModelConfig['cache']
  readonly directive: CacheDirective | null
  /** Asks the model named in the settings; absent where semantic hits cannot be had. */
  readonly embed?: Embed | undefined
  /** Of the request. */
  readonly signal: AbortSignal
}

export type Lookup =
  | { readonly kind: 'off'; readonly reason: UncacheableReason }
  | { readonly kind: 'hit'; readonly how: 'exact' | 'semantic'; readonly answer: CachedAnswer; readonly replay: Replay }
  | { readonly kind: 'miss'; readonly recording: Recording }

/** The answer to come. */
export interface Recording {
  readonly recorder: AnswerRecorder
  /** Call when it was served whole, with what ended the stream. */
  readonly keep: (closing: Uint8Array, facts: Facts) => void
}

export interface AnswerCacheOptions {
  readonly store: AnswerStore
  readonly clock: Clock
  readonly log: Log
}

export class AnswerCache {
  readonly #store: AnswerStore
  readonly #clock: Clock
  readonly #log: Log
  readonly #index: SemanticIndex
  readonly #embedder: Embedder
  /** Answers that were found fit to be told again. */
  readonly #fit = new WeakSet<CachedAnswer>()

  constructor({ store, clock, log }: AnswerCacheOptions) {
    this.#store = store
    this.#clock = clock
    this.#log = log
    this.#index = new SemanticIndex({ clock })
    this.#embedder = new Embedder({ log })
  }

  /** Never fails: whatever goes wrong is a miss. */
  async lookup(lookup: LookupRequest): Promise<Lookup> {
    const { request, settings, directive } = lookup
    const cacheable = isCacheable(request, settings, directive)
    if (cacheable.kind === 'no') return { kind: 'off', reason: cacheable.reason }
    let prompt: Prompt | undefined
    if (cacheable.read) {
      const exact = await this.#tell(lookup, request.exact)
      if (exact) return { kind: 'hit', how: 'exact', ...exact }
      prompt = await this.#embedded(lookup)
      const similar = prompt && (await this.#tellSimilar(lookup, prompt))
      if (similar) return { kind: 'hit', how: 'semantic', ...similar }
    }
    return { kind: 'miss', recording: this.#recording(lookup, prompt) }
  }

  async stop(): Promise<void> {
    await this.#store.stop()
  }

  #recording({ request, settings }: LookupRequest, prompt: Prompt | undefined): Recording {
    const recorder = new AnswerRecorder(request.ask)
    return {
      recorder,
      keep: (closing, facts) => {
        const answer = recorder.finish(closing, facts, this.#clock.now())
        if (!answer) return
        this.#store.set(request.exact, answer, settings.ttlSeconds)
        if (prompt) this.#index.add(prompt, request.exact, settings.ttlSeconds)
      },
    }
  }

  async #tellSimilar(lookup: LookupRequest, prompt: Prompt): Promise<Told | undefined> {
    for (const key of this.#index.find(prompt, lookup.settings.similarity)) {
      const told = await this.#tell(lookup, key)
      if (told) return told
      // The store has forgotten it, or it cannot be told.
      this.#index.delete(prompt.scope, key)
    }
    return undefined
  }

  async #tell({ request: { ask }, dialect }: LookupRequest, key: string): Promise<Told | undefined> {
    const answer = await this.#store.get(key)
    if (!answer) return undefined
    try {
      if (!this.#fit.has(answer)) {
        if (!maySayAgain(answer, ask, dialect)) {
          this.#store.delete(key)
          return undefined
        }
        this.#fit.add(answer)
      }
      const told = replay(answer, ask, dialect)
      return told && { answer, replay: told }
    } catch (error) {
      this.#store.delete(key)
      this.#log.warn({ err: error, dialect: dialect.name }, 'a kept answer could not be read; it is forgotten')
      return undefined
    }
  }

  async #embedded({ request, settings, embed, signal }: LookupRequest): Promise<Prompt | undefined> {
    if (settings.mode !== 'semantic' || !embed || settings.embeddings === undefined) return undefined
    const user = findLastUserText(request)
    const traits = user && traitsOf(user.text)
    if (!traits) return undefined
    const vector = await this.#embedder.vectorOf(settings.embeddings, user.text, embed, signal)
    return vector && { scope: `${settings.embeddings} ${request.around(user)}`, vector, traits }
  }
}

interface Told {
  readonly answer: CachedAnswer
  readonly replay: Replay
}
