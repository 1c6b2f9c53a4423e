// What to do when a target failed. Only before the first content went out: afterwards the answer is the caller's, and
// the model's `stream.onCut` decides. Nothing is retried that outlives the caller.
//
//   kind             the same target again         another target            breaker     the caller sees at last
//   4xx              never                         unless it is about the    -           the provider's words; 502 where
//                                                  request                               they are not about the request
//   context_length   never                         a larger one, if          -           400, the provider's words
//                                                  failover.contextLength
//   content_policy   never                         if failover.contentPolicy -           400, the provider's words
//   auth             never                         yes                       provider    502
//   rate_limited     if there is no other, after   yes, at once              target; a   429 with retry-after
//                    Retry-After or backoff                                  pause where
//                                                                            it asked so
//   5xx              after backoff; with           yes                       target      502
//                    Retry-After only if there
//                    is no other
//   timeout          if there is no other          yes, at once              target      504
//   unreachable      if there is no other          yes, at once              provider    502
//   cut              after backoff                 yes                       target      502
//   malformed        if there is no other          yes, at once              target      502
import type { ModelConfig } from '../config/schema.ts'
import type { ProviderFailure } from '../llm/provider.ts'

export interface Setback {
  readonly failure: ProviderFailure
  /** Something of the answer went out to the caller. */
  readonly contentSent: boolean
  /** How often this target has been tried for this call. */
  readonly triesHere: number
  readonly retries: ModelConfig['retries']
  /** Of the model that the caller named. */
  readonly failover: ModelConfig['failover']
  /** Whether there is a target left that `mayServe` this. */
  readonly othersLeft: boolean
  /** Until the call's deadline. */
  readonly timeLeftMs: number
  /** 0 to 1. */
  readonly random: () => number
}

export type NextStep =
  | { readonly kind: 'retry'; readonly afterMs: number }
  | { readonly kind: 'next'; readonly reason: string }
  | { readonly kind: 'give-up'; readonly reason: string }

/** Waits never grow beyond this, whatever the number of tries. */
const LONGEST_BACKOFF_MS = 10_000
/** After what Retry-After asks, up to this share of it more, so that those who wait do not come back as one. */
const SPREAD = 0.1
/** With less left than this after the wait, another try could not end. */
const SHORTEST_TRY_MS = 50

export function nextStep(setback: Setback): NextStep {
  const { failure, othersLeft } = setback
  if (setback.contentSent) return { kind: 'give-up', reason: 'the answer had begun' }
  if (setback.timeLeftMs <= 0) return { kind: 'give-up', reason: 'the time is up' }
  const elsewhere = (reason: string): NextStep => ({ kind: othersLeft ? 'next' : 'give-up', reason })
  switch (failure.kind) {
    case 'untranslatable':
      return elsewhere('it cannot be told all that is asked')
    case 'upstream_4xx':
      return aboutTheRequest(failure)
        ? { kind: 'give-up', reason: 'the request itself was refused' }
        : elsewhere('it does not take the call')
    case 'upstream_context_length':
      return setback.failover.contextLength
        ? elsewhere('the request is too long for it')
        : { kind: 'give-up', reason: 'too long, and failover.contextLength is off' }
    case 'upstream_content_policy':
      return setback.failover.contentPolicy
        ? elsewhere('its content rules forbid the request')
        : { kind: 'give-up', reason: 'its content rules forbid the request' }
    case 'upstream_auth':
      return elsewhere('it does not take our key')
    case 'upstream_rate_limited':
    case 'upstream_timeout':
    case 'upstream_unreachable':
    case 'upstream_malformed':
      return othersLeft ? { kind: 'next', reason: WHY[failure.kind] } : again(setback, WHY[failure.kind])
    case 'upstream_5xx':
    case 'upstream_cut':
      return othersLeft && failure.detail.retryAfterSeconds
        ? { kind: 'next', reason: 'it asks to be left alone' }
        : again(setback, WHY[failure.kind])
  }
}

const WHY = {
  upstream_rate_limited: 'it is at its rate limit',
  upstream_timeout: 'it is too slow',
  upstream_unreachable: 'it cannot be reached',
  upstream_malformed: 'its answer makes no sense',
  upstream_5xx: 'it failed',
  upstream_cut: 'its answer broke off',
} as const

function again(setback: Setback, why: string): NextStep {
  const { failure, retries, triesHere, timeLeftMs } = setback
  const otherwise = (reason: string): NextStep => ({ kind: setback.othersLeft ? 'next' : 'give-up', reason })
  if (triesHere > retries.max) return otherwise(`${why}, ${triesHere === 1 ? 'once' : `${triesHere} times`}`)
  const afterMs = waitMs(failure.detail.retryAfterSeconds ?? 0, triesHere, retries.backoffMs, setback.random)
  if (afterMs + SHORTEST_TRY_MS > timeLeftMs) return otherwise(`${why}, and the time left is too short to wait`)
  return { kind: 'retry', afterMs }
}

/** Full jitter (Brooker, "Exponential backoff and jitter", 2015); never sooner than the provider asked for. */
function waitMs(retryAfterSeconds: number, triesHere: number, backoffMs: number, random: () => number): number {
  if (retryAfterSeconds > 0) return Math.ceil(retryAfterSeconds * 1000 * (1 + SPREAD * random()))
  return Math.round(random() * Math.min(LONGEST_BACKOFF_MS, backoffMs * 2 ** Math.min(triesHere - 1, 16)))
}

/** Whether the provider found fault with the request: it would be refused anywhere. */
const aboutTheRequest = ({ detail }: ProviderFailure): boolean =>
  detail.publicMessage !== undefined || detail.reply !== undefined

/** Which circuit a failure counts in. What is the caller's fault counts in none. */
export function feedsBreaker(failure: ProviderFailure): 'provider' | 'target' | 'none' {
  switch (failure.kind) {
    case 'untranslatable':
    case 'upstream_4xx':
    case 'upstream_context_length':
    case 'upstream_content_policy':
      return 'none'
    case 'upstream_auth':
    case 'upstream_unreachable':
      return 'provider'
    case 'upstream_rate_limited':
      // A pause that it asked for is kept: there is nothing to find out by counting.
      return failure.detail.retryAfterSeconds ? 'none' : 'target'
    case 'upstream_5xx':
    case 'upstream_timeout':
    case 'upstream_cut':
    case 'upstream_malformed':
      return 'target'
  }
}

/** Whether a target may serve what another refused: what was too long for one needs one that reads more, or may. */
export function mayServe(
  target: { readonly contextTokens: number | undefined },
  failed: { readonly contextTokens: number | undefined },
  failure: ProviderFailure,
): boolean {
  if (failure.kind !== 'upstream_context_length' || target.contextTokens === undefined) return true
  return failed.contextTokens === undefined || target.contextTokens > failed.contextTokens
}
