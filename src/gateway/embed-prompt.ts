// How the semantic cache embeds a prompt: by a call of our own through the gateway, so that it is limited, charged to the
// caller of the request, and on the ledger like any other.
import { openAiEmbeddings } from '../dialects/openai-embeddings/dialect.ts'
import type { Audience } from './audience.ts'
import type { Embed } from './cache/embedder.ts'
import type { Outcome } from './outcome.ts'
import type { ModelCall } from './run.ts'

const EMBEDDING_PURPOSE = 'semantic cache'

/** `model`: a name from the config's models. What it returns throws whatever keeps the vectors from coming. */
export const embedThrough =
  (serve: (call: ModelCall, audience: Audience) => Promise<Outcome>, call: ModelCall, model: string): Embed =>
  async (texts, signal) => {
    const pieces: Uint8Array[] = []
    const outcome = await serve(
      {
        dialect: openAiEmbeddings,
        body: Buffer.from(JSON.stringify({ model, input: texts, encoding_format: 'float' })),
        caller: call.caller,
        user: call.user,
        requestId: call.requestId,
        signal,
        purpose: EMBEDDING_PURPOSE,
      },
      {
        begin: () => undefined,
        write: (frames) => {
          for (const { bytes } of frames) pieces.push(bytes)
          return undefined
        },
      },
    )
    if (outcome.kind === 'abandoned') throw new Error('the embedding was given up')
    // The caller's own limits have no room for it: that is no trouble of the embedder's, whom others ask as well.
    if (outcome.kind === 'refused' && outcome.errorType === 'limited') return []
    if (outcome.kind !== 'served') throw outcome.error
    const { events } = openAiEmbeddings.createReader({ decode: true, choices: 1 }).whole(Buffer.concat(pieces))
    return events.flatMap((event) =>
      event.kind === 'embeddings' ? event.vectors.map((one) => Float32Array.from(one)) : [],
    )
  }
