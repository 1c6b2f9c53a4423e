import { expect, test } from 'vitest'
import type { Point, Series } from '../core/telemetry.ts'
import type { CaseInput } from './case.ts'
import { diagnose } from './diagnose.ts'
import { seeded } from './testing/shop.ts'

const MINUTE = 60_000
const random = seeded(3)

/** A door that asks `offers`, `basket` and `price` once for each request, as counts of calls by minute. */
function counts(fromMs: number, minutes: number, asked: Readonly<Record<string, number>>): Series[] {
  const rates = Array.from({ length: minutes }, () => 80 + 40 * random())
  const series = (metric: string, callee: string | undefined, share: number): Series => ({
    service: 'door',
    metric,
    as: 'value',
    labels: callee === undefined ? { operation: 'GET' } : { callee },
    query: `${metric}{${callee ?? 'GET'}}`,
    points: rates.map((rate, i): Point => [fromMs + i * MINUTE, Math.round(rate * share)]),
  })
  return [
    series('span_count', undefined, 1),
    ...['offers', 'basket', 'price'].map((callee) => series('edge_count', callee, asked[callee] ?? 1)),
  ]
}

const caseOf = (asked: Readonly<Record<string, number>>): CaseInput => ({
  alertAtMs: 1003 * MINUTE,
  stepMs: MINUTE,
  symptoms: [{ service: 'door', name: 'errors', startsAtMs: 1003 * MINUTE }],
  series: counts(1000 * MINUTE, 5, asked),
  logs: [],
  changes: [],
  topology: ['offers', 'basket', 'price'].map((callee) => ({ caller: 'door', callee })),
})

const reference = { series: counts(0, 60, {}), logs: [] }
const claims = (asked: Readonly<Record<string, number>>): string[] => {
  const { causes, leads } = diagnose(caseOf(asked), { reference })
  return [...causes, ...leads].flatMap(({ service, evidence }) => evidence.map(({ claim }) => `${service}: ${claim}`))
}

test('where no lines are written, calls that are missing beside those they go with show a broken way', () => {
  expect(claims({ price: 0.3 }).join()).toMatch(/door: door makes \d+ calls to price of some \d+ that go with/)
})

test('calls that come in their usual proportions break nothing, however many there are', () => {
  expect(claims({}).join()).not.toContain('that go with')
})
