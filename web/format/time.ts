// Times as people read them: local, with the zone where it stands alone, and UTC to compare with other systems.
// `zone` is for tests; the page leaves it to the browser.

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

function parts(ms: number, zone: string | undefined, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat('en-GB', { ...options, hourCycle: 'h23', timeZone: zone }).format(ms)
}

/** `03:12`, or `03:12:40` with seconds. */
export function clock(ms: number, { seconds = false, zone }: { seconds?: boolean; zone?: string } = {}): string {
  return parts(ms, zone, { hour: '2-digit', minute: '2-digit', ...(seconds ? { second: '2-digit' } : {}) })
}

/** `03:12` today, `22 Nov 03:12` on another day. */
export function dayAndClock(
  ms: number,
  nowMs: number,
  { seconds = false, zone }: { seconds?: boolean; zone?: string } = {},
): string {
  const day = (at: number) => parts(at, zone, { year: 'numeric', month: 'short', day: 'numeric' })
  if (day(ms) === day(nowMs)) return clock(ms, { seconds, zone })
  const sameYear = day(ms).slice(-4) === day(nowMs).slice(-4)
  return `${sameYear ? day(ms).slice(0, -5) : day(ms)} ${clock(ms, { seconds, zone })}`
}

/** `GMT+1`, `UTC`: what the local clock is called at that moment. */
export function zoneName(ms: number, zone?: string): string {
  const found = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short', timeZone: zone }).formatToParts(ms)
  return found.find((part) => part.type === 'timeZoneName')?.value ?? 'local'
}

/** `2026-11-23 02:12:40 UTC`. */
export const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** `40 s`, `14 min`, `2 h 5 min`, `3 d 4 h`: two units at most. */
export function duration(ms: number): string {
  const whole = Math.max(0, ms)
  if (whole < MINUTE) return `${Math.floor(whole / SECOND)} s`
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min`
  if (whole < DAY) return pair(whole, HOUR, 'h', MINUTE, 'min')
  return pair(whole, DAY, 'd', HOUR, 'h')
}

function pair(ms: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % big) / small)
  return `${Math.floor(ms / big)} ${bigName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`
}

/** `14 min ago`, `in 58 min`, `now` within five seconds. */
export function relative(ms: number, nowMs: number): string {
  const ago = nowMs - ms
  if (Math.abs(ago) < 5 * SECOND) return 'now'
  return ago > 0 ? `${duration(ago)} ago` : `in ${duration(-ago)}`
}
