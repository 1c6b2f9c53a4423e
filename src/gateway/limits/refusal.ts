// What a caller is told whose call was refused: which limit, what is left, and what helps.
import { AppError } from '../../core/errors.ts'
import { formatUsd } from '../../core/money.ts'
import type { Ask, Refused, RefusalReason, Standing } from './limiter.ts'
import type { Subject } from './subjects.ts'

/** A limit without room, as the counters found it. */
export interface Shortage {
  readonly reason: RefusalReason
  readonly subject: Subject
  /** Until there is room, if nothing else comes; Infinity where waiting does not help. */
  readonly waitMs: number
}

/** How soon to look again where a call that ends makes room: nobody knows when one will. */
export const SOON_MS = 1_000

/** Of several, the one that lasts longest: before it is over, trying again is in vain. */
export const longer = (a: Shortage | undefined, b: Shortage): Shortage => (a && a.waitMs >= b.waitMs ? a : b)

export function refuse(shortage: Shortage, ask: Ask, standing: Standing): Refused {
  const { reason, subject, waitMs } = shortage
  const retryAfterSeconds = Number.isFinite(waitMs) ? Math.max(1, Math.ceil(waitMs / 1000)) : null
  const message = say(reason, subject, ask, retryAfterSeconds)
  return { kind: 'refused', reason, subject, retryAfterSeconds, message, standing }
}

function say(reason: RefusalReason, subject: Subject, ask: Ask, seconds: number | null): string {
  const { requestsPerMinute = 0, tokensPerMinute = 0, concurrency = 0, budgetUsd } = subject.limits
  const who = subject.label.charAt(0).toUpperCase() + subject.label.slice(1)
  const again = seconds === null ? '' : ` Try again in ${seconds} s.`
  switch (reason) {
    case 'requests':
      return `${who} may make ${requestsPerMinute} requests a minute, and they are made.${again}`
    case 'tokens':
      return seconds === null
        ? `${who} may use ${tokensPerMinute} tokens a minute, and this call alone may need ${ask.tokens}. Shorten the prompt, or set a lower limit for the answer (max_tokens).`
        : `${who} may use ${tokensPerMinute} tokens a minute, and fewer than the ${ask.tokens} that this call may need are left.${again}`
    case 'concurrency':
      return `${who} may have ${concurrency} calls under way at once, and has. Try again when one has ended.`
    case 'budget': {
      const what = `The budget of $${budgetUsd?.amount} a ${budgetUsd?.per} for ${subject.label} has no room for the up to $${formatUsd(ask.costMicroUsd ?? 0)} of this call.`
      return seconds !== null && seconds * 1000 <= SOON_MS
        ? `${what} Some of it is reserved for calls under way: try again in a moment.`
        : `${what} It begins anew with the next ${budgetUsd?.per} (UTC); an admin can raise it.`
    }
    case 'unknown-price':
      return `There is a budget for ${subject.label}, and it is not known what ${priceless(ask)} costs, so the budget cannot be kept. Give its targets a price in midwatch.yaml, such as price: { inputUsd: 1, outputUsd: 5 }.`
  }
}

const priceless = (ask: Ask): string => ask.subjects.find(({ kind }) => kind === 'model')?.label ?? 'this model'

/** The refusal as the edge sends it: 429, but for what no waiting mends. */
export const refusalError = ({ reason, message, retryAfterSeconds }: Refused): AppError =>
  new AppError(
    reason === 'unknown-price' ? 'forbidden' : 'limited',
    message,
    retryAfterSeconds === null ? {} : { retryAfterSeconds },
  )

/** A call of unknown cost passes no budget: the first subject that has one. */
export function findUnpriced(ask: Ask): Shortage | undefined {
  if (ask.costMicroUsd !== null) return undefined
  const subject = ask.subjects.find(({ limits }) => limits.budgetUsd)
  return subject && { reason: 'unknown-price', subject, waitMs: Infinity }
}
