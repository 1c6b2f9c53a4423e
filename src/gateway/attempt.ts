// One try at one target. What comes before the first content is held back, so that another target can still be tried
// and the caller never sees two beginnings. An answer in which all was said is whole, however its connection ends.
import { AppError } from '../core/errors.ts'
import type { Limit } from '../core/timekeeper.ts'
import { formatTraceparent, newSpanId } from '../core/trace-context.ts'
import type { Ask } from '../llm/dialect.ts'
import type { Frame } from '../llm/frames.ts'
import { type FrameSink, type Provider, ProviderFailure } from '../llm/provider.ts'
import type { Bill } from './bill.ts'
import type { Continuation } from './continuation.ts'
import type { Delivery } from './delivery.ts'
import type { Target } from './plan.ts'
import type { Run } from './run.ts'
import { Tally } from './tally.ts'

export type AttemptEnd =
  /** `closing`: the provider's end mark, where its answer passed verbatim and had one. */
  | { readonly kind: 'completed'; readonly closing: Uint8Array | null }
  | { readonly kind: 'failed'; readonly failure: ProviderFailure }
  /** The request was ended from outside: `run.stopped` says why. */
  | { readonly kind: 'stopped' }
  /** Its time was up while nothing had come of the answer. */
  | { readonly kind: 'late'; readonly failure: ProviderFailure }
  /** Another try was faster. */
  | { readonly kind: 'lost' }

export interface AttemptOptions {
  readonly run: Run
  readonly ask: Ask
  readonly target: Target
  readonly provider: Provider
  readonly delivery: Delivery
  /** The answer must be written anew even where the provider speaks the caller's dialect. */
  readonly rewrite: boolean
  /** Set when it goes on with an answer that broke off. */
  readonly continuation?: Continuation | undefined
  /** How long it may take to the first byte of a plain answer. */
  readonly plainMs: number
  /** What its use costs in micro-dollars; null when the price is unknown. */
  readonly priceOf: (usage: Bill['usage']) => number | null
  readonly onContent: () => void
}

/** A try as it is told afterwards. Times are ms. */
export interface AttemptRecord {
  /** Since the request came in. */
  readonly startedMs: number
  readonly connectMs: number | null
  readonly firstContentMs: number | null
  readonly tookMs: number
  /** Of its span; null where there are no traces. */
  readonly spanId: string | null
  /** What the answer says it is from: often with a date. */
  readonly answeredBy: string | null
  /** null: it had not begun to answer, so nothing is owed for it. */
  readonly bill: Bill | null
}

/** After all was said: how long the usage and the end mark may take. Some servers never send them. */
const ACCOUNTING_MS = 2_000
/** What may be held back: as much as a plain answer may have. */
const MAX_HELD_BYTES = 64 * 1024 * 1024
/** A frame without its bytes, about. */
const FRAME_BYTES = 128

export class Attempt implements FrameSink {
  readonly #options: AttemptOptions
  /** The provider's bytes pass as they are. */
  readonly verbatim: boolean
  readonly #tally = new Tally()
  readonly #cut = new AbortController()
  readonly #limit: Limit
  readonly #startedMs: number
  readonly #spanId: string | null
  #held: Frame[] = []
  #heldBytes = 0
  #begun = false
  #complete = false
  /** All was said, and the wait for the accounting goes on: what comes meanwhile makes it no longer. */
  #accounting = false
  #ended = false
  #closing: Uint8Array | null = null
  #lost = false
  #connectMs: number | null = null
  #firstContentMs: number | null = null
  #record: AttemptRecord | undefined

  constructor(options: AttemptOptions) {
    this.#options = options
    const { run, ask, target, provider } = options
    this.#startedMs = run.elapsedMs()
    this.#spanId = run.trace ? newSpanId() : null
    run.attempts++
    this.verbatim = !options.rewrite && options.continuation === undefined && provider.speaks.has(ask.dialect)
    this.#limit = run.timekeeper.limit(target.timeouts.connectMs, () => this.#cut.abort(this.#late()))
  }

  /** Tries. Throws only what is our own fault. */
  async go(): Promise<AttemptEnd> {
    const { run, ask, target, provider, continuation } = this.#options
    const takeBack = run.onStop(() => this.#cut.abort(run.stopped))
    const call = {
      ask,
      model: target.model,
      verbatim: this.verbatim,
      requestId: run.call.requestId,
      prefill: continuation?.prefill,
      headers: run.call.headers,
      traceparent: this.#traceparent(),
    }
    try {
      if (run.stopped) throw run.stopped
      const answered = provider.call(call, this, this.#cut.signal)
      run.leave()
      await answered
      run.enter()
      return this.#end()
    } catch (error) {
      run.enter()
      return this.#endOfThrown(error)
    } finally {
      this.#limit.cancel()
      takeBack()
    }
  }

  connected(): void {
    const { ask, target, plainMs } = this.#options
    this.#connectMs = this.#elapsedMs()
    this.#limit.set((ask.stream ? target.timeouts.firstTokenMs : plainMs) - this.#connectMs)
  }

  take(frames: readonly Frame[]): Promise<void> | undefined {
    const { run, delivery, target } = this.#options
    run.enter()
    try {
      const out = this.#sift(frames)
      const full = out.length > 0 ? delivery.send(target, out, this.verbatim) : undefined
      if (full) {
        // The caller is slow, not the provider.
        this.#limit.set(Infinity)
        this.#accounting = false
        return full.then(() => this.#expectMore())
      }
      this.#expectMore()
      return undefined
    } finally {
      run.leave()
    }
  }

  /** Another try was faster: this one's answer is not wanted. */
  lose(): void {
    this.#lost = true
    this.#cut.abort(new Error('another target was faster'))
  }

  /** Whether its answer has reached the caller. */
  get begun(): boolean {
    return this.#begun
  }

  /** Whether it has begun to answer. */
  get hasContent(): boolean {
    return this.#firstContentMs !== null
  }

  /** When it has ended. */
  record(): AttemptRecord {
    return (this.#record ??= {
      startedMs: this.#startedMs,
      connectMs: this.#connectMs,
      firstContentMs: this.#firstContentMs,
      tookMs: this.#elapsedMs(),
      spanId: this.#spanId,
      answeredBy: this.#tally.model,
      bill: this.#bill(),
    })
  }

  #traceparent(): string | undefined {
    const { trace } = this.#options.run
    return trace && this.#spanId !== null ? formatTraceparent({ ...trace, spanId: this.#spanId }) : undefined
  }

  #bill(): Bill | null {
    const { ask, priceOf } = this.#options
    const used = this.#tally.result(this.hasContent, () => ask.promptCharacters())
    return used && { ...used, costMicroUsd: priceOf(used.usage) }
  }

