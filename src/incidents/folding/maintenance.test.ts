import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isOpen } from './maintenance.ts'

const at = (text: string) => Date.parse(text)
const DAILY = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

test('a window is open from its first minute until before its last, on its days, in its place', () => {
  // A Thursday; Berlin is an hour ahead of UTC in winter.
  const nightly = { days: ['thu'] as const, from: '02:00', to: '04:00', timeZone: 'Europe/Berlin' }
  expect(isOpen(nightly, at('2026-11-26T00:59:59Z'))).toBe(false)
  expect(isOpen(nightly, at('2026-11-26T01:00:00Z'))).toBe(true)
  expect(isOpen(nightly, at('2026-11-26T02:59:59Z'))).toBe(true)
  expect(isOpen(nightly, at('2026-11-26T03:00:00Z'))).toBe(false)
  expect(isOpen(nightly, at('2026-11-27T01:30:00Z'))).toBe(false)
})

test('what goes over midnight belongs to the day on which it begins', () => {
  const weekend = { days: ['sat'] as const, from: '22:00', to: '06:00', timeZone: 'UTC' }
  expect(isOpen(weekend, at('2026-11-28T23:00:00Z'))).toBe(true)
  expect(isOpen(weekend, at('2026-11-29T05:59:00Z'))).toBe(true)
  expect(isOpen(weekend, at('2026-11-29T06:00:00Z'))).toBe(false)
  expect(isOpen(weekend, at('2026-11-28T05:00:00Z'))).toBe(false)
  expect(isOpen(weekend, at('2026-11-29T23:00:00Z'))).toBe(false)
})

test('the wall clock counts when summer time begins and ends', () => {
  const work = { days: DAILY, from: '02:00', to: '03:00', timeZone: 'Europe/Berlin' }
  const minutes = (day: string) => {
    const start = at(`${day}T00:00:00+01:00`) - 3_600_000
    return Array.from({ length: 26 * 60 }, (_, i) => isOpen(work, start + i * 60_000)).filter(Boolean).length
  }
  expect(minutes('2026-03-29')).toBe(0)
  expect(minutes('2026-10-25')).toBe(120)
  expect(minutes('2026-11-26')).toBe(60)
})

test('of two windows that end where the other begins exactly one is open, whenever', () => {
  const time = fc.tuple(fc.nat(23), fc.nat(59)).map((pair) => pair.map((n) => String(n).padStart(2, '0')).join(':'))
  const moment = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z') })
  fc.assert(
    fc.property(
      time,
      time,
      moment,
      fc.constantFrom('UTC', 'Asia/Kolkata', 'America/New_York'),
      (a, b, now, timeZone) => {
        fc.pre(a !== b)
        const open = (from: string, to: string) => isOpen({ days: DAILY, from, to, timeZone }, now)
        expect(open(a, b)).toBe(!open(b, a))
      },
    ),
  )
})
