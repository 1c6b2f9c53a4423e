// Server-sent events out (WHATWG HTML, section 9.2). The stream pulls: it reads on only when the client has taken what
// was written, so a slow client costs no memory, and one that takes nothing for half a minute is let go. It can come
// back with Last-Event-ID and go on where it was.
import { once } from 'node:events'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { Exchange, Reply } from './exchange.ts'

export interface OutgoingEvent {
  /** Where a client that loses the connection goes on. Absent where there is nothing to go on from. */
  readonly id?: number
  readonly data: unknown
}

export interface EventStream {
  /** What is new since the last call; empty when nothing is. */
  readonly next: () => Promise<readonly OutgoingEvent[]>
  /** Calls `wake` when there may be something new; returns the function that ends it. */
  readonly subscribe: (wake: () => void) => () => void
  readonly clock: Clock
}

const HEARTBEAT_MS = 15_000
const PATIENCE_MS = 30_000

/** Writes the head of a stream of events. */
export function beginEvents({ raw, ownHeaders }: Exchange): void {
  raw.response.writeHead(200, {
    ...ownHeaders,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    // Proxies such as nginx would hold events back to fill a buffer.
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  })
}

/** Streams until the client goes away or the server stops. */
export async function streamEvents(exchange: Exchange, { next, subscribe, clock }: EventStream): Promise<Reply> {
  const { response } = exchange.raw
  const over = AbortSignal.any([exchange.signal, exchange.stopping])
  let woken = new AbortController()
  const unsubscribe = subscribe(() => woken.abort())

  const write = async (text: string): Promise<void> => {
    if (response.write(text)) return
    const taken = new AbortController()
    const patience = AbortSignal.any([over, taken.signal])
    const drained = once(response, 'drain', { signal: patience }).then(() => 'drained')
    const waited = clock.sleep(PATIENCE_MS, patience).then(() => 'slow')
    const outcome = await Promise.race([drained, waited].map((wait) => wait.catch(() => 'over')))
    taken.abort()
    if (outcome === 'slow') response.destroy()
  }

  try {
    beginEvents(exchange)
    await write('retry: 2000\n\n')
    while (!over.aborted && !response.destroyed) {
      const events = await next()
      if (events.length > 0) await write(events.map(frame).join(''))
      else if (await quietFor(HEARTBEAT_MS, clock, AbortSignal.any([over, woken.signal]))) await write(': beat\n\n')
      if (woken.signal.aborted) woken = new AbortController()
    }
  } finally {
    unsubscribe()
    response.end()
  }
  return 'streamed'
}

/** True when nothing came in between. */
const quietFor = (ms: number, clock: Clock, signal: AbortSignal): Promise<boolean> =>
  clock.sleep(ms, signal).then(
    () => true,
    () => false,
  )

/** JSON has no line breaks of its own, so one `data:` line holds it. */
const frame = ({ id, data }: OutgoingEvent): string =>
  `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`

/** Where the client left off: the header that browsers send, or `?after=`. Undefined when it starts anew. */
export function lastEventId(exchange: Exchange): number | undefined {
  const given = exchange.headers['last-event-id'] ?? exchange.url.searchParams.get('after')
  if (given === undefined || given === null || given === '') return undefined
  if (typeof given === 'string' && /^\d{1,15}$/.test(given)) return Number(given)
  throw new AppError('malformed', 'Last-Event-ID must be the id of an event of this stream: a whole number.', {
    field: 'Last-Event-ID',
  })
}
