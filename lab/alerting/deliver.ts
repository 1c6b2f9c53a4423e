// Posts one body until the receiver takes it: again after every failure that may pass (no connection, 5xx, 429), with
// growing pauses, until the deadline. Only a 2xx counts as taken.
import type { Clock } from '../../src/core/clock.ts'
import { describeError } from '../../src/core/errors.ts'

export type Delivery =
  | { readonly kind: 'taken'; readonly attempts: number }
  | { readonly kind: 'failed'; readonly attempts: number; readonly reason: string }

/** What came of one attempt. */
export type Answer = { readonly kind: 'taken' } | { readonly kind: 'refused' | 'missed'; readonly reason: string }

export type Post = (body: string, signal: AbortSignal) => Promise<Answer>

export interface DeliverOptions {
  readonly post: Post
  readonly clock: Clock
  readonly untilMs: number
  readonly signal: AbortSignal
}

const ATTEMPT_TIMEOUT_MS = 5000
const LONGEST_PAUSE_MS = 2000

export async function deliver(body: string, { post, clock, untilMs, signal }: DeliverOptions): Promise<Delivery> {
  for (let attempts = 1; ; attempts++) {
    const answer = await post(body, signal)
    if (answer.kind === 'taken') return { kind: 'taken', attempts }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, 100 * 2 ** attempts)
    const over = signal.aborted || clock.now() + pauseMs > untilMs
    if (answer.kind === 'refused' || over) return { kind: 'failed', attempts, reason: answer.reason }
    await clock.sleep(pauseMs, signal).catch(() => undefined)
  }
}

/** Posts JSON to an address. */
export const postTo =
  (url: string): Post =>
  async (body, signal) => {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)]),
      })
      const text = await response.text()
      if (response.ok) return { kind: 'taken' }
      const mayPass = response.status >= 500 || response.status === 429
      return { kind: mayPass ? 'missed' : 'refused', reason: `answered ${response.status}: ${text.slice(0, 300)}` }
    } catch (error) {
      return { kind: 'missed', reason: describeError(error) }
    }
  }
