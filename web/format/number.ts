// Numbers with their unit and as many digits as can be read at a glance.

/** Three significant digits, without an exponent and without empty decimals; thousands set apart. */
export function plain(value: number): string {
  if (!Number.isFinite(value))
    return value > 0 ? 'without end' : Number.isNaN(value) ? 'no number' : 'minus without end'
  const size = Math.abs(value)
  if (size >= 1000) return Math.round(value).toLocaleString('en-GB').replaceAll(',', '\u202f')
  if (size !== 0 && size < 0.0005) return '< 0.001'
  const decimals = size === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(size)))
  return String(Number(value.toFixed(Math.min(decimals, 3))))
}

/** A share from 0 to 1 as `31 %`; small ones keep a digit. */
export function percent(share: number): string {
  const value = share * 100
  return `${plain(Math.abs(value) >= 10 ? Math.round(value) : Number(value.toFixed(1)))} %`
}

/** `0.92`. */
export const confidence = (value: number): string => value.toFixed(2)

const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

function bytes(value: number): string {
  const step = value === 0 ? 0 : Math.min(BYTES.length - 1, Math.max(0, Math.floor(Math.log2(Math.abs(value)) / 10)))
  return `${plain(value / 1024 ** step)} ${BYTES[step]}`
}

function seconds(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0 s'
  if (size < 0.001) return `${plain(value * 1_000_000)} µs`
  if (size < 1) return `${plain(value * 1000)} ms`
  if (size < 120) return `${plain(value)} s`
  if (size < 7200) return `${plain(value / 60)} min`
  return size < 172_800 ? `${plain(value / 3600)} h` : `${plain(value / 86_400)} d`
}

/** A measured value in its unit: `340 ms`, `1.2 GiB`, `31 %`, `20 connections`. */
export function measured(value: number, unit: string): string {
  switch (unit) {
    case 's':
    case 'seconds':
      return seconds(value)
    case 'ms':
      return seconds(value / 1000)
    case 'bytes':
      return bytes(value)
    case 'bytes/s':
      return `${bytes(value)}/s`
    case 'ratio':
      return percent(value)
    case '%':
      return percent(value / 100)
    case '':
      return plain(value)
    default:
      return `${plain(value)}${unit.startsWith('/') ? '' : ' '}${unit}`
  }
}

/** A value beside an axis, where there is little room: a unit that does not change with the size is left out. */
export const onAxis = (value: number, unit: string): string =>
  CHANGING_UNITS.has(unit) ? measured(value, unit) : plain(value)

const CHANGING_UNITS = new Set(['s', 'seconds', 'ms', 'bytes', 'bytes/s', 'ratio', '%'])

/** `1 alert`, `23 alerts`. */
export const counted = (n: number, noun: string): string => `${plain(n)} ${noun}${n === 1 ? '' : 's'}`
