import { expect, test } from 'vitest'
import type { LogLine } from '../core/telemetry.ts'
import { tabulateLogs } from './log-table.ts'

const line = (at: number, message: string, service = 'a'): LogLine => ({ at, service, message, level: 'info', ref: '' })

/** One line of each message every six seconds. */
const writing = (fromMs: number, minutes: number, messages: readonly string[], service = 'a'): LogLine[] =>
  Array.from({ length: minutes * 10 }, (_, i) =>
    messages.map((message) => line(fromMs + i * 6000, `${message} ${i}`, service)),
  ).flat()

const HOUR = 3_600_000

test('lines of one kind are counted in each window of the healthy time and in the incident', () => {
  const { rows, windows } = tabulateLogs(writing(0, 10, ['paid order']), writing(HOUR, 1, ['paid order', 'lost order']))
  expect(windows).toBe(10)
  expect(rows.map(({ before, count }) => [before, count])).toEqual([
    [100, 10],
    [0, 10],
  ])
  expect(rows[0]?.healthy.every((count) => count >= 9 && count <= 11)).toBe(true)
})

test('no window spans a pause between recordings', () => {
  const { windows, healthyMs } = tabulateLogs([...writing(0, 3, ['x']), ...writing(HOUR, 3, ['x'])], [])
  expect(windows).toBe(6)
  expect(healthyMs).toBeLessThan(7 * 60_000)
})

test('what the healthy time covers of a case is no part of the incident', () => {
  const healthy = writing(0, 10, ['x'])
  const { rows } = tabulateLogs(healthy, [...writing(8 * 60_000, 2, ['x']), ...writing(10 * 60_000, 3, ['y'])])
  expect(rows.map(({ template, count }) => [template[0], count])).toEqual([
    ['x', 0],
    ['y', 30],
  ])
})

test('a healthy time that covers the whole case is not healthy there', () => {
  const { rows, windows } = tabulateLogs(writing(0, 20, ['x']), writing(10 * 60_000, 3, ['x']))
  expect(windows).toBeLessThan(18)
  expect(rows[0]?.count).toBe(30)
  expect(rows[0]?.before).toBeLessThan(180)
})

test('a service that stops writing all of many kinds of lines is silent; one that stops a single kind is not', () => {
  const healthy = [...writing(0, 10, ['one', 'two', 'three']), ...writing(0, 10, ['one', 'two', 'three'], 'b')]
  const { silent } = tabulateLogs(healthy, writing(HOUR, 2, ['one', 'two'], 'b'))
  expect([...silent]).toEqual(['a'])
})

test('the order of lines does not matter', () => {
  const healthy = writing(0, 10, ['one', 'two'])
  const incident = writing(HOUR, 2, ['one'])
  const answer = tabulateLogs(healthy, incident)
  expect(tabulateLogs(healthy.toReversed(), incident.toReversed())).toEqual(answer)
})
