// Times as logs write them, in milliseconds.

const EARLIEST_MS = Date.UTC(1990, 0, 1)
const LATEST_MS = Date.UTC(2200, 0, 1)

/** An ISO 8601 time, or a number since the epoch whose size tells seconds, ms, µs or ns. */
export function readTime(value: unknown): number | undefined {
  if (typeof value === 'number') return fromEpoch(value)
  if (typeof value !== 'string' || value.length > 64) return undefined
  if (/^\d{9,19}(?:\.\d+)?$/.test(value)) return fromEpoch(Number(value))
  return fromIso(value)
}

/** A time at the very beginning of a line of plain text. */
export function leadingTime(line: string): number | undefined {
  const match = /^\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?)/.exec(line)
  return match?.[1] === undefined ? undefined : fromIso(match[1])
}

function fromEpoch(value: number): number | undefined {
  const ms = value < 1e11 ? value * 1000 : value < 1e14 ? value : value < 1e17 ? value / 1000 : value / 1e6
  return plausible(Math.floor(ms))
}

const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?)? ?(Z|[+-]\d\d(?::?\d\d)?)?$/i

/** A time without a zone is taken as UTC. */
function fromIso(text: string): number | undefined {
  const match = ISO.exec(text.trim())
  if (!match) return undefined
  const [, date, time = '00:00', fraction = '', zone = 'Z'] = match
  const offset = /^[+-]/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}` : 'Z'
  return plausible(Date.parse(`${date}T${time}${fraction === '' ? '' : `.${fraction.slice(0, 3)}`}${offset}`))
}

const plausible = (ms: number): number | undefined => (ms >= EARLIEST_MS && ms <= LATEST_MS ? ms : undefined)
