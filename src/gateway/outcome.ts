// How a request can end. There is exactly one Outcome for each, made in one place, and everything that is counted or
// written about the request is derived from it.
import { AppError } from '../core/errors.ts'
import type { Usage } from '../llm/chat.ts'
import type { FailureKind, ProviderFailure } from '../llm/provider.ts'
import type { CacheResult, CostSource } from './decision.ts'
import type { Standing } from './limits/limiter.ts'
import type { UsageSource } from './tables.ts'

export type ErrorType =
  | FailureKind
  | 'malformed'
  | 'unknown_model'
  | 'breaker_open' // every target failed of late or asked for a pause
  | 'overloaded' // no place came free
  | 'content_blocked' // personal data in it, and the config forbids to send any
  | 'limited' // by a limit or a budget
  | 'unrecorded' // the ledger could not take it
  | 'deadline'
  | 'stopping' // Midwatch had to end, and its grace was over
  | 'client_gone'
  | 'internal'

/** What is known about a request when it has ended. */
export interface Facts {
  readonly cache: CacheResult
  readonly provider: string | null
  /** The model that was asked for there, as the provider names it. */
  readonly providerModel: string | null
  /** The model that the answer says it is from: often with a date. */
  readonly answeredBy: string | null
  readonly attempts: number
  readonly usage: Usage | null
  readonly usageSource: UsageSource
  readonly costMicroUsd: number | null
  readonly costSource: CostSource | null
  /** Time spent in Midwatch: neither waiting for the provider nor for the caller to take what was written. */
  readonly overheadMs: number
  /** What is left of the tightest limits. */
  readonly standing: Standing
}

export type Outcome =
  /** `closing`: what ends the stream; empty for a plain answer. */
  | { readonly kind: 'served'; readonly closing: Uint8Array; readonly facts: Facts }
  /** No provider was asked. */
  | { readonly kind: 'refused'; readonly errorType: ErrorType; readonly error: AppError; readonly facts: Facts }
  | {
      readonly kind: 'failed'
      readonly errorType: ErrorType
      readonly error: AppError
      /** The provider's own words, where they are for the caller to read. */
      readonly reply: { readonly status: number; readonly body: Uint8Array } | undefined
      /** The same inside a stream that had begun. */
      readonly event: Uint8Array | undefined
      readonly facts: Facts
    }
  /** The caller went away. */
  | { readonly kind: 'abandoned'; readonly facts: Facts }

/** The status that tells what happened. */
export function statusOf(outcome: Outcome): number {
  switch (outcome.kind) {
    case 'served':
      return 200
    case 'refused':
      return outcome.error.status
    case 'failed':
      return outcome.reply?.status ?? outcome.error.status
    case 'abandoned':
      return 499
  }
}

export function errorTypeOf(outcome: Outcome): ErrorType | null {
  switch (outcome.kind) {
    case 'served':
      return null
    case 'refused':
    case 'failed':
      return outcome.errorType
    case 'abandoned':
      return 'client_gone'
  }
}

/** A provider's failure as the error that a caller gets. */
export function failureAsError(provider: string, failure: ProviderFailure): AppError {
  const { retryAfterSeconds } = failure.detail
  const options = { cause: failure, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
  switch (failure.kind) {
    case 'upstream_rate_limited':
      return new AppError('limited', `The provider ${provider} is at its rate limit. Wait and try again.`, options)
    case 'upstream_timeout':
      return new AppError('deadline', `The provider ${provider} did not answer in time.`, options)
    case 'untranslatable':
      return failure.detail.cause instanceof AppError
        ? failure.detail.cause
        : new AppError('malformed', failure.message)
    case 'upstream_4xx':
    case 'upstream_context_length':
    case 'upstream_content_policy':
      return failure.detail.publicMessage === undefined
        ? new AppError('upstream', `The provider ${provider} refused the call. The log has the detail.`, options)
        : new AppError('malformed', failure.detail.publicMessage, options)
    case 'upstream_auth':
      return new AppError('upstream', `The provider ${provider} refused the call. The log has the detail.`, options)
    case 'upstream_5xx':
      return new AppError('upstream', `The provider ${provider} failed. Try again.`, options)
    case 'upstream_unreachable':
      return new AppError('upstream', `The provider ${provider} could not be reached. Try again.`, options)
    case 'upstream_cut':
      return new AppError('upstream', `The answer of the provider ${provider} broke off. Try again.`, options)
    case 'upstream_malformed':
      return new AppError('upstream', `The provider ${provider} sent an answer that makes no sense.`, options)
  }
}
