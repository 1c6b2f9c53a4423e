import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type FailureDetail, FAILURE_KINDS, type FailureKind, ProviderFailure } from '../llm/provider.ts'
import { mayServe, nextStep, type Setback } from './retry.ts'

const after = (kind: FailureKind, given: Partial<Setback> = {}, detail: FailureDetail = {}) =>
  nextStep({
    failure: new ProviderFailure(kind, 'no', detail),
    contentSent: false,
    triesHere: 1,
    retries: { max: 2, backoffMs: 200 },
    failover: { contextLength: true, contentPolicy: false },
    othersLeft: true,
    timeLeftMs: 60_000,
    random: () => 1,
    ...given,
  })

test.each<[FailureKind, string, string]>([
  ['untranslatable', 'next', 'give-up'],
  ['upstream_4xx', 'next', 'give-up'],
  ['upstream_context_length', 'next', 'give-up'],
  ['upstream_content_policy', 'give-up', 'give-up'],
  ['upstream_auth', 'next', 'give-up'],
  ['upstream_rate_limited', 'next', 'retry'],
  ['upstream_5xx', 'retry', 'retry'],
  ['upstream_timeout', 'next', 'retry'],
  ['upstream_unreachable', 'next', 'retry'],
  ['upstream_cut', 'retry', 'retry'],
  ['upstream_malformed', 'next', 'retry'],
])('%s: %s while there are others, else %s', (kind, withOthers, alone) => {
  expect(after(kind).kind).toBe(withOthers)
  expect(after(kind, { othersLeft: false }).kind).toBe(alone)
})

test('the table above knows every kind of failure', () => expect(FAILURE_KINDS).toHaveLength(11))

test('what a provider says of the request itself is final', () => {
  expect(after('upstream_4xx', {}, { publicMessage: 'temperature must be a number' }).kind).toBe('give-up')
})

test('refusals for length and for content go elsewhere only where the config says so', () => {
  const failover = { contextLength: false, contentPolicy: true }
  expect(after('upstream_context_length', { failover }).kind).toBe('give-up')
  expect(after('upstream_content_policy', { failover }).kind).toBe('next')
})

test('what is too long for a target goes only where more fits, or may fit', () => {
  const failure = new ProviderFailure('upstream_context_length', 'too long')
  const may = (there: number | undefined, here: number | undefined) =>
    mayServe({ contextTokens: there }, { contextTokens: here }, failure)
  expect(may(8_000, 8_000)).toBe(false)
  expect(may(4_000, 8_000)).toBe(false)
  expect(may(16_000, 8_000)).toBe(true)
  expect(may(undefined, 8_000)).toBe(true)
  expect(may(8_000, undefined)).toBe(true)
  expect(mayServe({ contextTokens: 1 }, { contextTokens: 2 }, new ProviderFailure('upstream_5xx', 'no'))).toBe(true)
})

test('waits grow by twos, by chance anything below, and end with the number of retries', () => {
  const retries = { max: 3, backoffMs: 200 }
  const waits = [1, 2, 3, 4].map((triesHere) => after('upstream_5xx', { retries, triesHere }))
  expect(waits).toEqual([
    { kind: 'retry', afterMs: 200 },
    { kind: 'retry', afterMs: 400 },
    { kind: 'retry', afterMs: 800 },
    { kind: 'next', reason: 'it failed, 4 times' },
  ])
  expect(after('upstream_5xx', { retries, random: () => 0 })).toEqual({ kind: 'retry', afterMs: 0 })
})

test('Retry-After is kept where it fits into the time left, else there is no second try', () => {
  const detail = { retryAfterSeconds: 3 }
  const alone = { othersLeft: false, random: () => 0 }
  expect(after('upstream_rate_limited', alone, detail)).toEqual({ kind: 'retry', afterMs: 3000 })
  expect(after('upstream_rate_limited', { ...alone, random: () => 0.5 }, detail)).toEqual({
    kind: 'retry',
    afterMs: 3150,
  })
  expect(after('upstream_rate_limited', { ...alone, timeLeftMs: 3000 }, detail).kind).toBe('give-up')
  expect(after('upstream_5xx', { random: () => 0 }, detail).kind).toBe('next')
})

test('whatever fails however often: no wait outlives the caller, none is shorter than asked, none follows content', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...FAILURE_KINDS),
      fc.record({
        contentSent: fc.boolean(),
        triesHere: fc.integer({ min: 1, max: 50 }),
        retries: fc.record({ max: fc.nat(10), backoffMs: fc.integer({ min: 1, max: 100_000 }) }),
        othersLeft: fc.boolean(),
        timeLeftMs: fc.integer({ min: -10, max: 200_000 }),
      }),
      fc.option(fc.double({ min: 0, max: 100_000, noNaN: true }), { nil: undefined }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (kind, given, retryAfterSeconds, draw) => {
        const detail = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
        const step = after(kind, { ...given, random: () => draw }, detail)
        if (given.contentSent || given.timeLeftMs <= 0) expect(step.kind).toBe('give-up')
        if (step.kind === 'next') expect(given.othersLeft).toBe(true)
        if (step.kind !== 'retry') return
        expect(given.triesHere).toBeLessThanOrEqual(given.retries.max)
        expect(step.afterMs).toBeGreaterThanOrEqual((retryAfterSeconds ?? 0) * 1000)
        expect(step.afterMs).toBeLessThan(given.timeLeftMs)
        if (!retryAfterSeconds) expect(step.afterMs).toBeLessThanOrEqual(10_000)
      },
    ),
  )
})
