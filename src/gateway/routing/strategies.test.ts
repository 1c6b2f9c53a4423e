import { expect, test } from 'vitest'
import { askFor, planning } from '../testing/ask.ts'

interface Given {
  readonly model: string
  readonly weight?: number
  readonly price?: { readonly inputUsd: number; readonly outputUsd: number }
}

const model = (strategy: string, ...given: (string | Given)[]) => ({
  fast: {
    strategy,
    targets: given.map((one) => ({ provider: 'p', ...(typeof one === 'string' ? { model: one } : one) })),
  },
})

/** How often each came first. */
function winners(order: () => string[], calls = 4000): Record<string, number> {
  const won: Record<string, number> = {}
  for (let i = 0; i < calls; i++) {
    const first = order()[0] ?? ''
    won[first] = (won[first] ?? 0) + 1 / calls
  }
  return won
}

test('first: as the config lists them', () => {
  expect(planning(model('first', 'b', 'a', 'c')).order(askFor('fast'))).toEqual(['b', 'a', 'c'])
})

test('weighted: each comes first by its share, and second by its share of what is left', () => {
  const { order } = planning(
    model('weighted', { model: 'a', weight: 5 }, { model: 'b', weight: 3 }, { model: 'c', weight: 2 }),
    { random: Math.random },
  )
  const first = winners(() => order(askFor('fast')))
  expect(first['a']).toBeCloseTo(0.5, 1)
  expect(first['b']).toBeCloseTo(0.3, 1)
  const second = winners(() => order(askFor('fast')).slice(1))
  expect(second['a']).toBeCloseTo(0.3 * (5 / 7) + 0.2 * (5 / 8), 1)
})

test('least-load: load divided by weight, and load that came as a fallback counts', () => {
  const { plan, order } = planning({
    ...model('least-load', { model: 'a', weight: 2 }, 'b'),
    other: { targets: [{ provider: 'p', model: 'elsewhere' }], fallbacks: ['fast'] },
  })
  const viaFallback = plan(askFor('other')).targets.find(({ model }) => model === 'a')
  const flights = [1, 2, 3].map(() => viaFallback?.load.begin(true))
  plan(askFor('fast'))
    .targets.find(({ model }) => model === 'b')
    ?.load.begin(true)
  const { candidates } = plan(askFor('fast'))
  expect(candidates.map(({ model, score }) => [model, score])).toEqual([
    ['b', 1],
    ['a', 1.5],
  ])
  flights.slice(0, 2).forEach((flight) => flight?.end({ kind: 'failed' }))
  expect(order(askFor('fast'))).toEqual(['a', 'b'])
})

test('least-load: idle targets share by weight', () => {
  const { order } = planning(model('least-load', { model: 'a', weight: 3 }, 'b'), { random: Math.random })
  expect(winners(() => order(askFor('fast')))['a']).toBeCloseTo(0.75, 1)
})

test('latency: the faster of two first, and load makes slow', () => {
  const { plan, order, clock } = planning(model('latency', 'slow', 'quick'), { random: Math.random })
  const load = (model: string) => {
    const found = plan(askFor('fast')).targets.find((target) => target.model === model)
    if (!found) throw new Error(`no ${model}`)
    return found.load
  }
  load('slow').noteFirstContent(true, 900, clock.now())
  load('quick').noteFirstContent(true, 300, clock.now())
  expect(winners(() => order(askFor('fast')), 50)).toEqual({ quick: expect.closeTo(1) })
  for (let i = 0; i < 3; i++) load('quick').begin(true)
  expect(order(askFor('fast'))[0]).toBe('slow')
})

test('latency: of many, the two that are drawn compete, so not all go to the fastest', () => {
  const { plan, order, clock } = planning(model('latency', 'a', 'b', 'c', 'd'), { random: Math.random })
  for (const { load, model } of plan(askFor('fast')).targets)
    load.noteFirstContent(true, 100 * (1 + 'abcd'.indexOf(model)), clock.now())
  const won = winners(() => order(askFor('fast')))
  expect(won['a']).toBeCloseTo(1 / 2, 1)
  expect(won['b']).toBeCloseTo(1 / 3, 1)
  expect(won['d']).toBeUndefined()
})

test('latency: an unknown target is tried by one call at a time', () => {
  const { plan, order, clock } = planning(model('latency', 'known', 'new'), { random: Math.random })
  const found = plan(askFor('fast')).targets
  found.find(({ model }) => model === 'known')?.load.noteFirstContent(true, 100, clock.now())
  expect(order(askFor('fast'))[0]).toBe('new')
  const flight = found.find(({ model }) => model === 'new')?.load.begin(true)
  expect(winners(() => order(askFor('fast')), 50)).toEqual({ known: expect.closeTo(1) })
  flight?.end({ kind: 'failed' })
  expect(order(askFor('fast'))[0]).toBe('known')
})

