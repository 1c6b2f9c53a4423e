import { expect, test } from 'vitest'
import { clock, dayAndClock, duration, relative, utc, zoneName } from './time.ts'

const AT = Date.UTC(2026, 10, 23, 2, 12, 40)
const zone = 'Europe/Berlin'

test('a clock time is local, in 24 hours, with seconds only where asked', () => {
  expect(clock(AT, { zone })).toBe('03:12')
  expect(clock(AT, { zone, seconds: true })).toBe('03:12:40')
  expect(clock(Date.UTC(2026, 0, 1, 0, 5), { zone: 'UTC' })).toBe('00:05')
})

test('another day is named, another year too', () => {
  expect(dayAndClock(AT, AT + 3_600_000, { zone })).toBe('03:12')
  expect(dayAndClock(AT, AT + 86_400_000, { zone })).toBe('23 Nov 03:12')
  expect(dayAndClock(AT, AT + 400 * 86_400_000, { zone })).toBe('23 Nov 2026 03:12')
})

test('a moment near midnight belongs to the local day, not to the day in UTC', () => {
  const lateEvening = Date.UTC(2026, 10, 22, 23, 30)
  expect(dayAndClock(lateEvening, AT, { zone })).toBe('00:30')
  expect(dayAndClock(lateEvening, AT, { zone: 'UTC' })).toBe('22 Nov 23:30')
})

test('the zone has a name, and UTC is said as UTC', () => {
  expect(zoneName(AT, zone)).toMatch(/^(CET|GMT\+1)$/)
  expect(utc(AT)).toBe('2026-11-23 02:12:40 UTC')
})

test('a duration has two units at most and is never negative', () => {
  expect(duration(-5000)).toBe('0 s')
  expect(duration(40_900)).toBe('40 s')
  expect(duration(14 * 60_000 + 59_000)).toBe('14 min')
  expect(duration(3_600_000)).toBe('1 h')
  expect(duration(2 * 3_600_000 + 5 * 60_000)).toBe('2 h 5 min')
  expect(duration(76 * 3_600_000)).toBe('3 d 4 h')
})

test('relative time tells past from future', () => {
  expect(relative(AT, AT + 14 * 60_000)).toBe('14 min ago')
  expect(relative(AT + 58 * 60_000, AT)).toBe('in 58 min')
  expect(relative(AT, AT + 3000)).toBe('now')
})
