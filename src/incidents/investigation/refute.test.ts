import { expect, test } from 'vitest'
import type { Cause } from '../../diagnosis/evidence.ts'
import type { Signal } from '../../diagnosis/service-signals.ts'
import { refute } from './refute.ts'

const STEP = 10_000
const ALERT = 60 * STEP
const window = { alertAtMs: ALERT, fromMs: 0, toMs: 70 * STEP, stepMs: STEP }

const cause = (service: string, confidence: number, onset: number | null = 55 * STEP): Cause => ({
  service,
  kind: 'cpu',
  metric: 'cpu',
  score: confidence,
  confidence,
  onset,
  evidence: [],
  against: [],
})

/** Errors of a service that begin at a step. */
const errors = (service: string, fromStep: number): Signal => ({
  service,
  role: 'errors',
  name: 'error ratio',
  unit: 'ratio',
  track: {
    times: Float64Array.from({ length: 71 }, (_, i) => i * STEP),
    values: Float64Array.from({ length: 71 }, (_, i) => (i >= fromStep ? 0.5 : 0)),
  },
  metric: 'errors',
  as: 'rate',
  labels: {},
  query: 'errors',
})

test('a cause that moved before its victims stands as it is', () => {
  const found = refute([cause('inventory', 0.9)], [errors('checkout', 56)], ['checkout'], window)
  expect(found).toEqual({ causes: [cause('inventory', 0.9)], givenUp: null, missing: [] })
})

test('victims that moved within a few scrapes of it are the same moment', () => {
  const found = refute([cause('inventory', 0.9)], [errors('checkout', 53)], ['checkout'], window)
  expect(found.causes[0]?.confidence).toBe(0.9)
})

test('a victim that hurt somewhat earlier raises a doubt', () => {
  const found = refute([cause('inventory', 0.9, 59 * STEP)], [errors('checkout', 54)], ['checkout'], window)
  expect(found.causes[0]?.confidence).toBeLessThan(0.9)
  expect(found.missing).toEqual(['what happened at checkout first'])
})

test('a victim that hurt clearly earlier refutes it, with the reason', () => {
  const found = refute(
    [cause('inventory', 0.9, 60 * STEP), cause('payment', 0.4)],
    [errors('checkout', 45)],
    ['checkout'],
    window,
  )
  expect(found.causes.map(({ service }) => service)).toEqual(['payment'])
  expect(found.givenUp).toEqual({
    service: 'inventory',
    reason: 'checkout was hurt 2 min 30 s before anything moved at inventory',
  })
})

test('a percentile that strays by milliseconds is no victim', () => {
  const latency = (rise: number): Signal => ({
    ...errors('checkout', 0),
    role: 'latency',
    unit: 's',
    metric: 'latency',
    track: {
      times: Float64Array.from({ length: 71 }, (_, i) => i * STEP),
      values: Float64Array.from({ length: 71 }, (_, i) => (i >= 45 ? rise : 1) * (0.01 + (i % 3) * 1e-4)),
    },
  })
  const found = (rise: number) => refute([cause('inventory', 0.9, 60 * STEP)], [latency(rise)], ['checkout'], window)
  expect(found(1.35)).toEqual({ causes: [cause('inventory', 0.9, 60 * STEP)], givenUp: null, missing: [] })
  expect(found(10).givenUp?.service).toBe('inventory')
})

test('services that are no victims, and the cause itself, refute nothing', () => {
  const signals = [errors('inventory', 40), errors('bystander', 40)]
  expect(refute([cause('inventory', 0.9)], signals, ['checkout', 'inventory'], window).givenUp).toBeNull()
})

test('a second service that explains it almost as well costs confidence and is named', () => {
  const found = refute([cause('inventory', 0.6), cause('payment', 0.58)], [], [], window)
  expect(found.causes[0]?.confidence).toBeLessThan(0.6)
  expect(found.missing[0]).toContain('payment')
  const clear = refute([cause('inventory', 0.6), cause('payment', 0.2)], [], [], window)
  expect(clear.causes[0]?.confidence).toBe(0.6)
})

test('nothing to refute is nothing refuted', () => {
  expect(refute([], [], [], window)).toEqual({ causes: [], givenUp: null, missing: [] })
})