  #elapsedMs(): number {
    return this.#options.run.elapsedMs() - this.#startedMs
  }

  /** The frames that may go out now. The end mark never does: it is sent once the ledger has the outcome. */
  #sift(frames: readonly Frame[]): readonly Frame[] {
    const { ask, delivery, continuation } = this.#options
    const out: Frame[] = []
    for (const given of frames) {
      this.#tally.see(given)
      const frame = continuation ? { ...given, events: continuation.accept(given.events) } : given
      this.#complete ||= frame.complete
      if (this.#firstContentMs === null && (frame.kind === 'content' || frame.complete)) {
        this.#firstContentMs = this.#elapsedMs()
        this.#options.onContent()
      }
      if (frame.kind === 'end') {
        this.#ended = true
        if (this.verbatim) this.#closing = frame.bytes
        else this.#put(frame, out)
        break
      }
      if (frame.kind === 'usage' && this.verbatim && !ask.wantsUsage) continue
      if (!this.#begun && frame.kind === 'content' && delivery.release === 'content') this.#begin(out)
      this.#put(frame, out)
    }
    return out
  }

  #put(frame: Frame, out: Frame[]): void {
    if (this.#begun) {
      out.push(frame)
      return
    }
    this.#heldBytes += FRAME_BYTES + frame.bytes.length + frame.written
    if (this.#heldBytes > MAX_HELD_BYTES)
      throw new ProviderFailure('upstream_malformed', 'more came than can be held back')
    this.#held.push(frame)
  }

  #begin(out: Frame[]): void {
    if (!this.#options.delivery.claim(this)) {
      this.lose()
      throw new Error('another target was faster')
    }
    this.#begun = true
    out.push(...this.#held)
    this.#held = []
  }

  #expectMore(): void {
    const { ask, target } = this.#options
    if (ask.stream && this.#firstContentMs === null) return
    if (!this.#complete) this.#limit.set(target.timeouts.idleMs)
    else if (!this.#accounting) {
      this.#accounting = true
      this.#limit.set(Math.min(target.timeouts.idleMs, ACCOUNTING_MS))
    }
  }

  #end(): AttemptEnd {
    if (this.#ended || this.#complete) return this.#completed()
    return {
      kind: 'failed',
      failure:
        this.#firstContentMs === null
          ? new ProviderFailure('upstream_malformed', 'the stream ended without any content')
          : new ProviderFailure('upstream_cut', 'the stream ended before all was said'),
    }
  }

  #completed(): AttemptEnd {
    const { delivery, target, continuation } = this.#options
    if (continuation?.caughtUp === false) {
      return {
        kind: 'failed',
        failure: new ProviderFailure('upstream_cut', 'the second answer says less than the first'),
      }
    }
    if (this.#firstContentMs === null) {
      return { kind: 'failed', failure: new ProviderFailure('upstream_malformed', 'the answer has no content') }
    }
    if (!this.#begun) {
      if (!delivery.claim(this)) return { kind: 'lost' }
      this.#begun = true
      void delivery.send(target, this.#held, this.verbatim)
    }
    return { kind: 'completed', closing: this.#closing }
  }

  #endOfThrown(error: unknown): AttemptEnd {
    const { stopped } = this.#options.run
    if (stopped?.code === 'client_gone') return { kind: 'stopped' }
    if (this.#lost) return { kind: 'lost' }
    if (this.#complete) return this.#completed()
    if (stopped) {
      return stopped.code === 'deadline' && !this.hasContent
        ? { kind: 'late', failure: this.#late() }
        : { kind: 'stopped' }
    }
    if (error instanceof ProviderFailure) return { kind: 'failed', failure: error }
    if (error instanceof AppError && error.code === 'malformed')
      return { kind: 'failed', failure: untranslatable(error) }
    throw error
  }

  #late(): ProviderFailure {
    const { provider } = this.#options
    return this.#connectMs !== null
      ? new ProviderFailure('upstream_timeout', `nothing came for too long (${provider.name})`)
      : new ProviderFailure('upstream_unreachable', `no connection in time (${provider.name})`)
  }
}

/** The request is right in its own dialect, but not everything in it can be said in the provider's. */
const untranslatable = (error: AppError): ProviderFailure =>
  new ProviderFailure('untranslatable', error.message, { publicMessage: error.message, cause: error })
