// Which kept answers were given to prompts like this one. It holds no answers, only where they are; and of the prompts
// only their vectors and what has to agree. In this process, bounded by bytes: the oldest go first.
import type { Clock } from '../../core/clock.ts'
import { agree, type Traits } from './agreement.ts'

export interface Prompt {
  /** Everything that has to be the same: the rest of the request, the tenant, the model that embeds. */
  readonly scope: string
  /** Of length 1. */
  readonly vector: Float32Array
  readonly traits: Traits
}

interface Entry extends Prompt {
  /** Of the answer. */
  readonly key: string
  readonly sizeBytes: number
  readonly untilMs: number
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024
/** More would hold up everybody else while they are compared. */
const MAX_IN_SCOPE = 512

export class SemanticIndex {
  readonly #clock: Clock
  readonly #maxBytes: number
  readonly #scopes = new Map<string, Map<string, Entry>>()
  /** All of them, the oldest first. */
  readonly #entries = new Set<Entry>()
  #sizeBytes = 0

  constructor({ clock, maxBytes = DEFAULT_MAX_BYTES }: { readonly clock: Clock; readonly maxBytes?: number }) {
    this.#clock = clock
    this.#maxBytes = maxBytes
  }

  /** Keys of the answers to prompts at least so similar (cosine) with which this one agrees, the most similar first. */
  find(prompt: Prompt, similarity: number): readonly string[] {
    const now = this.#clock.now()
    const found: { readonly key: string; readonly similarity: number }[] = []
    for (const entry of this.#scopes.get(prompt.scope)?.values() ?? []) {
      if (entry.untilMs <= now) this.#drop(entry)
      else {
        const cosine = dot(entry.vector, prompt.vector)
        if (cosine >= similarity && agree(entry.traits, prompt.traits))
          found.push({ key: entry.key, similarity: cosine })
      }
    }
    return found.sort((a, b) => b.similarity - a.similarity).map(({ key }) => key)
  }

  add(prompt: Prompt, key: string, ttlSeconds: number): void {
    this.delete(prompt.scope, key)
    const entry = { ...prompt, key, sizeBytes: sizeOf(prompt), untilMs: this.#clock.now() + ttlSeconds * 1000 }
    const scope = this.#scopes.get(prompt.scope) ?? new Map<string, Entry>()
    this.#scopes.set(prompt.scope, scope)
    scope.set(key, entry)
    this.#entries.add(entry)
    this.#sizeBytes += entry.sizeBytes
    const [oldestInScope] = scope.values()
    if (scope.size > MAX_IN_SCOPE && oldestInScope) this.#drop(oldestInScope)
    for (const oldest of this.#entries) {
      if (this.#sizeBytes <= this.#maxBytes) break
      this.#drop(oldest)
    }
  }

  delete(scope: string, key: string): void {
    const entry = this.#scopes.get(scope)?.get(key)
    if (entry) this.#drop(entry)
  }

  get size(): number {
    return this.#entries.size
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry)
    this.#sizeBytes -= entry.sizeBytes
    const scope = this.#scopes.get(entry.scope)
    scope?.delete(entry.key)
    if (scope?.size === 0) this.#scopes.delete(entry.scope)
  }
}

/** The vector at length 1; undefined for one that has no direction. */
export function normalised(vector: Float32Array): Float32Array | undefined {
  const length = Math.sqrt(dot(vector, vector))
  return Number.isFinite(length) && length > 0 ? vector.map((value) => value / length) : undefined
}

/** 0 for vectors of two models. */
function dot(one: Float32Array, other: Float32Array): number {
  if (one.length !== other.length) return 0
  let sum = 0
  for (let i = 0; i < one.length; i++) sum += (one[i] as number) * (other[i] as number)
  return sum
}

const sizeOf = ({ vector, traits }: Prompt): number =>
  512 + vector.byteLength + 64 * (traits.hard.length + traits.words.length + traits.names.length)
