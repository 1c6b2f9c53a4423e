// What the embedding thread and the main one say to each other.
import type { ErrorCode } from '../../core/errors.ts'

/** The id of the model that is installed with Midwatch. */
export const USE_LITE = 'use-lite@0.2.0'

export type ThreadTask = {
  readonly threads: number
} & (
  | { readonly kind: 'use-lite'; readonly cacheFolder: string }
  | {
      readonly kind: 'directory'
      readonly path: string
      readonly queryPrefix: string | undefined
      readonly passagePrefix: string | undefined
    }
)

export type Request =
  | { readonly kind: 'passages'; readonly id: number; readonly texts: readonly string[] }
  | { readonly kind: 'query'; readonly id: number; readonly text: string }
  /** Nobody waits for it any more. */
  | { readonly kind: 'cancel'; readonly id: number }
  /** The thread ends by itself, once nothing is being computed: to end it in the middle of that ends the whole process. */
  | { readonly kind: 'end' }

export type Reply =
  | { readonly kind: 'ready'; readonly model: string; readonly dimension: number }
  | { readonly kind: 'done'; readonly id: number; readonly vectors: readonly (readonly Float32Array[])[] }
  | {
      readonly kind: 'failed'
      readonly id: number
      readonly code: ErrorCode
      readonly message: string
      readonly detail: string
    }
  /** Instead of `ready`: the thread ends. */
  | { readonly kind: 'unopened'; readonly code: ErrorCode; readonly message: string; readonly detail: string }
