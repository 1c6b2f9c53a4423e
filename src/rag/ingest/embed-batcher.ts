// Texts of several documents embedded together. While batches are under way, what arrives gathers; so batches are as large
// as the load makes them, and nobody waits for a clock. A batch that the model refuses is tried again document by document:
// one text that it cannot take must not cost the others.
import { AppError } from '../../core/errors.ts'
import type { EmbeddingModel } from '../../llm/embedding.ts'

type Vectors = readonly Float32Array[]

interface Job {
  readonly texts: readonly string[]
  readonly vectors: Vectors[]
  left: number
  readonly resolve: (vectors: readonly Vectors[]) => void
  readonly reject: (error: unknown) => void
}

interface Piece {
  readonly job: Job
  readonly index: number
}

const MAX_TEXTS = 64
const MAX_CHARACTERS = 200_000
/** One is worked on while the next is on its way. */
const UNDER_WAY = 2

export class EmbedBatcher {
  readonly #model: EmbeddingModel
  readonly #signal: AbortSignal
  #waiting: Piece[] = []
  #underWay = 0
  #scheduled = false

  constructor(model: EmbeddingModel, signal: AbortSignal) {
    this.#model = model
    this.#signal = signal
  }

  /** As `embedPassages`, for one document. */
  async embed(texts: readonly string[]): Promise<readonly Vectors[]> {
    if (texts.length === 0) return []
    this.#signal.throwIfAborted()
    return await new Promise((resolve, reject) => {
      const job: Job = { texts, vectors: [], left: texts.length, resolve, reject }
      for (let index = 0; index < texts.length; index++) this.#waiting.push({ job, index })
      this.#pumpSoon()
    })
  }

  /** At the end of the turn, for other documents may have texts in this one too. */
  #pumpSoon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      while (this.#underWay < UNDER_WAY && this.#waiting.length > 0) void this.#run(this.#next())
    })
  }

  #next(): Piece[] {
    let characters = 0
    let count = 0
    for (const { job, index } of this.#waiting) {
      characters += job.texts[index]?.length ?? 0
      if (count === MAX_TEXTS || (count > 0 && characters > MAX_CHARACTERS)) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  async #run(batch: readonly Piece[]): Promise<void> {
    this.#underWay++
    try {
      await this.#embed(batch)
    } catch (error) {
      const jobs = [...new Set(batch.map(({ job }) => job))]
      if (jobs.length === 1 || !isOfTexts(error)) for (const job of jobs) job.reject(error)
      else for (const job of jobs) await this.#embed(batch.filter((piece) => piece.job === job)).catch(job.reject)
    } finally {
      this.#underWay--
      if (this.#waiting.length > 0) this.#pumpSoon()
    }
  }

  async #embed(batch: readonly Piece[]): Promise<void> {
    const vectors = await this.#model.embedPassages(
      batch.map(({ job, index }) => job.texts[index] ?? ''),
      this.#signal,
    )
    if (vectors.length !== batch.length) {
      throw new AppError(
        'upstream',
        `The embedding model ${this.#model.id} answered ${vectors.length} texts of ${batch.length}.`,
      )
    }
    batch.forEach(({ job, index }, i) => {
      job.vectors[index] = vectors[i] ?? []
      if (--job.left === 0) job.resolve(job.vectors)
    })
  }
}

/** Whether it is the texts that the model does not take, and not the model that fails. */
export const isOfTexts = (error: unknown): boolean =>
  error instanceof AppError && ['malformed', 'content_blocked', 'too_large'].includes(error.code)
