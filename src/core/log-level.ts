// How bad the levels of log lines are, against one another.
import type { LogLevel } from './telemetry.ts'

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal']

export const isAtLeast = (level: LogLevel, least: LogLevel): boolean => ORDER.indexOf(level) >= ORDER.indexOf(least)
