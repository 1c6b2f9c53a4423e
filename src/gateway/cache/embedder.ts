// Asks for the vector of a prompt, and never waits long for it: an embedder that is late or fails means no semantic hit,
// and is left alone for some seconds, so that one in trouble does not slow down every call.
import type { Log } from '../../observe/log.ts'
import { normalised } from './semantic-index.ts'

/** One vector for each text. */
export type Embed = (texts: readonly string[], signal: AbortSignal) => Promise<readonly Float32Array[]>

const PATIENCE_MS = 500
const PAUSE_MS = 5_000

export class Embedder {
  readonly #log: Log
  readonly #patienceMs: number
  /** Until when a model that embeds is left alone. */
  readonly #pausedUntilMs = new Map<string, number>()

  constructor({ log, patienceMs = PATIENCE_MS }: { readonly log: Log; readonly patienceMs?: number }) {
    this.#log = log
    this.#patienceMs = patienceMs
  }

  /** The vector at length 1; undefined where there is none in time. `model` is the one that embeds. */
  async vectorOf(model: string, text: string, embed: Embed, signal: AbortSignal): Promise<Float32Array | undefined> {
    if ((this.#pausedUntilMs.get(model) ?? 0) > performance.now()) return undefined
    const late = AbortSignal.timeout(this.#patienceMs)
    let onLate: (() => void) | undefined
    try {
      const [vector] = await Promise.race([
        embed([text], AbortSignal.any([signal, late])),
        // The embedder may not heed its signal.
        new Promise<never>((_resolve, reject) => {
          onLate = () => reject(late.reason as Error)
          late.addEventListener('abort', onLate, { once: true })
        }),
      ])
      return vector && normalised(vector)
    } catch (error) {
      if (signal.aborted) return undefined
      this.#pausedUntilMs.set(model, performance.now() + PAUSE_MS)
      this.#log.warn({ err: error, model }, 'prompts could not be embedded in time; the semantic cache does without')
      return undefined
    } finally {
      if (onLate) late.removeEventListener('abort', onLate)
    }
  }
}
