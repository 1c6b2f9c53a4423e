// The messages of one queue in memory: in order of arrival, leased for a while, gone when acknowledged.
// A lease that runs out puts its message back at the front.

export interface Message {
  readonly id: string
  readonly at: number
  readonly body: unknown
}

export interface Messages {
  put(message: Message): void
  lease(max: number): readonly Message[]
  /** Acknowledging twice, or what is not there, changes nothing. */
  ack(id: string): void
  depth(): number
  oldestSeconds(nowMs: number): number
}

export function createMessages(options: { readonly leaseMs: number; readonly now?: () => number }): Messages {
  const now = options.now ?? Date.now
  // A Map keeps the order of arrival.
  const all = new Map<string, { message: Message; leasedUntil: number }>()
  const lease = (max: number): readonly Message[] => {
    const taken: Message[] = []
    for (const held of all.values()) {
      if (taken.length === max) break
      if (held.leasedUntil > now()) continue
      held.leasedUntil = now() + options.leaseMs
      taken.push(held.message)
    }
    return taken
  }
  return {
    put: (message) => void all.set(message.id, { message, leasedUntil: 0 }),
    lease,
    ack: (id) => void all.delete(id),
    depth: () => all.size,
    oldestSeconds: (nowMs) => {
      const [first] = all.values()
      return first ? Math.max(0, nowMs - first.message.at) / 1000 : 0
    },
  }
}
