// How numbers, times and things are said in a claim: plain, with units, in UTC. The same input gives the same sentence.
import type { Anomaly } from './anomalies.ts'

/** `03:12:40 UTC`: without its zone a time in a claim would be read as local. */
export function timeOfDay(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? 'an unknown time' : `${date.toISOString().slice(11, 19)} UTC`
}

/** Three significant digits, without an exponent. */
export function plainNumber(value: number): string {
  if (!Number.isFinite(value)) return 'unknown'
  if (value === 0) return '0'
  if (Math.abs(value) >= 1e15) return BigInt(Math.round(value)).toString()
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value
    .toFixed(Math.min(digits, 6))
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '')
}

/** A value in words: `31 %`, `420 ms`, `1.2 GB`, `3 hours`. */
export function sayValue(value: number, unit: string): string {
  switch (unit) {
    case 'ratio':
      return `${plainNumber(Math.abs(value) < 0.0005 ? 0 : Math.round(value * 1000) / 10)} %`
    case 's':
      return saySeconds(value)
    case 'ms':
      return saySeconds(value / 1000)
    case 'bytes':
      return sayBytes(value)
    case '':
      return plainNumber(value)
    case '/s':
      return `${plainNumber(value)}/s`
    default:
      return `${plainNumber(value)} ${unit}`
  }
}

function saySeconds(value: number): string {
  const size = Math.abs(value)
  if (size < 1) return `${plainNumber(value * 1000)} ms`
  if (size < 120) return `${plainNumber(value)} s`
  if (size < 7200) return `${plainNumber(value / 60)} minutes`
  return size < 172_800 ? `${plainNumber(value / 3600)} hours` : `${plainNumber(value / 86_400)} days`
}

function sayBytes(value: number): string {
  const steps = ['bytes', 'kB', 'MB', 'GB', 'TB']
  const step = Math.min(steps.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, Math.abs(value))) / 3)))
  return `${plainNumber(value / 1000 ** step)} ${steps[step] ?? 'bytes'}`
}

/** "checkout's error ratio rose to 31 % from 03:12:40 (before 0 %)". */
export function sayAnomaly(anomaly: Anomaly): string {
  const { signal, before, after, direction, onsetMs } = anomaly
  const towards = signal.peer === undefined || signal.role.startsWith('provider') ? '' : ` to ${signal.peer}`
  const whose = `${signal.service}'s ${signal.name}${towards}`
  const at = timeOfDay(onsetMs)
  if (signal.role === 'credential_left') return `A credential of ${signal.service} ran out at ${at}`
  if (signal.role === 'up') {
    return after <= 0.01
      ? `${signal.service} has not answered since ${at}`
      : `Only ${sayValue(after, 'ratio')} of ${signal.service} has answered since ${at}`
  }
  const verb = direction === 1 ? 'rose' : 'fell'
  return `${whose} ${verb} to ${sayValue(after, signal.unit)} from ${at} (before ${sayValue(before, signal.unit)})`
}

/** `a`, `a and b`, `a, b and c`. */
export function sayList(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`
}
