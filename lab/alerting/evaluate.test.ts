import { describe, expect, test } from 'vitest'
import type { Labels, MetricQuery, MetricSource, Series } from '../../src/core/telemetry.ts'
import { type Condition, toPromql } from './condition.ts'
import { evaluate } from './evaluate.ts'

interface Held {
  readonly metric: string
  readonly as: MetricQuery['as']
  readonly labels: Labels & { readonly service: string }
  readonly value: number | ((atMs: number) => number)
}

/** Answers as a source does: summed by service and the labels asked for, nothing narrowed by label values. */
function sourceOf(held: readonly Held[]): MetricSource {
  return {
    name: 'test',
    catalogue: async () => [],
    labelNames: async () => [],
    promql: (query) => query.metric,
    query: async (query, { toMs }) =>
      held
        .filter(({ metric, as }) => metric === query.metric && as === query.as)
        .map(({ labels: { service, ...rest }, value }): Series => {
          const kept = Object.entries(rest).filter(([label]) => query.by?.includes(label))
          return {
            service,
            metric: query.metric,
            as: query.as,
            labels: Object.fromEntries(kept),
            query: query.metric,
            points: [[toMs, typeof value === 'number' ? value : value(toMs)]],
          }
        }),
  }
}

const requests = (service: string, status: string, value: number): Held => ({
  metric: 'http_requests_total',
  as: 'rate',
  labels: { service, status },
  value,
})

const ERROR_RATIO: Condition = {
  when: {
    measure: {
      kind: 'ratio',
      part: { kind: 'rate', of: { metric: 'http_requests_total', match: { status: '5..' } }, overSeconds: 15 },
      whole: { kind: 'rate', of: { metric: 'http_requests_total' }, overSeconds: 15 },
    },
    is: '>',
    than: 0.05,
  },
  and: {
    measure: { kind: 'rate', of: { metric: 'http_requests_total' }, overSeconds: 15 },
    is: '>',
    than: 0.2,
  },
}

const ask = (condition: Condition, held: readonly Held[], atMs = 1_000_000) =>
  evaluate(condition, sourceOf(held), atMs, new AbortController().signal)

describe('a condition', () => {
  test('sums what matches and divides it by the whole, group by group', async () => {
    const held = [
      requests('cart', '200', 8),
      requests('cart', '500', 1),
      requests('cart', '503', 1),
      requests('cart', '1500', 5),
      requests('payment', '200', 9),
    ]
    expect(await ask(ERROR_RATIO, held)).toEqual([{ labels: { service: 'cart' }, value: 2 / 15 }])
  })

  test('holds only where its second half holds too', async () => {
    expect(await ask(ERROR_RATIO, [requests('cart', '500', 0.1)])).toEqual([])
  })

  test('is silent where nothing matches, as a vector without elements is', async () => {
    expect(await ask(ERROR_RATIO, [requests('cart', '200', 9)])).toEqual([])
    expect(await ask(ERROR_RATIO, [])).toEqual([])
  })

  test('compares a gauge with what it was', async () => {
    const condition: Condition = {
      by: ['instance'],
      when: { measure: { kind: 'growth', of: { metric: 'memory' }, overSeconds: 30 }, is: '>', than: 50 },
    }
    const memory = (perSecond: number): Held => ({
      metric: 'memory',
      as: 'value',
      labels: { service: 'cart', instance: 'a:1' },
      value: (atMs) => (atMs / 1000) * perSecond,
    })
    expect(await ask(condition, [memory(1)])).toEqual([])
    expect(await ask(condition, [memory(2)])).toEqual([{ labels: { service: 'cart', instance: 'a:1' }, value: 60 }])
    expect(toPromql(condition)).toBe(
      '(sum by (service, instance) (memory) - sum by (service, instance) (memory offset 30s)) > 50',
    )
  })

  test('counts the seconds until a moment', async () => {
    const condition: Condition = { when: { measure: { kind: 'until', of: { metric: 'expiry' } }, is: '<', than: 0 } }
    const expiry = (seconds: number): Held => ({
      metric: 'expiry',
      as: 'value',
      labels: { service: 'payment' },
      value: seconds,
    })
    expect(await ask(condition, [expiry(1001)])).toEqual([])
    expect(await ask(condition, [expiry(990)])).toEqual([{ labels: { service: 'payment' }, value: -10 }])
  })
})
