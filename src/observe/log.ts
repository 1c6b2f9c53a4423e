// Structured logs, one JSON object a line on standard error (standard output is for data).
import { pino, type Logger } from 'pino'

export type Log = Logger

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevelName = (typeof LOG_LEVELS)[number]

export function createLog(options: { level: LogLevelName; pretty?: boolean }): Log {
  const base = {
    level: options.level,
    base: { service: 'midwatch' },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: ['apiKey', '*.apiKey', 'authorization', '*.authorization', 'headers.cookie'],
  }
  return options.pretty
    ? pino({ ...base, transport: { target: 'pino-pretty', options: { destination: 2, ignore: 'service' } } })
    : pino(base, pino.destination({ dest: 2, sync: false }))
}

export const silentLog = (): Log => pino({ level: 'silent' })
