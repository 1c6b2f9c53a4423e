// One request on its way: what is known of it so far, and the two things that can end it from outside (the caller goes
// away, or its time is up). Everything the Outcome says is gathered here.
import type { Caller } from '../core/caller.ts'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { costMicroUsd } from '../core/money.ts'
import type { Limit, Timekeeper } from '../core/timekeeper.ts'
import type { ChatRead } from './chat-request.ts'
import { errorTypeOf, type Facts, type Outcome, statusOf } from './outcome.ts'
import type { Target } from './plan.ts'
import type { LedgerRow } from './tables.ts'
import { Tally } from './tally.ts'

/** A request as the edge hands it in. */
export interface ChatCall {
  /** JSON in OpenAI's chat dialect, as it came. */
  readonly body: Buffer
  readonly caller: Caller
  readonly requestId: string
  /** Aborts when the caller goes away, or with AppError `unavailable` when Midwatch has to end. */
  readonly signal: AbortSignal
  /** A shorter limit than the model's own, if the caller set one. */
  readonly deadlineMs?: number | undefined
  /** Who is to be charged, beside the caller. */
  readonly purpose?: string | undefined
}

export const CHAT_ENDPOINT = '/v1/chat/completions'

export class Run {
  readonly id: string
  readonly call: ChatCall
  readonly timekeeper: Timekeeper
  readonly #at: number
  readonly #startedMs = performance.now()
  readonly #over = new AbortController()
  #limit: Limit | undefined
  #waitedMs = 0
  request: ChatRead | undefined
  target: Target | undefined
  attempts = 0
  /** Of the attempt under way. */
  tally = new Tally()
  /** The latest target began to answer. */
  answered = false
  /** When the first content went out; it decides that no other target can be tried. */
  firstContentMs: number | null = null

  constructor(call: ChatCall, clock: Clock, timekeeper: Timekeeper) {
    this.call = call
    this.timekeeper = timekeeper
    this.#at = clock.now()
    this.id = newId('llm', this.#at)
    if (call.signal.aborted) this.#onCallOver()
    else call.signal.addEventListener('abort', this.#onCallOver, { once: true })
  }

  /** Aborts when nothing more can come of the request; `stopped` says why. */
  get signal(): AbortSignal {
    return this.#over.signal
  }

  /** Why the request was ended from outside: `client_gone`, `deadline`, or `unavailable` when Midwatch has to end. */
  get stopped(): AppError | undefined {
    return this.#over.signal.aborted ? (this.#over.signal.reason as AppError) : undefined
  }

  endWithin(ms: number): void {
    this.#limit = this.timekeeper.limit(Math.min(ms, this.call.deadlineMs ?? ms), () =>
      this.#over.abort(new AppError('deadline')),
    )
  }

  nextAttempt(target: Target): void {
    this.target = target
    this.attempts++
    this.tally = new Tally()
    this.answered = false
  }

  beginContent(): void {
    this.firstContentMs = this.elapsedMs()
  }

  /** Awaits someone else: it does not count as our own time. */
  async waiting<T>(work: Promise<T>): Promise<T> {
    const fromMs = performance.now()
    try {
      return await work
    } finally {
      this.#waitedMs += performance.now() - fromMs
    }
  }

  elapsedMs(): number {
    return performance.now() - this.#startedMs
  }

  overheadMs(): number {
    return Math.max(0, this.elapsedMs() - this.#waitedMs)
  }

  facts(): Facts {
    const { usage, source } = this.tally.result(this.answered, () => this.request?.promptCharacters() ?? 0)
    const input = usage?.inputTokens ?? null
    return {
      provider: this.target?.provider ?? null,
      providerModel: this.target?.model ?? null,
      answeredBy: this.tally.model,
      attempts: this.attempts,
      usage,
      usageSource: source,
      costMicroUsd: costMicroUsd(
        {
          input: input === null ? null : input + (usage?.cacheReadTokens ?? 0) + (usage?.cacheWriteTokens ?? 0),
          output: usage?.outputTokens ?? null,
        },
        this.target?.price,
      ),
      overheadMs: this.overheadMs(),
    }
  }

  /** The ledger's row as of now: under way, or with its outcome. */
  row(outcome: Outcome | null): LedgerRow {
    const { caller } = this.call
    const facts = outcome?.facts
    return {
      id: this.id,
      tenant: caller.tenant,
      key_id: caller.keyId,
      request_id: this.call.requestId,
      at: this.#at,
      model: this.request?.model ?? '',
      provider: facts?.provider ?? null,
      provider_model: facts?.providerModel ?? null,
      endpoint: CHAT_ENDPOINT,
      status: outcome && statusOf(outcome),
      outcome: outcome && outcome.kind,
      attempts: this.attempts,
      input_tokens: facts?.usage?.inputTokens ?? null,
      cached_tokens: facts?.usage?.cacheReadTokens ?? null,
      output_tokens: facts?.usage?.outputTokens ?? null,
      reasoning_tokens: facts?.usage?.reasoningTokens ?? null,
      usage_source: facts?.usageSource ?? 'unknown',
      cost_micro_usd: facts?.costMicroUsd ?? null,
      duration_ms: outcome && this.elapsedMs(),
      ttft_ms: this.request?.stream === true ? this.firstContentMs : null,
      error_code: outcome && errorTypeOf(outcome),
      purpose: this.call.purpose ?? null,
    }
  }

  /** Lets go of timers and listeners. */
  end(): void {
    this.#limit?.cancel()
    this.call.signal.removeEventListener('abort', this.#onCallOver)
  }

  readonly #onCallOver = (): void => {
    const reason: unknown = this.call.signal.reason
    this.#over.abort(reason instanceof AppError ? reason : new AppError('client_gone', undefined, { cause: reason }))
  }
}
