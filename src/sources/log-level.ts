// The many ways in which logs tell how bad it is, as one of five words.
import type { LogLevel } from '../core/telemetry.ts'

/** The words for each level, in lower case. */
export const LEVEL_WORDS: Readonly<Record<LogLevel, readonly string[]>> = {
  debug: ['trace', 'debug', 'verbose', 'silly', 'fine', 'finer', 'finest', 'd', 't'],
  info: ['info', 'information', 'informational', 'notice', 'log', 'i', 'n'],
  warn: ['warn', 'warning', 'w'],
  error: ['error', 'err', 'severe', 'e'],
  fatal: ['fatal', 'critical', 'crit', 'alert', 'emerg', 'emergency', 'panic', 'dpanic', 'f', 'c'],
}

const BY_WORD = new Map(
  Object.entries(LEVEL_WORDS).flatMap(([level, words]) => words.map((word) => [word, level as LogLevel] as const)),
)

/** A level field's value: a word, a pino number (10 to 60) or a syslog severity (0 to 7). */
export function readLevel(value: unknown): LogLevel | undefined {
  if (typeof value === 'string') {
    const word = value.trim().toLowerCase()
    return BY_WORD.get(word) ?? (/^\d{1,2}$/.test(word) ? readLevel(Number(word)) : undefined)
  }
  if (typeof value !== 'number' || !(value >= 0)) return undefined
  if (value < 8) return value < 3 ? 'fatal' : value < 4 ? 'error' : value < 5 ? 'warn' : value < 7 ? 'info' : 'debug'
  return value < 30 ? 'debug' : value < 40 ? 'info' : value < 50 ? 'warn' : value < 60 ? 'error' : 'fatal'
}

/** From the words of a line that names no level. */
export function guessLevel(text: string): LogLevel {
  if (/\b(?:fatal|panic|critical)\b/i.test(text)) return 'fatal'
  if (/\b(?:error|exception|traceback|failed|failure)\b/i.test(text)) return 'error'
  if (/[a-z](?:Error|Exception)\b/.test(text)) return 'error'
  return /\bwarn(?:ing)?\b/i.test(text) ? 'warn' : 'info'
}
