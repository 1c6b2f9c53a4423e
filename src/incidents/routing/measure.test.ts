import { expect, test } from 'vitest'
import { type Objective, servicesSchema } from '../../config/routing-schema.ts'
import type { MetricQuery, MetricSource, Series, TimeRange } from '../../core/telemetry.ts'
import { measureObjective } from './measure.ts'

const NOW = Date.UTC(2026, 10, 23, 3, 12)
const never = new AbortController().signal

const objectiveOf = (one: object): Objective => {
  const { checkout } = servicesSchema.parse({ checkout: { objectives: [{ name: 'o', target: 99, ...one }] } })
  return checkout?.objectives?.[0] as Objective
}
const sourceOf = (answer: (query: MetricQuery, range: TimeRange) => Series[], more: Partial<MetricSource> = {}) => ({
  name: 'made up',
  catalogue: async () => [],
  labelNames: async () => [],
  query: async (query: MetricQuery, range: TimeRange) => answer(query, range),
  promql: () => '',
  ...more,
})
const flat = ({ fromMs, toMs, stepMs }: TimeRange, value: number): [number, number][] =>
  Array.from({ length: Math.round((toMs - fromMs) / stepMs) + 1 }, (_, i) => [fromMs + i * stepMs, value])

test('requests that are slower than the bound of a bucket are bad ones', async () => {
  const asked: MetricQuery[] = []
  const source = sourceOf((query, range) => {
    asked.push(query)
    const of = (le: string, value: number): Series => ({
      service: 'checkout',
      metric: query.metric,
      as: 'rate',
      labels: { le },
      query: '',
      points: flat(range, value),
    })
    return [of('0.1', 50), of('0.50', 80), of('+Inf', 100)]
  })
  const fast = objectiveOf({ latency: { metric: 'http_seconds', where: { handler: 'pay' }, withinSeconds: 0.5 } })
  const measured = await measureObjective([source], 'checkout', fast, NOW, never)
  expect(measured.unknown).toBeNull()
  // A fifth is slow, of one in a hundred allowed.
  expect(measured.burns.map(({ long, short }) => [Math.round(long ?? 0), Math.round(short ?? 0)])).toEqual([
    [20, 20],
    [20, 20],
    [20, 20],
  ])
  expect(asked[0]).toEqual({
    metric: 'http_seconds_bucket',
    as: 'rate',
    where: { handler: 'pay', service: 'checkout' },
    by: ['le'],
  })
  const between = objectiveOf({ latency: { metric: 'http_seconds', withinSeconds: 0.3 } })
  expect((await measureObjective([source], 'checkout', between, NOW, never)).unknown).toContain('no bucket of 0.3 s')
})

test('a ratio of PromQL is asked over every window, and only of who speaks it', async () => {
  const asked: string[] = []
  const evaluate = async (promql: string) => {
    asked.push(promql)
    return promql.includes('[300s]') ? undefined : 0.02
  }
  const ratio = objectiveOf({ errorRatio: 'sum(rate(bad[$window])) / sum(rate(all[$window]))' })
  const { burns } = await measureObjective([sourceOf(() => [], { evaluate })], 'checkout', ratio, NOW, never)
  expect(asked.map((one) => /\[(\d+)s\]/.exec(one)?.[1])).toEqual(['3600', '300', '21600', '1800', '259200', '21600'])
  expect(burns[0]).toMatchObject({ short: null, burning: false })
  expect(burns[1]?.long).toBeCloseTo(2)
  const { unknown } = await measureObjective([sourceOf(() => [])], 'checkout', ratio, NOW, never)
  expect(unknown).toContain('does not speak PromQL')
})

test('what one source does not know another may, and a failure is told where none does', async () => {
  const requests = objectiveOf({ requests: { metric: 'requests_total', bad: { label: 'code', matches: '5..' } } })
  const down = sourceOf(() => {
    throw new Error('out of order')
  })
  const knows = sourceOf(({ metric }, range) => [
    { service: 'checkout', metric, as: 'rate', labels: {}, query: '', points: flat(range, 10) },
  ])
  const { burns, unknown } = await measureObjective([sourceOf(() => []), down, knows], 'checkout', requests, NOW, never)
  expect([unknown, burns[0]?.long]).toEqual([null, 0])
  expect((await measureObjective([down], 'checkout', requests, NOW, never)).unknown).toContain('out of order')
})
