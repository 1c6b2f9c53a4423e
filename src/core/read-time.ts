// Times as other systems write them, in milliseconds since the epoch. What is too early or too late to be meant is the
// caller's to say.

const ISO =
  /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?)? ?(?:([Zz]|UTC|GMT)|([+-]\d\d)(?::?(\d\d))?)?$/

/** ISO 8601, with or without a colon in its offset; a time without a zone is taken as UTC. undefined where it is none. */
export function msOfIso(text: string): number | undefined {
  const match = ISO.exec(text)
  if (!match) return undefined
  const [, day, time = '00:00', fraction, utc, hours, minutes = '00'] = match
  const zone = utc === undefined && hours !== undefined ? `${hours}:${minutes}` : 'Z'
  const ms = Date.parse(`${day}T${time}${fraction === undefined ? '' : `.${fraction.slice(0, 3)}`}${zone}`)
  return Number.isNaN(ms) ? undefined : ms
}

/** A number since the epoch whose size tells seconds, ms, µs or ns: seconds until the year 5138. */
export const msOfEpoch = (value: number): number =>
  value < 1e11 ? value * 1000 : value < 1e14 ? value : value < 1e17 ? value / 1000 : value / 1e6
