// One bounded wait: the work gets a signal, and is left behind when it does not listen to it.
import type { Clock } from './clock.ts'
import { AppError } from './errors.ts'

/** Throws `deadline` after `ms`, the signal's reason when it aborts first, else what the work throws. */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const over = new AbortController()
  const timer = new AbortController()
  const bounded = AbortSignal.any([signal, over.signal])
  const late = clock.sleep(ms, AbortSignal.any([signal, timer.signal])).then(() => {
    const error = new AppError('deadline')
    over.abort(error)
    throw error
  })
  try {
    return await Promise.race([work(bounded), late])
  } finally {
    timer.abort()
    // The loser of the race may still reject; nobody waits for it any more.
    late.catch(() => undefined)
  }
}

/** What the work gives, or the signal's reason when that aborts first: the work itself goes on for others. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const done = new AbortController()
  const aborted = new Promise<never>((_, reject) => {
    // The reason is whatever the signal was aborted with.
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: done.signal })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    done.abort()
  }
}
