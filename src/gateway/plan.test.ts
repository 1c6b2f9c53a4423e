import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Demand, DialectName } from '../llm/dialect.ts'
import { ProviderFailure } from '../llm/provider.ts'
import { Ticket } from './breaker.ts'
import type { Target } from './routing/target.ts'
import { askFor, planning } from './testing/ask.ts'

const targets = (...models: (string | object)[]) =>
  models.map((one) => ({ provider: 'p', ...(typeof one === 'string' ? { model: one } : one) }))

function fail(target: Target | undefined, times = 5): void {
  for (let i = 0; i < times; i++) {
    const entry = target?.breaker.tryEnter(true)
    if (entry instanceof Ticket)
      target?.breaker.leave(entry, { kind: 'failed', failure: new ProviderFailure('upstream_5xx', 'no') })
  }
}

test('the model comes first, then its fallbacks in order, each by its own strategy; theirs are not followed', () => {
  const { plan } = planning({
    fast: { targets: targets('a', 'b'), fallbacks: ['big', 'small'] },
    big: { strategy: 'least-load', targets: targets('c', 'd'), fallbacks: ['fast', 'other'] },
    small: { targets: targets('e') },
    other: { targets: targets('f') },
  })
  plan(askFor('big'))
    .targets.find(({ model }) => model === 'c')
    ?.load.begin(true)
  const { targets: planned } = plan(askFor('fast'))
  expect(planned.map(({ of, model }) => `${of}/${model}`)).toEqual(['fast/a', 'fast/b', 'big/d', 'big/c', 'small/e'])
})

test('fallbacks that lead in a circle, or to the same target again, add nobody twice', () => {
  const { order } = planning({
    a: { targets: targets('x', 'y', 'x'), fallbacks: ['b', 'a', 'b'] },
    b: { targets: targets('y', 'z'), fallbacks: ['a'] },
  })
  expect(order(askFor('a'))).toEqual(['x', 'y', 'z'])
  expect(order(askFor('b'))).toEqual(['y', 'z', 'x'])
})

test('an unknown model is a 404 with near names, also where it is called like what every object has', () => {
  const { plan } = planning({ fast: { targets: targets('a') } })
  expect(() => plan(askFor('fat'))).toThrow(/no model called fat. Did you mean fast\?/)
  for (const name of ['constructor', '__proto__', 'toString']) {
    expect(() => plan(askFor(name))).toThrow(expect.objectContaining({ code: 'not_found', field: 'model' }))
  }
})

test('who lacks what the request needs is left out, and the record says why', () => {
  const { plan } = planning(
    { fast: { targets: targets({ model: 'a', lacks: ['tools'] }, 'b', { provider: 'old', model: 'c' }) } },
    { providers: new Map([['old', { lacks: new Set<Demand>(['images']), speaks: new Set<DialectName>() }]]) },
  )
  const { targets: planned, candidates } = plan(askFor('fast', { demands: new Set<Demand>(['images', 'tools']) }))
  expect(planned.map(({ model }) => model)).toEqual(['b'])
  expect(candidates.map(({ model, skipped }) => [model, skipped])).toEqual([
    ['b', null],
    ['a', 'lacks tools'],
    ['c', 'lacks images'],
  ])
})

test.each<[string, object[], Partial<Parameters<typeof askFor>[1]>, RegExp]>([
  [
    'one thing',
    [
      { model: 'a', lacks: ['tools'] },
      { model: 'b', lacks: ['tools'] },
    ],
    { demands: new Set<Demand>(['tools']) },
    /none offers tools\. Leave that out/,
  ],
  [
    'two things together',
    [
      { model: 'a', lacks: ['tools'] },
      { model: 'b', lacks: ['images'] },
    ],
    { demands: new Set<Demand>(['tools', 'images']) },
    /none offers tools and images together/,
  ],
  [
    'so much output',
    [
      { model: 'a', maxOutputTokens: 100 },
      { model: 'b', maxOutputTokens: 200 },
    ],
    { maxOutputTokens: 300 },
    /up to 300 tokens of output, and none writes more than 200/,
  ],
  [
    'so long a prompt',
    [
      { model: 'a', contextTokens: 1000 },
      { model: 'b', contextTokens: 2000 },
    ],
    { promptCharacters: () => 11_000 },
    /about 2200 tokens long and 0 more are asked for, which is more than the 2000/,
  ],
])('a request that nobody can serve for %s is a 400 that says so', (_what, models, given, message) => {
  const { plan } = planning({ fast: { targets: targets(...models) } })
  const act = () => plan(askFor('fast', given))
  expect(act).toThrow(message)
  expect(act).toThrow(expect.objectContaining({ status: 400 }))
})

