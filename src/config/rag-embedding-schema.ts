// How the knowledge base makes vectors of texts.
import { z } from 'zod'
import { modelName } from './fields.ts'

export const ragEmbeddingSchema = z
  .discriminatedUnion('provider', [
    /** The model that is installed with Midwatch. */
    z.strictObject({ provider: z.literal('local') }),
    /** An encoder as Hugging Face exports it: a folder with model.onnx and tokenizer.json. */
    z.strictObject({
      provider: z.literal('onnx'),
      path: z.string().min(1),
      /** What the model wants before a text, where its own files do not say: `query: ` for e5. */
      queryPrefix: z.string().max(200).optional(),
      passagePrefix: z.string().max(200).optional(),
    }),
    /** Of `models`, through our own gateway: a provider's, or a GGUF file's. */
    z.strictObject({ provider: z.literal('gateway'), model: modelName }),
  ])
  .prefault({ provider: 'local' })

export type RagEmbeddingConfig = z.infer<typeof ragEmbeddingSchema>
