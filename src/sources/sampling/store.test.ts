import { describe, expect, test } from 'vitest'
import type { MetricQuery, TimeRange } from '../../core/telemetry.ts'
import { evaluate } from './evaluate.ts'
import type { Sample } from './sample.ts'
import { SampleStore } from './store.ts'

const REACH = { lookbackMs: 2500, windowMs: 4000 }
const sample = (name: string, value: number, labels: Record<string, string> = {}): Sample => ({
  name,
  value,
  labels: Object.entries(labels),
})

function fill(
  store: SampleStore,
  rows: number,
  at: (row: number) => readonly Sample[],
  instance = 'i1',
  fromRow = 0,
): void {
  for (let row = fromRow; row < rows; row++) {
    store.append(instance, { service: 'cart', instance }, row * 1000, at(row))
  }
}

const ask = (store: SampleStore, query: MetricQuery, range: TimeRange) =>
  evaluate(store, query, range, REACH, 'promql').map(({ labels, points }) => ({ labels, points }))
const seconds = (from: number, to: number, step = 1): TimeRange => ({
  fromMs: from * 1000,
  toMs: to * 1000,
  stepMs: step * 1000,
})

describe('what is stored', () => {
  test('rows that are not later than the last are refused', () => {
    const store = new SampleStore({ maxSeries: 10 })
    const append = (atMs: number) => store.append('i', { service: 'cart' }, atMs, [sample('a', 1)]).accepted
    expect([append(1000), append(1000), append(999), append(1001)]).toEqual([true, false, false, true])
  })

  test('beyond the bound new series are refused and counted, known ones go on', () => {
    const store = new SampleStore({ maxSeries: 2 })
    const three = ['x', 'y', 'z'].map((label) => sample('a', 1, { label }))
    expect(store.append('i', { service: 'cart' }, 0, three)).toEqual({ accepted: true, refused: 1 })
    expect(store.append('i', { service: 'cart' }, 1000, three)).toEqual({ accepted: true, refused: 1 })
    expect(store.seriesCount).toBe(2)
    expect(ask(store, { metric: 'a', as: 'value' }, seconds(0, 1))).toEqual([
      {
        labels: {},
        points: [
          [0, 2],
          [1000, 2],
        ],
      },
    ])
  })

  test('what expires makes room again', () => {
    const store = new SampleStore({ maxSeries: 1 })
    fill(store, 200, () => [sample('old', 1)])
    store.append('i2', { service: 'cart' }, 300_000, [sample('new', 1)])
    expect(store.seriesCount).toBe(1)
    store.expire(199_001)
    expect([store.seriesCount, [...store.sampleNames()]]).toEqual([0, []])
    store.append('i2', { service: 'cart' }, 301_000, [sample('new', 1)])
    expect([...store.sampleNames()]).toEqual(['new'])
  })

  test('samples are what they were across chunks, moving or flat', () => {
    const store = new SampleStore({ maxSeries: 10 })
    fill(store, 1000, (row) => [sample('moving', row), sample('flat', 7), ...(row % 3 ? [sample('gaps', row)] : [])])
    const all = Array.from({ length: 1000 }, (_, row) => [row * 1000, row])
    expect(ask(store, { metric: 'moving', as: 'value' }, seconds(0, 999))[0]?.points).toEqual(all)
    expect(ask(store, { metric: 'flat', as: 'value' }, seconds(0, 999))[0]?.points).toEqual(all.map(([at]) => [at, 7]))
    expect(ask(store, { metric: 'gaps', as: 'value' }, seconds(0, 999))[0]?.points).toEqual(
      all.filter(([, row = 0]) => row % 3),
    )
  })

  test("the target's labels win over what it says of itself", () => {
    const store = new SampleStore({ maxSeries: 10 })
    store.append('i', { service: 'cart', instance: 'i' }, 0, [
      sample('a', 1, { service: 'imposter', constructor: 'x' }),
    ])
    const by = ['exported_service', 'constructor', 'toString']
    expect(evaluate(store, { metric: 'a', as: 'value', by }, seconds(0, 0), REACH, '')).toMatchObject([
      { service: 'cart', labels: { exported_service: 'imposter', constructor: 'x' } },
    ])
  })
})

describe('what is answered', () => {
  test('a value stands until the next row, but not over a gap in the rows', () => {
    const store = new SampleStore({ maxSeries: 10 })
    fill(store, 5, (row) => [sample('a', row)])
    fill(store, 22, (row) => [sample('a', row)], 'i1', 20)
    const [series] = ask(store, { metric: 'a', as: 'value' }, { fromMs: 0, toMs: 21_000, stepMs: 500 })
    const times = series?.points.map(([at]) => at) ?? []
    expect(times.filter((at) => at < 10_000).at(-1)).toBe(6000)
    expect(times.find((at) => at > 10_000)).toBe(20_000)
  })

  test('a rate counts from restart to restart and needs two samples', () => {
    const store = new SampleStore({ maxSeries: 10 })
    const values = [0, 10, 20, 30, 5, 15, 25]
    fill(store, values.length, (row) => [sample('a', values[row] ?? 0)])
    const [series] = ask(store, { metric: 'a', as: 'rate' }, seconds(0, 6))
    expect(series?.points).toEqual([
      [1000, 10],
      [2000, 10],
      [3000, 10],
      [4000, 35 / 4],
      [5000, 35 / 4],
      [6000, 35 / 4],
    ])
  })

  test('a step longer than the window loses no increase', () => {
    const store = new SampleStore({ maxSeries: 10 })
    fill(store, 121, (row) => [sample('a', row === 0 ? 0 : row < 61 ? 5 : 1000)])
    const range = seconds(30, 120, 30)
    const [series] = evaluate(store, { metric: 'a', as: 'rate' }, range, { ...REACH, windowMs: 30_000 }, '')
    expect(series?.points.reduce((sum, [, value]) => sum + value * 30, 0)).toBeCloseTo(1000)
  })

  test('quantiles follow the published method at the edges', () => {
    const store = new SampleStore({ maxSeries: 10 })
    const buckets: Record<string, number> = { '1': 1, '2': 1, '4': 3, '+Inf': 4 }
    fill(store, 5, (row) => Object.entries(buckets).map(([le, rate]) => sample('h_bucket', rate * row, { le })))
    const at = (q: number) => ask(store, { metric: 'h', as: 'quantile', q }, seconds(4, 4))[0]?.points[0]?.[1]
    expect([0, 0.125, 0.25, 0.5, 0.75, 0.9, 1].map(at)).toEqual([0, 0.5, 1, 3, 4, 4, 4])
  })

  test('a histogram that counted nothing, or has no last bucket, has no quantile', () => {
    const store = new SampleStore({ maxSeries: 10 })
    fill(store, 5, (row) => [
      sample('idle_bucket', 7, { le: '1' }),
      sample('idle_bucket', 7, { le: '+Inf' }),
      sample('open_bucket', row, { le: '1' }),
      sample('open_bucket', row, { le: '2' }),
      sample('alone_bucket', row, { le: '+Inf' }),
    ])
    for (const metric of ['idle', 'open', 'alone']) {
      expect(ask(store, { metric, as: 'quantile', q: 0.5 }, seconds(0, 4))).toEqual([])
    }
  })
})
