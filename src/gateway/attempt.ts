// One try at one target. What comes before the first content is held back, so that another target can still be tried
// and the caller never sees two beginnings. An answer in which all was said is whole, however its connection ends.
import type { Frame } from '../llm/frames.ts'
import { type Provider, ProviderFailure } from '../llm/provider.ts'
import type { Audience } from './audience.ts'
import type { ChatRead } from './chat-request.ts'
import type { Target } from './plan.ts'
import type { Run } from './run.ts'

export type AttemptEnd =
  | { readonly kind: 'completed'; readonly closing: Uint8Array | null }
  | { readonly kind: 'failed'; readonly failure: ProviderFailure }
  /** The request was ended from outside: `run.stopped` says why. */
  | { readonly kind: 'stopped' }

/** After all was said: how long the usage and the end mark may take. Some servers never send them. */
const ACCOUNTING_MS = 2_000

export async function attempt(
  run: Run,
  request: ChatRead,
  provider: Provider,
  target: Target,
  audience: Audience,
): Promise<AttemptEnd> {
  run.nextAttempt(target)
  const cut = new AbortController()
  const onRunOver = () => cut.abort(run.signal.reason)
  run.signal.addEventListener('abort', onRunOver, { once: true })
  const { firstTokenMs, idleMs } = target.timeouts
  // A plain answer shows no sign of life before it is whole: only the request's own deadline bounds the wait for it.
  const limit = run.timekeeper.limit(request.stream ? firstTokenMs : Infinity, () =>
    cut.abort(new ProviderFailure('upstream_timeout', `nothing came for too long (${provider.name})`)),
  )
  const answer = new AnswerSoFar(request)
  try {
    run.signal.throwIfAborted()
    const call = {
      dialect: 'openai-chat' as const,
      body: run.call.body,
      model: target.model,
      stream: request.stream,
      choices: request.choices,
      requestId: run.call.requestId,
    }
    const batches = provider.chat(call, cut.signal)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const step = await run.waiting(batches.next())
        if (step.done) break
        const frames = answer.take(step.value, run)
        if (frames.length > 0) {
          if (run.firstContentMs === null) {
            run.beginContent()
            audience.begin({
              provider: target.provider,
              model: target.model,
              attempts: run.attempts,
              stream: request.stream,
              overheadMs: run.overheadMs(),
            })
          }
          const full = audience.write(frames)
          if (full) {
            // The caller is slow, not the provider.
            limit.set(Infinity)
            await run.waiting(untilAborted(full, run.signal))
          }
        }
        if (answer.ended) break
        if (answer.begun || !request.stream) limit.set(answer.complete ? Math.min(idleMs, ACCOUNTING_MS) : idleMs)
      }
    } finally {
      await batches.return?.()
    }
    if (answer.begun && (answer.ended || answer.complete)) return { kind: 'completed', closing: answer.closing }
    return {
      kind: 'failed',
      failure: answer.begun
        ? new ProviderFailure('upstream_cut', 'the stream ended before all was said')
        : new ProviderFailure('upstream_malformed', 'the stream ended without any content'),
    }
  } catch (error) {
    if (run.stopped?.code === 'client_gone') return { kind: 'stopped' }
    if (answer.complete) return { kind: 'completed', closing: answer.closing }
    if (run.stopped) return { kind: 'stopped' }
    if (error instanceof ProviderFailure) return { kind: 'failed', failure: error }
    throw error
  } finally {
    limit.cancel()
    run.signal.removeEventListener('abort', onRunOver)
  }
}

class AnswerSoFar {
  begun = false
  complete = false
  /** The dialect's end mark came. */
  ended = false
  closing: Uint8Array | null = null
  readonly #request: ChatRead
  #held: Frame[] = []

  constructor(request: ChatRead) {
    this.#request = request
  }

  /** The frames that may go out now. The end mark never does: it is sent once the ledger has the outcome. */
  take(frames: readonly Frame[], run: Run): Frame[] {
    const out: Frame[] = []
    for (const frame of frames) {
      run.tally.see(frame)
      this.complete ||= frame.complete
      if (frame.kind === 'end') {
        this.ended = true
        this.closing = frame.bytes
        break
      }
      if (frame.kind === 'usage' && !this.#request.wantsUsage) continue
      if (!this.begun && frame.kind === 'content') {
        this.begun = true
        run.answered = true
        out.push(...this.#held)
        this.#held = []
      }
      if (this.begun) out.push(frame)
      else this.#held.push(frame)
    }
    return out
  }
}

/** What `work` comes to, or the signal's reason when it aborts first. */
async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let onAbort: () => void = () => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    signal.throwIfAborted()
    await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
