// Times as people read them: local, with the zone where it stands alone, and UTC to compare with other systems.
// `zone` is for tests; the page leaves it to the browser.

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const FORMATS = {
  day: { year: 'numeric', month: 'short', day: 'numeric' },
  minutes: { hour: '2-digit', minute: '2-digit' },
  seconds: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  zone: { timeZoneName: 'short' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>

const formatters = new Map<string, Intl.DateTimeFormat>()

/** Kept, for making one takes longer than drawing a whole row. */
function formatter(format: keyof typeof FORMATS, zone: string | undefined): Intl.DateTimeFormat {
  const key = `${format} ${zone ?? ''}`
  const known = formatters.get(key)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-GB', { ...FORMATS[format], hourCycle: 'h23', timeZone: zone })
  formatters.set(key, made)
  return made
}

/** `03:12`, or `03:12:40` with seconds. */
export function clock(ms: number, { seconds = false, zone }: { seconds?: boolean; zone?: string } = {}): string {
  return formatter(seconds ? 'seconds' : 'minutes', zone).format(ms)
}

/** `03:12` today, `22 Nov 03:12` on another day. */
export function dayAndClock(
  ms: number,
  nowMs: number,
  { seconds = false, zone }: { seconds?: boolean; zone?: string } = {},
): string {
  const day = formatter('day', zone).format(ms)
  const today = formatter('day', zone).format(nowMs)
  const time = clock(ms, { seconds, ...(zone === undefined ? {} : { zone }) })
  if (day === today) return time
  return `${day.slice(-4) === today.slice(-4) ? day.slice(0, -5) : day} ${time}`
}

/** `GMT+1`, `UTC`: what the local clock is called at that moment. */
export function zoneName(ms: number, zone?: string): string {
  const found = formatter('zone', zone).formatToParts(ms)
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
