// What every MetricSource promises, run against each of them on the same targets (metric-source-shop.ts).
import { describe, expect, test } from 'vitest'
import type { MetricQuery, MetricSource, Series, TimeRange } from '../core/telemetry.ts'
import { SHOP } from './metric-source-shop.ts'

export interface ContractSubject {
  readonly source: MetricSource
  /** From the begin of the shop's script to its end. */
  readonly range: TimeRange
}

const never = new AbortController().signal
const DURATION = 'http_request_duration_seconds'

export function metricSourceContract(name: string, subject: () => ContractSubject): void {
  const ask = (query: MetricQuery) => subject().source.query(query, subject().range, never)
  const between = (series: Series | undefined, fromSeconds: number, toSeconds: number) => {
    const { fromMs } = subject().range
    return (series?.points ?? [])
      .filter(([at]) => at >= fromMs + fromSeconds * 1000 && at <= fromMs + toSeconds * 1000)
      .map(([, value]) => value)
  }
  const middle = (values: readonly number[]) =>
    [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
  const of = (all: readonly Series[], service: string) => all.find((series) => series.service === service)

  describe(`a metric source: ${name}`, () => {
    test('the catalogue names metrics by their base name, with type and help', async () => {
      const { source, range } = subject()
      const catalogue = await source.catalogue(range, never)
      expect(catalogue).toEqual(
        expect.arrayContaining([
          { name: 'http_requests_total', type: 'counter', help: 'Requests, by route.' },
          { name: DURATION, type: 'histogram', help: 'Time to answer.' },
          { name: 'db_pool_connections', type: 'gauge', help: 'Connections by state.' },
          { name: 'up', type: 'gauge', help: '' },
        ]),
      )
      expect(catalogue.map((metric) => metric.name).filter((each) => each.startsWith(DURATION))).toEqual([DURATION])
    })

    test('label names are told without __name__ and le', async () => {
      const { source, range } = subject()
      const found = await source.labelNames(DURATION, range, never)
      expect(found).toEqual(expect.arrayContaining(['instance', 'route', 'service']))
      expect(found).not.toContain('le')
      expect(found).not.toContain('__name__')
      expect(await source.labelNames('nothing_like_it', range, never)).toEqual([])
    })

    test('rates are summed over the processes of a service, and a service may be named by its job', async () => {
      const found = await ask({ metric: 'http_requests_total', as: 'rate' })
      expect(found.map(({ service }) => service)).toEqual(['cart', 'checkout', 'legacy'])
      const one = SHOP.getRate + SHOP.postRate
      expect(middle(between(of(found, 'checkout'), 2.5, SHOP.restartAt)) / (2 * one)).toBeCloseTo(1, 1)
      expect(middle(between(of(found, 'legacy'), 2, 8)) / one).toBeCloseTo(1, 1)
    })

    test('a restart is no negative rate and no leap', async () => {
      const [series] = await ask({
        metric: 'http_requests_total',
        as: 'rate',
        where: { service: 'checkout', method: 'GET' },
      })
      const values = between(series, 2, SHOP.endAt - 0.5)
      expect(values.length).toBeGreaterThan(10)
      expect(Math.min(...values)).toBeGreaterThan(0)
      expect(Math.max(...values)).toBeLessThan(2.5 * SHOP.getRate)
    })

    test('labels that are asked for are kept, conditions are exact, odd values are escaped', async () => {
      const kept = await ask({
        metric: 'http_requests_total',
        as: 'rate',
        by: ['method'],
        where: { service: 'legacy' },
      })
      expect(kept.map(({ labels }) => labels)).toEqual([{ method: 'GET' }, { method: 'POST' }])
      const odd = await ask({
        metric: 'http_requests_total',
        as: 'rate',
        where: { route: SHOP.oddRoute, service: 'legacy' },
      })
      expect(middle(between(odd[0], 2, 8)) / SHOP.postRate).toBeCloseTo(1, 1)
      expect(await ask({ metric: 'http_requests_total', as: 'rate', where: { method: 'G.*' } })).toEqual([])
    })

    test('a gauge is summed as it is', async () => {
      const found = await ask({ metric: 'db_pool_connections', as: 'value', by: ['state'], where: { service: 'cart' } })
      expect(found.map(({ labels }) => labels)).toEqual([{ state: 'idle' }, { state: 'in_use' }])
      const [idle, inUse] = found.map((series) => between(series, 1, 5))
      expect(idle?.length).toBeGreaterThan(5)
      idle?.forEach((value, i) => expect(value + (inUse?.[i] ?? Number.NaN)).toBeCloseTo(30, 5))
      expect(await ask({ metric: 'db_pool_connections', as: 'value', by: ['no_such_label'] })).toHaveLength(2)
    })

    test('a histogram has a mean and quantiles', async () => {
      const where = { service: 'checkout' }
      const [mean] = await ask({ metric: DURATION, as: 'mean', where })
      expect(middle(between(mean, 2, 8))).toBeCloseTo(SHOP.meanSeconds, 3)
      for (const q of [0.1, 0.5, 0.9, 1]) {
        const [quantile] = await ask({ metric: DURATION, as: 'quantile', q, where, by: ['route'] })
        expect(quantile?.labels).toEqual({ route: '/' })
        expect(middle(between(quantile, 2, 8))).toBeCloseTo(0.05 + 0.2 * q, 3)
      }
    })

    test('a target that fails is up 0, and everything else of it ends', async () => {
      const up = of(await ask({ metric: 'up', as: 'value' }), 'cart')
      expect(new Set(between(up, 1, SHOP.downAt - 0.5))).toEqual(new Set([1]))
      expect(new Set(between(up, SHOP.downAt + 1, SHOP.endAt))).toEqual(new Set([0]))
      for (const query of [
        { metric: 'db_pool_connections', as: 'value' },
        { metric: 'http_requests_total', as: 'rate' },
        { metric: DURATION, as: 'mean' },
      ] as const) {
        const ended = of(await ask(query), 'cart')
        expect(between(ended, 2, SHOP.downAt - 0.5).length).toBeGreaterThan(5)
        expect(between(ended, SHOP.downAt + 3, SHOP.endAt)).toEqual([])
      }
    })

    test('a series that goes away ends there', async () => {
      const [queue] = await ask({ metric: 'queue_depth', as: 'value', by: ['queue'] })
      expect(new Set(between(queue, 0.5, SHOP.queueGoneAt - 0.5))).toEqual(new Set([7]))
      expect(between(queue, SHOP.queueGoneAt + 1, SHOP.endAt)).toEqual([])
    })

    test('what is no number is no point', async () => {
      const found = await ask({ metric: 'odd_numbers', as: 'value', by: ['kind'], where: { service: 'cart' } })
      expect(found.map(({ labels }) => labels)).toEqual([{ kind: 'tiny' }])
    })

    test('points lie on the steps of the range, in order', async () => {
      const { range } = subject()
      for (const { points } of await ask({ metric: 'up', as: 'value' })) {
        const steps = points.map(([at]) => (at - range.fromMs) / range.stepMs)
        expect(steps.every((step) => Number.isInteger(step) && step >= 0)).toBe(true)
        expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b))
      }
    })

    test('a metric that is not there has no series', async () => {
      expect(await ask({ metric: 'nothing_like_it', as: 'value' })).toEqual([])
      expect(await ask({ metric: 'nothing_like_it', as: 'quantile', q: 0.5 })).toEqual([])
    })

    test('every series carries the PromQL that gave it', async () => {
      const query: MetricQuery = { metric: 'up', as: 'value', where: { service: 'cart' } }
      for (const series of await ask(query))
        expect(series.query).toMatch(/^sum by \(service\) \(up\{.*service="cart"\}.*\)$/)
      expect(subject().source.promql({ metric: DURATION, as: 'quantile', q: 0.9 })).toMatch(
        /^histogram_quantile\(0\.9, sum by \(service, le\) \(rate\(http_request_duration_seconds_bucket\[\d+m?s\]\)\)\)$/,
      )
    })

    test('a query that means nothing is refused as malformed', async () => {
      for (const query of [
        { metric: 'a b', as: 'value' },
        { metric: 'up', as: 'quantile' },
        { metric: 'up', as: 'quantile', q: 2 },
        { metric: 'up', as: 'value', by: ['a-b'] },
        { metric: 'up', as: 'value', where: { 'x"}': '1' } },
      ] as const) {
        await expect(ask(query)).rejects.toMatchObject({ code: 'malformed' })
      }
      const range = { ...subject().range, stepMs: 0 }
      const endless = subject().source.query({ metric: 'up', as: 'value' }, range, never)
      await expect(endless).rejects.toMatchObject({ code: 'malformed' })
    })

    test('an abort ends the question with its reason', async () => {
      const { source, range } = subject()
      const question = source.query({ metric: 'up', as: 'value' }, range, AbortSignal.abort(new Error('enough')))
      await expect(question).rejects.toThrow('enough')
    })
  })
}