test('latency: one that was slow is tried again after a while', async () => {
  const { plan, order, clock } = planning(model('latency', 'a', 'b'), { random: Math.random })
  for (const { load, model } of plan(askFor('fast')).targets)
    load.noteFirstContent(true, model === 'a' ? 100 : 1000, clock.now())
  for (let i = 0; i < 12; i++) {
    await clock.advance(10_000)
    plan(askFor('fast'))
      .targets.find(({ model }) => model === 'a')
      ?.load.noteFirstContent(true, 100, clock.now())
  }
  expect(order(askFor('fast'))[0]).toBe('b')
})

test('cost: the cheapest for this very call first, unknown prices last', () => {
  const { order, plan } = planning(
    model(
      'cost',
      'unknown',
      { model: 'cheap to ask', price: { inputUsd: 1, outputUsd: 30 } },
      { model: 'cheap to answer', price: { inputUsd: 5, outputUsd: 5 } },
      { model: 'free', price: { inputUsd: 0, outputUsd: 0 } },
    ),
  )
  const long = askFor('fast', { promptCharacters: () => 40_000, maxOutputTokens: 10 })
  expect(order(long)).toEqual(['free', 'cheap to ask', 'cheap to answer', 'unknown'])
  const short = askFor('fast', { promptCharacters: () => 40, maxOutputTokens: 1000 })
  expect(order(short)).toEqual(['free', 'cheap to answer', 'cheap to ask', 'unknown'])
  expect(plan(long).candidates.map(({ score }) => score)).toEqual([0, 10_300, 50_050, null])
})

const chat = (system: string, ...users: string[]) =>
  askFor('fast', {
    body: Buffer.from(
      JSON.stringify({
        model: 'fast',
        messages: [{ role: 'system', content: system }, ...users.map((content) => ({ role: 'user', content }))],
      }),
    ),
  })

test('affinity: prompts spread by weight, and each always goes to the same target', () => {
  const { order } = planning(model('affinity', { model: 'a', weight: 3 }, 'b'))
  let i = 0
  const won = winners(() => {
    const ask = chat(`You are number ${i++}.`, 'Hello')
    const first = order(ask)
    expect(order(ask)).toEqual(first)
    return first
  })
  expect(won['a']).toBeCloseTo(0.75, 1)
})

test('affinity: all turns of a conversation, and all calls of a program with a long prompt, go to one target', () => {
  const { order } = planning(model('affinity', 'a', 'b', 'c', 'd'))
  const long = 'Never say that. '.repeat(200)
  for (let i = 0; i < 40; i++) {
    expect(order(chat(`Short ${i}.`, 'Hello', 'And then?'))).toEqual(order(chat(`Short ${i}.`, 'Hello')))
    expect(order(chat(`${i} ${long}`, 'Goodbye'))).toEqual(order(chat(`${i} ${long}`, 'Hello')))
  }
})

test('affinity: two tenants with the same prompt are apart', () => {
  const { order } = planning(model('affinity', 'a', 'b', 'c', 'd'))
  const ask = chat('The same.', 'Hello')
  const firsts = new Set(Array.from({ length: 40 }, (_, i) => order(ask, `tenant ${i}`)[0]))
  expect(firsts.size).toBe(4)
})

test('affinity: a target that goes moves only its own prompts', () => {
  const four = planning(model('affinity', 'a', 'b', 'c', 'd'))
  const three = planning(model('affinity', 'a', 'b', 'c'))
  for (let i = 0; i < 200; i++) {
    const ask = chat(`Prompt ${i}`, 'Hello')
    expect(three.order(ask)).toEqual(four.order(ask).filter((name) => name !== 'd'))
  }
})

test('affinity: one hot prompt takes a quarter more than its share of a target and then goes to its second choice', () => {
  const { plan } = planning(model('affinity', 'a', 'b', 'c', 'd'))
  const ask = chat('Everybody asks this.', 'Hello')
  const [first, second] = plan(ask).targets
  const took: Record<string, number> = {}
  for (let i = 0; i < 400; i++) {
    const [target] = plan(ask).targets
    target?.load.begin(true)
    took[target?.model ?? ''] = (took[target?.model ?? ''] ?? 0) + 1
    if (i < 8) expect(target).toBe(first)
  }
  expect(Math.max(...Object.values(took))).toBeLessThanOrEqual(126)
  expect(took[first?.model ?? '']).toBeGreaterThan(115)
  expect(took[second?.model ?? '']).toBeGreaterThan(115)
})
