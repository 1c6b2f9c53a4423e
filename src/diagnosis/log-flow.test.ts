import { describe, expect, test } from 'vitest'
import type { LogLine } from '../core/telemetry.ts'
import { findBrokenFlows } from './log-flow.ts'

const callersOf = (service: string): readonly string[] => (service === 'price' ? ['basket'] : [])

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
    const [broken, ...others] = findBrokenFlows(healthy, lines({ ...later, rate: () => 25, asked: 0.2 }), callersOf)
    expect(others).toEqual([])
    expect(broken).toMatchObject({ service: 'price', count: 15, partner: { service: 'basket' } })
    expect(broken?.expected).toBeCloseTo(75, -1)
    expect(broken?.strength).toBeGreaterThan(0.5)
  })

  test.each([
    ['a quiet time', 6],
    ['three times the load', 70],
  ])('%s breaks nothing', (_, rate) => {
    expect(findBrokenFlows(healthy, lines({ ...later, rate: () => rate }), callersOf)).toEqual([])
  })

  test('without a healthy time that is long enough nothing is said', () => {
    const short = healthy.filter(({ at }) => at < 180_000)
    expect(findBrokenFlows(short, lines({ ...later, rate: () => 25, asked: 0 }), callersOf)).toEqual([])
    expect(findBrokenFlows([], [], callersOf)).toEqual([])
  })
})
