// A model file in the process. It is loaded when the provider is made, for that blocks the event loop for a moment and the
// start of Midwatch is when it hurts least; what fails then is tried again with the next call. Its own threads do the
// work, one fewer than there are cores, so that one is left for everybody else: with none left, they wait for each other.
import { availableParallelism } from 'node:os'
import { ProviderFailure } from '../../llm/provider.ts'
import type { ChatWrapper, EmbeddingContext, Library, Llama, LlamaModel, Sequence } from './library.ts'

export interface LocalModelOptions {
  /** A GGUF file. */
  readonly path: string
  /** As long as the model was trained for, up to 8192, where nothing is said. */
  readonly contextTokens: number | undefined
  /** How many answers it works on at once. */
  readonly parallel: number
  readonly load: () => Promise<Library>
}

interface Loaded {
  readonly library: Library
  readonly llama: Llama
  readonly model: LlamaModel
  readonly contextTokens: number
}

export interface Talking extends Loaded {
  readonly wrapper: ChatWrapper
  readonly sequences: Pool<Sequence>
}

const USUAL_CONTEXT_TOKENS = 8192
const THREADS = Math.max(1, availableParallelism() - 1)

export class LocalModel {
  readonly #options: LocalModelOptions
  #loaded: Promise<Loaded> | undefined
  #talking: Promise<Talking> | undefined
  #embedding: Promise<Pool<EmbeddingContext>> | undefined

  constructor(options: LocalModelOptions) {
    this.#options = options
    this.talking().catch(() => undefined)
  }

  /** Throws ProviderFailure. */
  async talking(): Promise<Talking> {
    this.#talking ??= this.#talk()
    return orForget(this.#talking, () => (this.#talking = undefined))
  }

  /** Throws ProviderFailure. */
  async embedding(): Promise<Pool<EmbeddingContext>> {
    this.#embedding ??= this.#embed()
    return orForget(this.#embedding, () => (this.#embedding = undefined))
  }

  async stop(): Promise<void> {
    const loaded = await this.#loaded?.catch(() => undefined)
    await loaded?.llama.dispose()
  }

  async #talk(): Promise<Talking> {
    const loaded = await this.#load()
    const { parallel, path } = this.#options
    const { library, model, contextTokens } = loaded
    try {
      const context = await model.createContext({ sequences: parallel, contextSize: contextTokens, threads: THREADS })
      const sequences = new Pool(Array.from({ length: parallel }, () => context.getSequence()))
      return { ...loaded, contextTokens: context.contextSize, wrapper: library.resolveChatWrapper(model), sequences }
    } catch (cause) {
      throw new ProviderFailure('upstream_unreachable', `${path} could not be made ready: ${said(cause)}`, { cause })
    }
  }

  async #embed(): Promise<Pool<EmbeddingContext>> {
    const { model, contextTokens } = await this.#load()
    try {
      return new Pool([await model.createEmbeddingContext({ contextSize: contextTokens, threads: THREADS })])
    } catch (cause) {
      throw new ProviderFailure('upstream_unreachable', `${this.#options.path} cannot embed: ${said(cause)}`, { cause })
    }
  }

  async #load(): Promise<Loaded> {
    this.#loaded ??= this.#open()
    return orForget(this.#loaded, () => (this.#loaded = undefined))
  }

  async #open(): Promise<Loaded> {
    const { load, path, contextTokens } = this.#options
    const library = await load()
    try {
      const llama = await library.getLlama({
        build: 'never',
        skipDownload: true,
        progressLogs: false,
        logLevel: 'error',
      })
      const model = await llama.loadModel({ modelPath: path })
      return {
        library,
        llama,
        model,
        contextTokens: contextTokens ?? Math.min(model.trainContextSize, USUAL_CONTEXT_TOKENS),
      }
    } catch (cause) {
      throw new ProviderFailure('upstream_unreachable', `${path} could not be loaded: ${said(cause)}`, { cause })
    }
  }
}

async function orForget<T>(work: Promise<T>, forget: () => void): Promise<T> {
  try {
    return await work
  } catch (error) {
    forget()
    throw error
  }
}

const said = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** Things that one at a time may use; who finds none waits in line. */
export class Pool<T> {
  readonly #free: T[]
  readonly #line = new Set<(one: T) => void>()

  constructor(all: readonly T[]) {
    this.#free = [...all]
  }

  /** Throws the signal's reason. */
  async use<R>(signal: AbortSignal, work: (one: T) => Promise<R>): Promise<R> {
    const one = await this.#take(signal)
    try {
      return await work(one)
    } finally {
      const [next] = this.#line
      if (next) {
        this.#line.delete(next)
        next(one)
      } else this.#free.push(one)
    }
  }

  #take(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    const one = this.#free.pop()
    if (one !== undefined) return Promise.resolve(one)
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#line.delete(give)
        reject(signal.reason as Error)
      }
      const give = (one: T) => {
        signal.removeEventListener('abort', onAbort)
        resolve(one)
      }
      this.#line.add(give)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}
