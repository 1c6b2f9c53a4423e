// The messages of one queue in memory: in order of arrival, leased for a while, gone when acknowledged.
// A lease that runs out puts its message back at the front.

export interface Message {
  readonly id: string
  readonly at: number
  readonly body: unknown
}

export interface Messages {
  put(message: Message): void
  /** Up to `max` messages, waiting up to `waitMs` for the first. */
  lease(max: number, waitMs: number): Promise<readonly Message[]>
  /** Acknowledging twice, or what is not there, changes nothing. */
  ack(id: string): void
  depth(): number
  oldestSeconds(nowMs: number): number
  /** Answers everyone who waits with nothing. */
  stopWaiting(): void
}

export function createMessages(options: { readonly leaseMs: number; readonly now?: () => number }): Messages {
  const now = options.now ?? Date.now
  // A Map keeps the order of arrival.
  const all = new Map<string, { message: Message; leasedUntil: number }>()
  let waiting: (() => void)[] = []

  const take = (max: number): Message[] => {
    const taken: Message[] = []
    for (const held of all.values()) {
      if (taken.length === max) break
      if (held.leasedUntil > now()) continue
      held.leasedUntil = now() + options.leaseMs
      taken.push(held.message)
    }
    return taken
  }
  const wakeAll = () => {
    const woken = waiting
    waiting = []
    woken.forEach((wake) => wake())
  }
  return {
    put: (message) => {
      all.set(message.id, { message, leasedUntil: 0 })
      wakeAll()
    },
    lease: async (max, waitMs) => {
      const taken = take(max)
      if (taken.length > 0 || waitMs === 0) return taken
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs)
        waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
      return take(max)
    },
    ack: (id) => void all.delete(id),
    depth: () => all.size,
    oldestSeconds: (nowMs) => {
      const [first] = all.values()
      return first ? Math.max(0, nowMs - first.message.at) / 1000 : 0
    },
    stopWaiting: wakeAll,
  }
}
