// Turns at something of which there is little: at most so many at once, of each key at most so many, and who waits is taken key by
// key, so that the long queue of one keeps nobody else from their first. Within a key it is first come, first served.

interface Waiter {
  readonly begin: () => void
}

export class FairTurns {
  readonly #atOnce: number
  readonly #perKey: number
  #underWay = 0
  readonly #busy = new Map<string, number>()
  /** In the order in which keys are next; one with nobody waiting is not in it. */
  readonly #waiting = new Map<string, Waiter[]>()

  constructor({ atOnce, perKey = atOnce }: { readonly atOnce: number; readonly perKey?: number }) {
    this.#atOnce = atOnce
    this.#perKey = perKey
  }

  /** How many of `key` wait. */
  waiting(key: string): number {
    return this.#waiting.get(key)?.length ?? 0
  }

  /** Runs `work` when its turn has come. Throws what it throws, and the reason of `signal` where that ends the wait. */
  async take<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#begin(key, signal)
    try {
      return await work()
    } finally {
      this.#end(key)
    }
  }

  async #begin(key: string, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (this.waiting(key) === 0 && this.#hasRoom(key)) return this.#count(key, 1)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter = { begin: resolve }
    const queue = this.#waiting.get(key)
    if (queue) queue.push(waiter)
    else this.#waiting.set(key, [waiter])
    const onAbort = (): void => {
      if (this.#leave(key, waiter)) reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #end(key: string): void {
    this.#count(key, -1)
    // The first in turn that has room: a key that has its share already is passed over, and keeps its place.
    while (this.#underWay < this.#atOnce) {
      const next = [...this.#waiting.keys()].find((one) => this.#hasRoom(one))
      if (next === undefined) return
      const [waiter, ...rest] = this.#waiting.get(next) ?? []
      this.#waiting.delete(next)
      // Behind all others.
      if (rest.length > 0) this.#waiting.set(next, rest)
      this.#count(next, 1)
      waiter?.begin()
    }
  }

  #hasRoom(key: string): boolean {
    return this.#underWay < this.#atOnce && (this.#busy.get(key) ?? 0) < this.#perKey
  }

  #count(key: string, by: 1 | -1): void {
    this.#underWay += by
    const busy = (this.#busy.get(key) ?? 0) + by
    if (busy === 0) this.#busy.delete(key)
    else this.#busy.set(key, busy)
  }

  /** Whether it still waited. */
  #leave(key: string, waiter: Waiter): boolean {
    const queue = this.#waiting.get(key)
    const at = queue?.indexOf(waiter) ?? -1
    if (!queue || at < 0) return false
    queue.splice(at, 1)
    if (queue.length === 0) this.#waiting.delete(key)
    return true
  }
}
