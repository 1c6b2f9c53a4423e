// Changes on their way to Midwatch: sent in order, tried again until they are accepted, because Midwatch may be down
// for a while just when something changes.
import { setTimeout as wait } from 'node:timers/promises'
import type { Change } from '../../src/core/telemetry.ts'
import type { Log } from '../../src/observe/log.ts'

const TRY_WITHIN_MS = 3000
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 3000

export interface Outbox {
  add(change: Change): void
  all(): readonly Change[]
  unsent(): number
  stop(): Promise<void>
}

/** Without a receiver the changes are only remembered. */
export function createOutbox(receiver: { url: string; key: string | undefined } | undefined, log: Log): Outbox {
  const all: Change[] = []
  const waiting: Change[] = []
  const stopped = new AbortController()
  let sending: Promise<void> | undefined

  const send = async (to: { url: string; key: string | undefined }, change: Change): Promise<boolean> => {
    try {
      const response = await fetch(`${to.url}/v1/changes`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(to.key === undefined ? {} : { authorization: `Bearer ${to.key}` }),
        },
        body: JSON.stringify(change),
        signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(TRY_WITHIN_MS)]),
      })
      await response.body?.cancel()
      if (!response.ok) log.warn({ status: response.status, change: change.id }, 'a change was not accepted')
      return response.ok
    } catch {
      return false
    }
  }
  const sendAll = async (to: { url: string; key: string | undefined }) => {
    let pauseMs = FIRST_PAUSE_MS
    for (let next = waiting[0]; next && !stopped.signal.aborted; next = waiting[0]) {
      if (await send(to, next)) {
        waiting.shift()
        pauseMs = FIRST_PAUSE_MS
        continue
      }
      await wait(pauseMs, undefined, { signal: stopped.signal }).catch(() => undefined)
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)
    }
    sending = undefined
  }
  return {
    add: (change) => {
      all.push(change)
      if (!receiver) return
      waiting.push(change)
      sending ??= sendAll(receiver)
    },
    all: () => [...all],
    unsent: () => waiting.length,
    stop: async () => {
      stopped.abort()
      await sending
    },
  }
}
