import { expect, test } from 'vitest'
import type { LogLevel, LogLine } from '../core/telemetry.ts'
import { compareLogs } from './log-evidence.ts'
import { tabulateLogs } from './log-table.ts'

const line = (at: number, level: LogLevel, message: string): LogLine => ({
  at,
  service: 'cart',
  message,
  level,
  ref: '',
})
const steady = (fromMs: number, minutes: number): LogLine[] =>
  Array.from({ length: minutes * 10 }, (_, i) => line(fromMs + i * 6000, 'info', `served request ${i}`))

const HOUR = 3_600_000
const MINUTE = 60_000

const found = (level: LogLevel, diedBefore: number) => {
  const message = 'killed: out of memory, 320 MB used'
  const before = Array.from({ length: diedBefore }, (_, i) => line((i + 1) * MINUTE, level, message))
  const table = tabulateLogs([...steady(0, 30), ...before], [...steady(HOUR, 1), line(HOUR + 1000, level, message)])
  return compareLogs(table, ['cart'], () => []).filter(({ template }) => template.startsWith('killed'))
}

test('a death counts though the first one came before anybody noticed, with what its words speak for', () => {
  expect(found('fatal', 1)).toMatchObject([{ change: 'surged', countBefore: 1, countAfter: 1, kinds: ['memory_leak'] }])
  expect(found('fatal', 1)[0]?.strength).toBeGreaterThan(0.4)
})

test('what dies all the time, and an error that is told as rarely, are nothing new', () => {
  expect(found('fatal', 28)).toEqual([])
  expect(found('error', 1)).toEqual([])
})
