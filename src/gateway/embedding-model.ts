// An embeddings model of a provider as the knowledge base asks for it: through the gateway like everyone else, so that it
// is limited, charged and on the ledger, and its fallbacks and micro-batches serve here too.
import type { Caller } from '../core/caller.ts'
import { AppError } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { openAiEmbeddings } from '../dialects/openai-embeddings/dialect.ts'
import type { EmbeddingModel } from '../llm/embedding.ts'
import type { Gateway } from './gateway.ts'

const PURPOSE = 'knowledge'
/** What every provider takes in one request. */
const MAX_TEXTS = 64
/** About 2,000 tokens: what every model reads. A longer text becomes several, and of one that never ends the beginning. */
const MAX_CHARACTERS = 6_000
const MAX_WINDOWS = 32

/**
 * `model`: a name from the config's models. `caller` is who is charged. One call finds out the dimension; throws AppError
 * where it cannot be had.
 */
export async function createGatewayEmbedding(
  gateway: Pick<Gateway, 'serve'>,
  caller: Caller,
  model: string,
  signal: AbortSignal,
): Promise<EmbeddingModel> {
  const ask = async (texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> => {
    signal.throwIfAborted()
    const pieces: Uint8Array[] = []
    const body = { model, input: texts.map((text) => text.toWellFormed()), encoding_format: 'float' }
    const outcome = await gateway.serve(
      {
        dialect: openAiEmbeddings,
        body: Buffer.from(JSON.stringify(body)),
        caller,
        requestId: newId('req'),
        signal,
        purpose: PURPOSE,
      },
      {
        begin: () => undefined,
        write: (frames) => {
          for (const { bytes } of frames) pieces.push(bytes)
          return undefined
        },
      },
    )
    switch (outcome.kind) {
      case 'refused':
      case 'failed':
        throw outcome.error
      case 'abandoned':
        signal.throwIfAborted()
        throw new AppError('client_gone')
      case 'served': {
        const { events } = openAiEmbeddings.createReader({ decode: true, choices: 1 }).whole(Buffer.concat(pieces))
        const vectors = events.flatMap((event) => (event.kind === 'embeddings' ? event.vectors : []))
        if (vectors.length !== texts.length) {
          throw new AppError('upstream', `The model ${model} gave ${vectors.length} vectors for ${texts.length} texts.`)
        }
        return vectors.map((vector) => toUnitLength(model, Float32Array.from(vector)))
      }
    }
  }

  const [probe] = await ask(['dimension'], signal)
  const dimension = probe?.length ?? 0
  const askSame = async (texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> => {
    const vectors = await ask(texts, signal)
    const other = vectors.find((vector) => vector.length !== dimension)
    if (other) {
      const message = `The model ${model} gave ${other.length} dimensions where it gave ${dimension} before. All its targets have to be one model.`
      throw new AppError('upstream', message)
    }
    return vectors
  }

  return {
    id: `gateway:${model}`,
    dimension,
    embedPassages: async (texts, signal) => {
      const windows = texts.map(windowsOf)
      const all = windows.flat()
      const vectors: Float32Array[] = []
      for (let from = 0; from < all.length; from += MAX_TEXTS)
        vectors.push(...(await askSame(all.slice(from, from + MAX_TEXTS), signal)))
      let next = 0
      return windows.map(({ length }) => vectors.slice(next, (next += length)))
    },
    embedQuery: async (text, signal) => {
      const [vector] = await askSame([windowsOf(text)[0] ?? '?'], signal)
      if (!vector) throw new AppError('upstream', `The model ${model} gave no vector.`)
      return vector
    },
    stop: async () => undefined,
  }
}

/** Empty for a blank text, which providers refuse. Cut at a space where there is one. */
function windowsOf(text: string): string[] {
  const windows: string[] = []
  for (let at = 0; at < text.length && windows.length < MAX_WINDOWS;) {
    const space = text.length - at > MAX_CHARACTERS ? text.lastIndexOf(' ', at + MAX_CHARACTERS) : -1
    const end = space > at + MAX_CHARACTERS / 2 ? space : at + MAX_CHARACTERS
    const window = text.slice(at, end).trim()
    if (window !== '') windows.push(window)
    at = end
  }
  return windows
}

function toUnitLength(model: string, vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  if (!(length > 0 && length < Infinity))
    throw new AppError('upstream', `The model ${model} gave a vector without a direction.`)
  return vector.map((x) => x / length)
}
