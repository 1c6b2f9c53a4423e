// A moment, as people read it: local on the page, UTC on hover, and exact for programs.
import { useSyncExternalStore } from 'react'
import { serverNow } from '../api/client.ts'
import { dayAndClock, relative, utc, zoneName } from '../format/time.ts'

/** One clock for the whole page: a long list shows thousands of times. */
const TICK_MS = 5000
const watching = new Set<() => void>()
let now = serverNow()
let ticking: ReturnType<typeof setInterval> | undefined

function watch(changed: () => void): () => void {
  if (watching.size === 0) {
    now = serverNow()
    ticking = setInterval(tick, TICK_MS)
  }
  watching.add(changed)
  return () => {
    watching.delete(changed)
    if (watching.size === 0) clearInterval(ticking)
  }
}

function tick(): void {
  now = serverNow()
  for (const changed of watching) changed()
}

/** The server's time, to the last whole step of `stepMs`: what shows minutes need not be drawn again every few seconds. */
export function useNow(stepMs = TICK_MS): number {
  return useSyncExternalStore(watch, () => now - (now % stepMs))
}

interface WhenProps {
  readonly at: number
  readonly seconds?: boolean
  /** Names the zone beside the time. */
  readonly zone?: boolean
}

export function When({ at, seconds = false, zone = false }: WhenProps) {
  const now = useNow(60_000)
  return (
    <time dateTime={new Date(at).toISOString()} title={`${utc(at)}, ${relative(at, now)}`}>
      {dayAndClock(at, now, { seconds })}
      {zone && <span className="quiet"> {zoneName(at)}</span>}
    </time>
  )
}

/** `14 min ago`, `in 58 min`. */
export function Ago({ at }: { readonly at: number }) {
  const now = useNow()
  return (
    <time dateTime={new Date(at).toISOString()} title={utc(at)}>
      {relative(at, now)}
    </time>
  )
}
