// What runs in the thread: a text to word pieces, and rows of word pieces to vectors.
import type * as Ort from 'onnxruntime-node'
import { AppError } from '../../core/errors.ts'
import { giveWay } from '../give-way.ts'
import type { Reading } from './windows.ts'

export type TextKind = 'passage' | 'query'

export interface Encoder {
  readonly id: string
  readonly dimension: number
  readonly reading: (kind: TextKind) => Reading
  /** A vector of unit length for each row of word pieces, none of them longer than `maxPieces`. */
  readonly encode: (rows: readonly (readonly number[])[], kind: TextKind) => Promise<Float32Array[]>
}

/** The runtime, opened with a model: small enough to leave the gateway its core, and no memory kept that a run needed. */
export async function openSession(
  file: string,
  threads: number,
): Promise<{ session: Ort.InferenceSession; ort: typeof Ort }> {
  const ort = await import('onnxruntime-node').catch((error: unknown) => {
    throw new AppError(
      'unavailable',
      `Embeddings cannot be computed here: onnxruntime-node does not run on ${process.platform}-${process.arch}. ` +
        'Set rag.embeddings to a model of a provider: { provider: gateway, model: … }.',
      { cause: error },
    )
  })
  giveWay()
  try {
    const session = await ort.InferenceSession.create(file, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      enableMemPattern: false,
      enableCpuMemArena: false,
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    })
    return { session, ort }
  } catch (error) {
    throw new AppError(
      'unavailable',
      `${file} is not an ONNX model that can be run. Export it again, or name another.`,
      {
        cause: error,
      },
    )
  }
}

/** At unit length, in place. Something without a direction becomes the first axis: a vector is never NaN. */
export function toUnitLength(vector: Float32Array): Float32Array {
  let sum = 0
  for (const x of vector) sum += x * x
  if (!(sum > 0) || sum === Infinity) {
    vector.fill(0)
    vector[0] = 1
    return vector
  }
  const length = Math.sqrt(sum)
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) / length
  return vector
}
