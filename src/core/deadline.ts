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
