// Calls that arrive together go up as one. A batch is open from its first call until it is full or its first call has
// waited long enough; closing it is one step in which it also leaves the list of open ones, so that when timer and size
// come together one of them finds nothing to do, and no call can join what has left.
//
// Whoever hangs up disturbs nobody: the batch goes on for the others, and ends with the last. Where a provider finds
// fault with the inputs, the batch is halved until the fault is with one call alone.
import type { Clock } from '../../core/clock.ts'

export interface BatchCall {
  /** How many inputs it brings; at least 1. */
  readonly size: number
  /** Aborts when this one goes away or has no more time. */
  readonly signal: AbortSignal
}

export interface BatchLimits {
  readonly maxInputs: number
  readonly maxWaitMs: number
}

export type BatchEnd<C, R> =
  /** Nobody to share with: let it make its call itself. */
  | { readonly kind: 'alone' }
  | { readonly kind: 'ended'; readonly result: R; readonly part: Part<C> }
  /** Its signal aborted, and others went on. */
  | { readonly kind: 'left' }

/** Which part of a joint call was this one's. */
export interface Part<C> {
  readonly call: C
  /** All whose inputs went up, in that order. */
  readonly sent: readonly C[]
  /** Those who stayed to the end: it is they who answer for what was used. */
  readonly stayed: readonly C[]
}

export interface MicroBatcherOptions<C, R> {
  readonly clock: Clock
  /** Makes one call of two or more. */
  readonly send: (calls: readonly C[], signal: AbortSignal) => Promise<R>
  /** Whether fault was found with what was sent. */
  readonly atFault: (result: R) => boolean
}

interface Member<C, R> {
  readonly call: C
  readonly settle: (end: BatchEnd<C, R>) => void
  readonly fail: (error: unknown) => void
  /** What becomes of the batch when it goes away. */
  onLeave: (reason: unknown) => void
}

interface OpenBatch<C, R> {
  readonly members: Set<Member<C, R>>
  readonly timer: AbortController
  size: number
}

export class MicroBatcher<C extends BatchCall, R> {
  readonly #options: MicroBatcherOptions<C, R>
  readonly #open = new Map<string, OpenBatch<C, R>>()

  constructor(options: MicroBatcherOptions<C, R>) {
    this.#options = options
  }

  /** `key`: what calls must have in common to go up together. Rejects only with what `send` throws. */
  join(key: string, call: C, { maxInputs, maxWaitMs }: BatchLimits): Promise<BatchEnd<C, R>> {
    if (call.signal.aborted) return Promise.resolve({ kind: 'left' })
    const joined = this.#open.get(key)
    const fits = joined && joined.size + call.size <= maxInputs
    if (joined && !fits) this.#close(key, joined)
    const batch = fits ? joined : this.#begin(key, maxWaitMs)
    const end = new Promise<BatchEnd<C, R>>((resolve, reject) => {
      const onAbort = () => member.onLeave(call.signal.reason)
      const done = () => call.signal.removeEventListener('abort', onAbort)
      const member: Member<C, R> = {
        call,
        settle: (end) => {
          done()
          resolve(end)
        },
        fail: (error) => {
          done()
          reject(error)
        },
        onLeave: () => this.#leaveOpen(key, batch, member),
      }
      call.signal.addEventListener('abort', onAbort, { once: true })
      batch.members.add(member)
    })
    batch.size += call.size
    if (batch.size >= maxInputs) this.#close(key, batch)
    return end
  }

  #begin(key: string, maxWaitMs: number): OpenBatch<C, R> {
    const batch: OpenBatch<C, R> = { members: new Set(), timer: new AbortController(), size: 0 }
    this.#open.set(key, batch)
    this.#options.clock.sleep(maxWaitMs, batch.timer.signal).then(
      () => this.#close(key, batch),
      // It was closed before.
      () => undefined,
    )
    return batch
  }

  #close(key: string, batch: OpenBatch<C, R>): void {
    if (this.#open.get(key) !== batch) return
    this.#open.delete(key)
    batch.timer.abort()
    void this.#fly([...batch.members])
  }

  #leaveOpen(key: string, batch: OpenBatch<C, R>, member: Member<C, R>): void {
    batch.members.delete(member)
    batch.size -= member.call.size
    member.settle({ kind: 'left' })
    if (batch.members.size === 0) this.#close(key, batch)
  }

  /** Never rejects: whatever happens is told to the members. */
  async #fly(members: readonly Member<C, R>[]): Promise<void> {
    const [first, second] = members
    if (!first) return
    if (!second) return first.settle({ kind: 'alone' })
    const { send, atFault } = this.#options
    const over = new AbortController()
    const staying = new Set(members)
    for (const member of members) {
      member.onLeave = (reason) => {
        // The last one keeps its place until the call has ended: somebody has to answer for it.
        if (staying.size === 1) return over.abort(reason)
        staying.delete(member)
        member.settle({ kind: 'left' })
      }
    }
    const sent = members.map(({ call }) => call)
    try {
      const result = await send(sent, over.signal)
      const left = [...staying]
      if (atFault(result) && !over.signal.aborted) {
        const half = Math.ceil(left.length / 2)
        // In halves at once: who is innocent has waited long enough.
        await Promise.all([this.#fly(left.slice(0, half)), this.#fly(left.slice(half))])
        return
      }
      const stayed = left.map(({ call }) => call)
      for (const { call, settle } of left) settle({ kind: 'ended', result, part: { call, sent, stayed } })
    } catch (error) {
      for (const { fail } of staying) fail(error)
    }
  }
}
