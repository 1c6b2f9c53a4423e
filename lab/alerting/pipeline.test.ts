import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../src/core/clock.ts'
import type { MetricQuery, MetricSource, Series } from '../../src/core/telemetry.ts'
import { createPipeline } from './pipeline.ts'
import type { AlertRule } from './rules.ts'

/** A source whose gauges are what the test says they are. */
function sourceOf(values: ReadonlyMap<string, number>): MetricSource {
  const series = (query: MetricQuery, atMs: number): Series[] =>
    [...values].map(([service, value]) => ({
      service,
      metric: query.metric,
      as: query.as,
      labels: {},
      query: query.metric,
      points: [[atMs, value]],
    }))
  return {
    name: 'test',
    catalogue: async () => [],
    labelNames: async () => [],
    query: async (query, range) => series(query, range.toMs),
    promql: (query) => query.metric,
  }
}

const RULE: AlertRule = {
  name: 'Hot',
  condition: { when: { measure: { kind: 'gauge', of: { metric: 'heat' } }, is: '>', than: 10 } },
  forSeconds: 3,
  keepFiringSeconds: 5,
  labels: { severity: 'warning' },
  annotations: { summary: '{{ $labels.service }} is at {{ $value | humanize }}' },
}

interface Body {
  readonly status: string
  readonly groupKey: string
  readonly alerts: readonly { status: string; startsAt: string; endsAt: string; annotations: { summary: string } }[]
}

function setUp(initial: Readonly<Record<string, number>>) {
  const values = new Map(Object.entries(initial))
  const clock = new ManualClock()
  const receiver = { up: true, asked: 0, taken: [] as Body[] }
  const pipeline = createPipeline({
    source: sourceOf(values),
    rules: [RULE],
    grouping: { groupBy: ['service'], groupWaitMs: 2000, groupIntervalMs: 4000, repeatIntervalMs: 60_000 },
    post: async (body) => {
      receiver.asked++
      if (!receiver.up) return { kind: 'missed', reason: 'nobody is there' }
      receiver.taken.push(JSON.parse(body) as Body)
      return { kind: 'taken' }
    },
    clock,
    onDelivery: () => undefined,
    onProblem: (problem) => expect.fail(problem),
  })
  const seconds = async (count: number) => {
    for (let i = 0; i < count; i++) {
      await pipeline.tick(new AbortController().signal)
      await clock.advance(1000)
    }
  }
  return { values, receiver, seconds }
}

describe('the embedded alerter', () => {
  test('says nothing of a condition that did not hold long enough', async () => {
    const { values, receiver, seconds } = setUp({ cart: 20 })
    await seconds(3)
    values.set('cart', 1)
    await seconds(20)
    expect(receiver.asked).toBe(0)
  })

  test('tells of an alert once, again after the repeat interval, and of its end once', async () => {
    const { values, receiver, seconds } = setUp({ cart: 20 })
    await seconds(40)
    expect(receiver.taken.map((body) => body.status)).toEqual(['firing'])
    expect(receiver.taken[0]?.alerts[0]?.annotations.summary).toBe('cart is at 20')
    expect(receiver.taken[0]?.alerts[0]?.endsAt).toBe('0001-01-01T00:00:00Z')
    await seconds(40)
    expect(receiver.taken.map((body) => body.status)).toEqual(['firing', 'firing'])
    values.set('cart', 1)
    await seconds(100)
    expect(receiver.taken.map((body) => body.status)).toEqual(['firing', 'firing', 'resolved'])
    expect(receiver.taken[2]?.alerts[0]?.startsAt).toBe(receiver.taken[0]?.alerts[0]?.startsAt)
  })

  test('an alert that flickers goes on firing', async () => {
    const { values, receiver, seconds } = setUp({ cart: 20 })
    await seconds(10)
    for (let i = 0; i < 5; i++) {
      values.set('cart', 1)
      await seconds(3)
      values.set('cart', 20)
      await seconds(3)
    }
    expect(receiver.taken.map((body) => body.status)).toEqual(['firing'])
  })

  test('gathers what fires together into one notification a group', async () => {
    const { receiver, seconds } = setUp({ cart: 20, payment: 30 })
    await seconds(10)
    expect(receiver.taken.map((body) => body.groupKey).sort()).toEqual([
      '{}:{service="cart"}',
      '{}:{service="payment"}',
    ])
  })

  test('offers an alert again until the receiver takes it', async () => {
    const { receiver, seconds } = setUp({ cart: 20 })
    receiver.up = false
    await seconds(60)
    expect(receiver.asked).toBeGreaterThan(10)
    receiver.up = true
    await seconds(20)
    expect(receiver.taken.map((body) => body.status)).toEqual(['firing'])
  })

  test('an end that nobody took is offered again', async () => {
    const { values, receiver, seconds } = setUp({ cart: 20 })
    await seconds(10)
    receiver.up = false
    values.set('cart', 1)
    await seconds(60)
    receiver.up = true
    await seconds(20)
    expect(receiver.taken.map((body) => body.status)).toEqual(['firing', 'resolved'])
  })

  test('an alert that comes back after its end is a new one', async () => {
    const { values, receiver, seconds } = setUp({ cart: 20 })
    await seconds(10)
    values.set('cart', 1)
    await seconds(20)
    values.set('cart', 20)
    await seconds(20)
    expect(receiver.taken.map((body) => body.status)).toEqual(['firing', 'resolved', 'firing'])
    expect(receiver.taken[2]?.alerts[0]?.startsAt).not.toBe(receiver.taken[0]?.alerts[0]?.startsAt)
  })
})
