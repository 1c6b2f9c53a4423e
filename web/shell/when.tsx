// A moment, as people read it: local on the page, UTC on hover, and exact for programs.
import { useEffect, useState } from 'react'
import { serverNow } from '../api/client.ts'
import { dayAndClock, relative, utc, zoneName } from '../format/time.ts'

/** The server's time, looked at again every `everyMs`. */
export function useNow(everyMs = 10_000): number {
  const [now, setNow] = useState(serverNow)
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
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
