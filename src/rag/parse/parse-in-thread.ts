// Runs the parsers in a thread that is kept for the next document, and killed when one takes too long or too much memory.
// One document at a time, tenant by tenant: parsing is never what ingest waits for longest, and a second thread would double the
// memory.
import { Worker } from 'node:worker_threads'
import { AppError, type ErrorCode } from '../../core/errors.ts'
import { FairTurns } from '../../core/fair-turns.ts'
import type { ChunkOptions } from '../chunk.ts'
import type { ReadDocument } from './parse.ts'
import type { ParseInput } from './formats.ts'

export interface ThreadLimits {
  /** For whom: each has its turn before another has a second one. */
  readonly turn?: string
  readonly timeLimitMs?: number
  readonly heapMebibytes?: number
  /** Ends the wait for its turn, and the thread in the midst of it. */
  readonly signal?: AbortSignal
}

export interface ThreadTask {
  readonly raw: ParseInput
  readonly options: ChunkOptions
}

export type ThreadReply =
  | ({ readonly kind: 'read' } & ReadDocument)
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly detail: string | undefined }

const TIME_LIMIT_MS = 30_000
const HEAP_MEBIBYTES = 768

let idle: { readonly thread: Worker; readonly heapMebibytes: number } | undefined
const turns = new FairTurns({ atOnce: 1 })

/** Tasks wait for one another; the time limit is counted from when its own turn comes. */
export async function runInThread(task: ThreadTask, limits: ThreadLimits): Promise<ReadDocument> {
  return turns.take(limits.turn ?? '', () => run(task, limits), limits.signal)
}

async function run(task: ThreadTask, limits: ThreadLimits): Promise<ReadDocument> {
  limits.signal?.throwIfAborted()
  const heapMebibytes = limits.heapMebibytes ?? HEAP_MEBIBYTES
  if (idle && idle.heapMebibytes !== heapMebibytes) void idle.thread.terminate()
  const thread = idle?.heapMebibytes === heapMebibytes ? idle.thread : start(heapMebibytes)
  idle = undefined
  thread.ref()
  const timeLimitMs = limits.timeLimitMs ?? TIME_LIMIT_MS
  const { promise, resolve, reject } = Promise.withResolvers<ThreadReply>()
  const onError = (error: unknown): void => reject(brokeOff(error))
  const onExit = (): void => reject(brokeOff(undefined))
  const onAbort = (): void => reject(limits.signal?.reason)
  limits.signal?.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(() => reject(tookTooLong(timeLimitMs)), timeLimitMs)
  thread.on('message', resolve)
  thread.on('error', onError)
  thread.on('exit', onExit)
  let isWell = false
  try {
    thread.postMessage(task)
    const reply = await promise
    isWell = true
    if (reply.kind === 'read') return { document: reply.document, passages: reply.passages }
    throw new AppError(reply.code, reply.message, { cause: reply.detail })
  } finally {
    clearTimeout(timer)
    limits.signal?.removeEventListener('abort', onAbort)
    thread.off('message', resolve)
    thread.off('exit', onExit)
    thread.off('error', onError)
    if (isWell) {
      thread.unref()
      idle = { thread, heapMebibytes }
    } else await thread.terminate()
  }
}

function start(heapMebibytes: number): Worker {
  const thread = new Worker(new URL('./parse-thread.ts', import.meta.url), {
    name: 'parse',
    resourceLimits: { maxOldGenerationSizeMb: heapMebibytes, maxYoungGenerationSizeMb: 32 },
  })
  // Also of one that ends while it idles; without a listener its error would end the process.
  thread.on('error', () => undefined)
  thread.once('exit', () => {
    if (idle?.thread === thread) idle = undefined
  })
  return thread
}

const tookTooLong = (timeLimitMs: number): AppError =>
  new AppError('deadline', `Reading it took longer than ${timeLimitMs / 1000} s. Split the document or simplify it.`)

function brokeOff(error: unknown): AppError {
  const isMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
  const message = isMemory
    ? 'Reading it needs more memory than is allowed. Split the document.'
    : 'The parser broke off on this document. Export it anew, or leave it out.'
  return new AppError(isMemory ? 'too_large' : 'malformed', message, { cause: error })
}