test('a prompt is only too long for a target when that is sure, with the output that is asked for', () => {
  const { order } = planning({ fast: { targets: targets({ model: 'small', contextTokens: 1000 }, 'large') } })
  const lengths = (characters: number, maxOutputTokens: number | null = null) =>
    order(askFor('fast', { promptCharacters: () => characters, maxOutputTokens }))
  expect(lengths(5000)).toEqual(['small', 'large'])
  expect(lengths(5005)).toEqual(['large'])
  expect(lengths(4000, 200)).toEqual(['small', 'large'])
  expect(lengths(4000, 201)).toEqual(['large'])
})

test('the prompt is not measured where nothing hangs on it', () => {
  const { order } = planning({ fast: { targets: targets('a', 'b') } })
  const promptCharacters = () => {
    throw new Error('measured')
  }
  expect(order(askFor('fast', { promptCharacters }))).toEqual(['a', 'b'])
})

test('who is open stands behind all others as the last resort, and the record says so', async () => {
  const { plan, clock } = planning({
    fast: { targets: targets('a', 'b'), fallbacks: ['big'] },
    big: { targets: targets('c') },
  })
  fail(plan(askFor('fast')).targets[0])
  const open = plan(askFor('fast'))
  expect(open.targets.map(({ model }) => model)).toEqual(['b', 'c', 'a'])
  expect(open.ready).toBe(2)
  expect(open.candidates.map(({ skipped }) => skipped)).toEqual([null, null, 'breaker open'])
  await clock.advance(60_000)
  expect(plan(askFor('fast')).targets.map(({ model }) => model)).toEqual(['a', 'b', 'c'])
})

test('where all are open, who opens next comes first', async () => {
  const { plan, clock } = planning({ fast: { targets: targets('a', 'b') } })
  const [a, b] = plan(askFor('fast')).targets
  fail(a)
  await clock.advance(1000)
  fail(b)
  await clock.advance(600)
  // One more probe of the first fails: it is open for longer than the second now.
  fail(a, 1)
  const { targets: planned, ready } = plan(askFor('fast'))
  expect(ready).toBe(0)
  expect(planned.map(({ model }) => model)).toEqual(['b', 'a'])
})

test('a provider and model under two names share their load and their breaker, also over a reload', () => {
  const { plan, options } = planning({ a: { targets: targets('x') }, b: { targets: targets('x', 'y') } })
  fail(plan(askFor('a')).targets[0])
  expect(plan(askFor('b')).targets.map(({ model }) => model)).toEqual(['y', 'x'])
  const again = planning({ c: { targets: targets('x') } }, { loads: options.loads, breakers: options.breakers })
  expect(again.plan(askFor('c')).ready).toBe(0)
})

test('whatever the strategy, load and weights: everybody who can serve is in the list exactly once', () => {
  const target = fc.record({
    weight: fc.double({ min: 0.01, max: 100, noNaN: true }),
    lacks: fc.constantFrom([], ['tools'] as const),
    calls: fc.nat(20),
    ms: fc.option(fc.integer({ min: 1, max: 10_000 })),
    price: fc.option(fc.record({ inputUsd: fc.nat(50), outputUsd: fc.nat(50) }), { nil: undefined }),
    failures: fc.constantFrom(0, 0, 5),
  })
  const strategy = fc.constantFrom('first', 'weighted', 'least-load', 'latency', 'cost', 'affinity')
  fc.assert(
    fc.property(strategy, fc.array(target, { minLength: 1, maxLength: 8 }), (strategy, given) => {
      const able = given.filter(({ lacks }) => lacks.length === 0)
      fc.pre(able.length > 0)
      const models = given.map(({ weight, lacks, price }, i) => ({ model: `m${i}`, weight, lacks, price }))
      const { plan, clock } = planning({ fast: { strategy, targets: targets(...models) } }, { random: Math.random })
      for (const one of plan(askFor('fast')).targets) {
        const its = given[Number(one.model.slice(1))]
        for (let i = 0; i < (its?.calls ?? 0); i++) one.load.begin(true)
        if (its?.ms) one.load.noteFirstContent(true, its.ms, clock.now())
        fail(one, its?.failures)
      }
      const planned = plan(askFor('fast', { demands: new Set<Demand>(['tools']) }))
      expect(planned.targets.map(({ model }) => model).toSorted()).toEqual(
        models
          .filter(({ lacks }) => lacks.length === 0)
          .map(({ model }) => model)
          .toSorted(),
      )
      expect(planned.ready).toBe(able.filter(({ failures }) => failures === 0).length)
      expect(planned.candidates).toHaveLength(given.length)
    }),
    { numRuns: 300 },
  )
})
