// Identical requests that are under way at the same time share one call to a provider. Whoever comes first makes it;
// who comes while it goes on gets everything from its beginning and then what follows, each at its own pace. It ends
// early only when everybody has gone. If it fails, it fails for all: it has tried every target there is, and to have
// each of a hundred callers try again would be a stampede on providers in trouble.
//
// One of them pays for it: the first of those who stayed to the end, and so usually the one who made it.
import type { Audience } from '../audience.ts'
import { SharedCall } from './shared-call.ts'

export interface Listener {
  readonly audience: Audience
  /** Aborts when this one goes away or has no more time. */
  readonly signal: AbortSignal
}

export type SharedEnd<T> =
  | { readonly kind: 'ended'; readonly outcome: T; readonly pays: boolean }
  /** This one's signal aborted, and others still listen. */
  | { readonly kind: 'left' }
  /** It fell too far behind the others. */
  | { readonly kind: 'dropped' }

/** What it resolves to is told to all. */
export type Begin<T> = (audience: Audience, signal: AbortSignal) => Promise<T>

export class Coalescer<T> {
  readonly #calls = new Map<string, SharedCall<T>>()

  /**
   * Joins the call with this key that is under way, or begins it. Only what is already allowed to ask a provider may
   * come here: one caller's refusal is not another's. Rejects only with what `begin` throws.
   */
  share(key: string, listener: Listener, begin: Begin<T>): Promise<SharedEnd<T>> {
    if (listener.signal.aborted) return Promise.resolve({ kind: 'left' })
    const underWay = this.#calls.get(key)
    if (underWay) return underWay.join(listener)
    const call = new SharedCall<T>(() => {
      if (this.#calls.get(key) === call) this.#calls.delete(key)
    })
    this.#calls.set(key, call)
    const end = call.join(listener)
    call.start(begin)
    return end
  }

  /** Calls that can be joined. */
  get size(): number {
    return this.#calls.size
  }
}
