import { describe, expect, test } from 'vitest'
import type { LogLine } from '../core/telemetry.ts'
import { findBrokenFlows } from './log-flow.ts'
import { tabulateLogs } from './log-table.ts'

const callersOf = (service: string): readonly string[] => (service === 'price' ? ['basket'] : [])

const brokenFlows = (before: readonly LogLine[], incident: readonly LogLine[]) =>
  findBrokenFlows(tabulateLogs(before, incident), ['basket', 'price'], callersOf)

/** `rate` requests a minute; each writes two lines at the basket and, for the `asked` share of them, one at the price service. */
function lines(options: {
  minutes: number
  fromMs: number
  rate: (minute: number) => number
  asked?: number
}): LogLine[] {
  const found: LogLine[] = []
  for (let minute = 0; minute < options.minutes; minute++) {
    const count = options.rate(minute)
    for (let i = 0; i < count; i++) {
      const at = options.fromMs + (minute + i / count) * 60_000
      const line = (service: string, message: string): LogLine => ({ at, service, message, level: 'info', ref: '' })
      found.push(line('basket', `total asked for order ${i}`), line('basket', `asking the price of item ${i}`))
      if (i / count < (options.asked ?? 1)) found.push(line('price', `price of item ${i} looked up`))
    }
  }
  return found
}

const healthy = lines({ minutes: 30, fromMs: 0, rate: (minute) => 20 + (minute % 5) * 4 })
const later = { fromMs: 7_200_000, minutes: 3 }

describe('lines that go together', () => {
  test('where one is missing beside those it goes with, the way is broken there', () => {
    const [broken, ...others] = brokenFlows(healthy, lines({ ...later, rate: () => 25, asked: 0.2 }))
    expect(others).toEqual([])
    expect(broken).toMatchObject({ service: 'price', count: 15, partner: { service: 'basket' } })
    expect(broken?.expected).toBeCloseTo(75, -1)
    expect(broken?.strength).toBeGreaterThan(0.5)
  })

  test.each([
    ['a quiet time', 6],
    ['three times the load', 70],
  ])('%s breaks nothing', (_, rate) => {
    expect(brokenFlows(healthy, lines({ ...later, rate: () => rate }))).toEqual([])
  })

  test('without a healthy time that is long enough nothing is said', () => {
    const short = healthy.filter(({ at }) => at < 180_000)
    expect(brokenFlows(short, lines({ ...later, rate: () => 25, asked: 0 }))).toEqual([])
    expect(brokenFlows([], [])).toEqual([])
  })

  /** As many requests, of which the `failing` share stops before the price is asked for, with an error that says `why`. */
  const stopping = (minutes: number, fromMs: number, failing: number, why: string): LogLine[] =>
    lines({ minutes, fromMs, rate: () => 25, asked: 1 - failing }).flatMap((line): LogLine[] =>
      line.service === 'basket' && line.message.startsWith('asking') && (line.at / 60_000) % 1 >= 1 - failing - 1e-6
        ? [line, { ...line, message: why, level: 'error' }]
        : [line],
    )

  test('what stops at a call that is complained of is excused, unless the same complaint broke nothing before', () => {
    const complaint = 'no instance of price was found'
    const [told] = brokenFlows(healthy, stopping(3, later.fromMs, 0.6, complaint))
    expect(told).toMatchObject({ service: 'price', excused: 1 })
    const harmless = healthy.map((line, i): LogLine => ({
      ...line,
      ...(i % 40 === 0 ? { message: complaint, level: 'error', service: 'basket' } : {}),
    }))
    const [untold] = brokenFlows(harmless, stopping(3, later.fromMs, 0.6, complaint))
    expect(untold?.service).toBe('price')
    expect(untold?.excused).toBeLessThan(0.5)
    expect(brokenFlows(healthy, stopping(3, later.fromMs, 0.6, 'out of luck'))[0]).toMatchObject({ excused: 0 })
  })
})
