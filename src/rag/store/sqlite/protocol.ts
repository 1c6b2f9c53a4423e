// What the store's threads and the main one say to each other.
import type { ErrorCode } from '../../../core/errors.ts'

export interface ThreadTask {
  readonly file: string
  readonly use: 'read' | 'write'
}

export type Request =
  | { readonly kind: 'call'; readonly id: number; readonly operation: string; readonly values: readonly unknown[] }
  | { readonly kind: 'stop' }

export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | ({ readonly kind: 'failed'; readonly id: number } & Failure)
  /** Instead of `ready`: the thread ends. */
  | ({ readonly kind: 'unopened' } & Failure)

export interface Failure {
  readonly code: ErrorCode
  /** Public. */
  readonly message: string
  readonly detail: string
}
