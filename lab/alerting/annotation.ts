// Fills an alert's annotation the way Prometheus does, for the few parts of its template language that the rules use:
// `{{ $labels.NAME }}`, `{{ $value }}`, and the filters humanize, humanizePercentage, humanizeDuration and humanize1024.
import type { Labels } from '../../src/core/telemetry.ts'

const PLACEHOLDER = /\{\{\s*\$(?:labels\.(?<label>\w+)|value)\s*(?:\|\s*(?<filter>\w+)\s*)?\}\}/g

/** Throws on a placeholder it does not know: a rule that reads wrong must not reach a person. */
export function fillAnnotation(template: string, labels: Labels, value: number): string {
  const text = template.replaceAll(PLACEHOLDER, (...match) => {
    const { label, filter } = match.at(-1) as { label?: string; filter?: string }
    if (label !== undefined) return labels[label] ?? ''
    return format(value, filter)
  })
  if (text.includes('{{')) throw new Error(`this annotation has a placeholder that is not known: ${template}`)
  return text
}

function format(value: number, filter: string | undefined): string {
  switch (filter) {
    case undefined:
      return String(value)
    case 'humanizePercentage':
      return `${significant(value * 100)}%`
    case 'humanize':
      return scaled(value, 1000, ['', 'k', 'M', 'G', 'T'])
    case 'humanize1024':
      return scaled(value, 1024, ['', 'ki', 'Mi', 'Gi', 'Ti'])
    case 'humanizeDuration':
      return duration(value)
    default:
      throw new Error(`the filter ${filter} is not known`)
  }
}

const significant = (value: number): string => String(Number(value.toPrecision(4)))

function scaled(value: number, base: number, prefixes: readonly string[]): string {
  let rest = value
  let step = 0
  while (Math.abs(rest) >= base && step < prefixes.length - 1) {
    rest /= base
    step++
  }
  return `${significant(rest)}${prefixes[step]}`
}

function duration(value: number): string {
  const sign = value < 0 ? '-' : ''
  const seconds = Math.abs(value)
  if (seconds < 1) return `${sign}${significant(seconds * 1000)}ms`
  if (seconds < 60) return `${sign}${significant(seconds)}s`
  const whole = Math.floor(seconds)
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ]
  if (days > 0) return `${sign}${days}d ${hours}h ${minutes}m ${whole % 60}s`
  return hours > 0 ? `${sign}${hours}h ${minutes}m ${whole % 60}s` : `${sign}${minutes}m ${whole % 60}s`
}
