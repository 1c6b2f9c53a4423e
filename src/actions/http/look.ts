// One GET that changes nothing: what a precondition of an action asks. Bounded in time and size, and never redirected.
import { describeError } from '../../core/errors.ts'
import { readBounded } from '../../core/read-bounded.ts'
import { fetchOnce } from '../one-shot.ts'
import { whyUnsendable } from './action.ts'

export interface LookRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

export type Look =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  | { readonly kind: 'unanswered'; readonly detail: string }

const MAX_BYTES = 256 * 1024

export async function lookAt({ url, headers, timeoutMs }: LookRequest, signal: AbortSignal): Promise<Look> {
  const unsendable = whyUnsendable(url, headers)
  if (unsendable !== undefined) return { kind: 'unanswered', detail: unsendable }
  const deadline = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetchOnce(url, {
      headers,
      redirect: 'manual',
      signal: AbortSignal.any([signal, deadline]),
    })
    const body = await readBounded(response.body, MAX_BYTES)
    if (body === undefined) return { kind: 'unanswered', detail: `the answer has more than ${MAX_BYTES / 1024} KB` }
    return { kind: 'answered', status: response.status, body }
  } catch (error) {
    signal.throwIfAborted()
    if (deadline.aborted) return { kind: 'unanswered', detail: `no answer within ${timeoutMs / 1000} s` }
    return { kind: 'unanswered', detail: describeError(error) }
  }
}
