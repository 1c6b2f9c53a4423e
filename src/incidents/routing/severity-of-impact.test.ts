import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { severityRank } from '../severity.ts'
import { BURN_WINDOWS, burnsOf, type Shares, sharesOf, STEPS } from './burn-rate.ts'
import { HAS_ALERTS, type HurtService, severityOfImpact } from './severity-of-impact.ts'
import { symptomKindOf } from './symptom-kind.ts'

const OBJECTIVE = { target: 99.9, windowDays: 30 }
const shares = (...all: readonly (readonly [number | null, number | null])[]): Shares[] =>
  all.map(([long, short]) => ({ long, short, badInLong: long === null ? null : 1000 }))
const CALM = shares([0, 0], [0, 0], [0, 0])

describe('a burn rate', () => {
  test('has the thresholds of the workbook for a month', () => {
    const burns = burnsOf(OBJECTIVE, CALM)
    expect(burns.map(({ threshold }) => Number(threshold.toFixed(6)))).toEqual([14.4, 6, 1])
    expect(BURN_WINDOWS.every(({ longMs, shortMs }) => longMs === shortMs * STEPS)).toBe(true)
  })

  test('burns from the threshold on, and only where both windows do', () => {
    const levels = (long: number, short: number) =>
      burnsOf(OBJECTIVE, shares([long, short], [0, 0], [0, 0])).map(({ burning }) => burning)
    expect(levels(0.0145, 0.0145)[0]).toBe(true)
    expect(levels(0.0143, 0.9)[0]).toBe(false)
    // It is over: the hour still remembers it.
    expect(levels(0.9, 0.0143)[0]).toBe(false)
  })

  test('says when the hour will be full, if it goes on', () => {
    // A thousand times the pace for the last minute of an hour: 14.4 of it takes 52 s.
    const [burn] = burnsOf(OBJECTIVE, shares([0, 1], [0, 0], [0, 0]))
    expect(burn?.burningInMs).toBeCloseTo(51_840, 0)
    expect(burnsOf(OBJECTIVE, shares([0.01, 0.001], [0, 0], [0, 0]))[0]?.burningInMs).toBeNull()
  })

  test('of few requests says nothing', () => {
    const few = [{ long: 0.5, short: 0.5, badInLong: 2 }]
    expect(burnsOf(OBJECTIVE, few)[0]).toMatchObject({ burning: false, burningInMs: null })
  })

  test('is read out of steps: by how much there was, and not at all where too little is known', () => {
    const steps = (...all: readonly ([number, number] | null)[]) =>
      all.map((one) => ({ bad: one?.[0] ?? null, total: one?.[1] ?? null }))
    const quiet = Array.from({ length: 11 }, (): [number, number] => [0, 1])
    // The busy step counts for what was in it.
    expect(sharesOf(steps(...quiet, [50, 89]), 1000)).toEqual({ long: 0.5, short: 50 / 89, badInLong: 50 })
    const half = Array.from({ length: 7 }, () => null)
    expect(sharesOf(steps(...half, ...quiet.slice(0, 5)), 1000)).toMatchObject({ long: null, short: 0 })
    expect(sharesOf(steps(...quiet, null), 1000)).toMatchObject({ long: 0, short: null })
  })
})

const service = (all: Shares[], more: Partial<HurtService> = {}): HurtService => ({
  service: 'checkout',
  users: null,
  because: HAS_ALERTS,
  objectives: [{ name: 'availability', ...OBJECTIVE, burns: burnsOf(OBJECTIVE, all), unknown: null }],
  ...more,
})
const input = { label: 'critical', current: 'critical', harmedBefore: false, symptom: 'errors' as const }

describe('the severity of an impact', () => {
  test('is an error as soon as it burns, before the hour is full', () => {
    const fresh = service(shares([0.004, 0.05], [0.001, 0.004], [0, 0]))
    expect(severityOfImpact({ ...input, current: 'warning', services: [fresh] })).toEqual({
      severity: 'error',
      rule: 'onset',
      reason:
        'checkout burns 50x of its budget over 5 min (availability, 99.9 %); if that goes on it is critical in 12 min',
      harmed: true,
    })
  })

  test('never falls while something burns or burnt, never by more than a step, and never below a warning', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    const pair = fc.tuple(share, share)
    const severity = fc.constantFrom('critical', 'error', 'warning', 'info')
    fc.assert(
      fc.property(
        fc.array(pair, { minLength: 3, maxLength: 3 }),
        severity,
        fc.boolean(),
        (pairs, current, harmedBefore) => {
          const burns = service(shares(...pairs))
          const decided = severityOfImpact({ ...input, current, harmedBefore, services: [burns] })
          const fall = severityRank(decided.severity) - severityRank(current)
          expect(fall).toBeLessThanOrEqual(1)
          if (decided.harmed || harmedBefore) expect(fall).toBeLessThanOrEqual(0)
          if (fall > 0) expect(severityRank(decided.severity)).toBeLessThanOrEqual(severityRank('warning'))
          // Asked again at once, with what it decided, it may go on falling but never comes back up.
          const again = severityOfImpact({ ...input, current: decided.severity, harmedBefore, services: [burns] })
          expect(severityRank(again.severity)).toBeGreaterThanOrEqual(severityRank(decided.severity))
        },
      ),
    )
  })

  test('does not fall for want of an objective at one of the services that have alerts', () => {
    const services = [service(CALM), service(CALM, { service: 'cart', objectives: [] })]
    expect(severityOfImpact({ ...input, services })).toMatchObject({
      severity: 'critical',
      rule: 'label',
      reason: 'its alerts say so; cart has no objective',
    })
  })
})

test('the kind is what most alerts speak of, and a full disk is one whatever else is said', () => {
  const kind = (...names: string[]) => symptomKindOf(names.map((name) => ({ name, summary: '' }))).kind
  expect(kind('HTTPErrorRateHigh')).toBe('errors')
  expect(kind('http_request_latency_p99')).toBe('latency')
  expect(kind('InstanceDown')).toBe('availability')
  expect(kind('HighErrorRateDiskFull')).toBe('saturation')
  expect(kind('RequestSurge')).toBe('traffic')
  expect(kind('Odd')).toBe('unknown')
  expect(kind('SlowPages', 'CheckoutErrors', 'CartErrors')).toBe('errors')
  expect(symptomKindOf([{ name: 'Odd', summary: 'It answers slowly.' }])).toEqual({
    kind: 'latency',
    reason: 'Odd says latency',
  })
})
