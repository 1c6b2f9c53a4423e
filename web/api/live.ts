// Hears at once when something changed, through server-sent events. The events carry no content that is trusted here:
// each one only says "ask again", so that a missed or doubled one does no harm and a gap closes by itself.
import { oneAtATime } from './one-at-a-time.ts'
import { useEffect, useEffectEvent, useState } from 'react'

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** `sinceMs`: the last moment at which the connection was known to stand, by this device's clock. */
  | { readonly kind: 'lost'; readonly sinceMs: number }

const RETRY_MS = [1000, 2000, 5000, 10_000]
/** A connection that comes back this quickly was not worth a word. */
const GRACE_MS = 2000

interface LiveOptions {
  readonly onChange: () => Promise<unknown>
  readonly onConnection: (connection: Connection) => void
}

/** Listens until the returned function is called. Hidden pages let go: a browser grants few connections to a server. */
function listen(url: string, { onChange, onConnection }: LiveOptions): () => void {
  let source: EventSource | undefined
  let retry: ReturnType<typeof setTimeout> | undefined
  let grace: ReturnType<typeof setTimeout> | undefined
  let attempts = 0
  let aliveAtMs = Date.now()
  const change = oneAtATime(onChange)

  const close = (): void => {
    clearTimeout(retry)
    clearTimeout(grace)
    grace = undefined
    source?.close()
    source = undefined
  }
  const lost = (): void => {
    grace ??= setTimeout(() => onConnection({ kind: 'lost', sinceMs: aliveAtMs }), GRACE_MS)
  }
  const open = (): void => {
    source?.close()
    const opened = new EventSource(url)
    source = opened
    opened.addEventListener('open', () => {
      attempts = 0
      clearTimeout(grace)
      grace = undefined
      onConnection({ kind: 'live' })
      // Whatever happened while nobody listened.
      change()
    })
    const heard = (): void => {
      aliveAtMs = Date.now()
      change()
    }
    opened.addEventListener('message', heard)
    opened.addEventListener('error', () => {
      if (grace === undefined && attempts === 0) aliveAtMs = Date.now()
      lost()
      // The browser's own retry ends for good at an answer that is not an event stream; ours does not.
      opened.close()
      retry = setTimeout(open, RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)])
    })
  }
  const onVisibility = (): void => {
    if (document.visibilityState === 'hidden') close()
    else if (!source) open()
  }
  document.addEventListener('visibilitychange', onVisibility)
  if (document.visibilityState !== 'hidden') open()
  return () => {
    document.removeEventListener('visibilitychange', onVisibility)
    close()
  }
}

/** Calls `onChange` whenever the feed at `url` says that something changed. Says how the connection stands. */
export function useLive(url: string, onChange: () => Promise<unknown>): Connection {
  const [connection, setConnection] = useState<Connection>({ kind: 'connecting' })
  const changed = useEffectEvent(onChange)
  useEffect(() => listen(url, { onChange: () => changed(), onConnection: setConnection }), [url])
  return connection
}
