import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { type BatchEnd, MicroBatcher } from './micro-batcher.ts'

interface Call {
  readonly name: string
  readonly size: number
  readonly signal: AbortSignal
}

interface Result {
  readonly vectors: readonly string[]
  readonly fault: boolean
}

const NEVER = new AbortController().signal
const call = (name: string, size = 1, signal = NEVER): Call => ({ name, size, signal })

/** A provider that answers each input with the name of its call, after a while, and finds fault with `bad…`. */
function start({ tookMs = 10 } = {}) {
  const clock = new ManualClock()
  const sent: { readonly names: readonly string[]; readonly atMs: number; readonly signal: AbortSignal }[] = []
  const batcher = new MicroBatcher<Call, Result>({
    clock,
    send: async (calls, signal) => {
      sent.push({ names: calls.map(({ name }) => name), atMs: clock.now(), signal })
      await clock.sleep(tookMs, signal)
      if (calls.some(({ name }) => name === 'throws')) throw new Error('broken')
      return {
        fault: calls.some(({ name }) => name.startsWith('bad')),
        vectors: calls.flatMap(({ name, size }) => Array.from({ length: size }, () => name)),
      }
    },
    atFault: ({ fault }) => fault,
  })
  const ends = new Map<string, BatchEnd<Call, Result> | Error>()
  const join = (one: Call, limits = { maxInputs: 4, maxWaitMs: 5 }, key = 'k') =>
    void batcher.join(key, one, limits).then(
      (end) => ends.set(one.name, end),
      (error: Error) => ends.set(one.name, error),
    )
  return { clock, sent, ends, join, names: () => sent.map(({ names }) => names) }
}

const own = (end: BatchEnd<Call, Result> | Error | undefined): readonly string[] | string => {
  if (!end || end instanceof Error) return String(end?.message)
  if (end.kind !== 'ended') return end.kind
  const { sent, call } = end.part
  const before = sent.slice(0, sent.indexOf(call)).reduce((sum, { size }) => sum + size, 0)
  return end.result.vectors.slice(before, before + call.size)
}

describe('calls that arrive together', () => {
  test('go up as one once the first has waited its time', async () => {
    const { clock, join, names, ends } = start()
    join(call('a', 2))
    await clock.advance(4)
    join(call('b'))
    expect(names()).toEqual([])
    await clock.advance(1)
    expect(names()).toEqual([['a', 'b']])
    await clock.advance(10)
    expect([...ends].map(([, end]) => own(end))).toEqual([['a', 'a'], ['b']])
  })

  test('go up at once when they are full, and what does not fit begins the next', async () => {
    const { clock, join, names } = start()
    join(call('a', 2))
    join(call('b', 2))
    expect(names()).toEqual([['a', 'b']])
    join(call('c', 2))
    join(call('d', 1))
    join(call('e', 2))
    expect(names()).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
    await clock.advance(50)
  })

  test('lose nobody when the timer and the size fire together', async () => {
    const { clock, join, ends } = start()
    join(call('a'))
    // In the very turn in which the timer is due.
    const burst = async () => {
      await clock.sleep(5)
      for (const name of ['b', 'c', 'd', 'e']) join(call(name))
    }
    const due = burst()
    await clock.advance(5)
    await due
    await clock.advance(50)
    expect(ends.size).toBe(5)
    expect([...ends.values()].map(own).filter((answer) => answer === 'undefined')).toEqual([])
  })

  test('of different keys never meet', async () => {
    const { clock, join, ends } = start()
    join(call('a'), undefined, 'one')
    join(call('b'), undefined, 'other')
    await clock.advance(50)
    expect([...ends.values()].map(own)).toEqual(['alone', 'alone'])
  })

  test('have nothing to wait for when one is as large as the limit', () => {
    const { join, clock, ends } = start()
    join(call('large', 9))
    return clock.advance(0).then(() => expect(own(ends.get('large'))).toBe('alone'))
  })
})

describe('a caller that hangs up', () => {
  test('while the batch waits leaves its inputs out of it', async () => {
    const { clock, join, names, ends } = start()
    const gone = new AbortController()
    join(call('a', 1, gone.signal))
    join(call('b'))
    join(call('c'))
    gone.abort()
    await clock.advance(50)
    expect(names()).toEqual([['b', 'c']])
    expect(own(ends.get('a'))).toBe('left')
  })

  test('while it is under way gets its end at once, and the others their vectors', async () => {
    const { clock, join, sent, ends } = start()
    const gone = new AbortController()
    for (const one of [call('a', 1, gone.signal), call('b'), call('c')]) join(one)
    await clock.advance(6)
    gone.abort()
    await clock.advance(0)
    expect(own(ends.get('a'))).toBe('left')
    expect(sent[0]?.signal.aborted).toBe(false)
    await clock.advance(50)
    expect(own(ends.get('c'))).toEqual(['c'])
    const end = ends.get('b')
    expect(end && 'part' in end && end.part.stayed.map(({ name }) => name)).toEqual(['b', 'c'])
  })

  test('as the last of all ends the call, and answers for it', async () => {
    const { clock, join, sent, ends } = start()
    const [first, second] = [new AbortController(), new AbortController()]
    join(call('a', 1, first.signal))
    join(call('b', 1, second.signal))
    await clock.advance(6)
    first.abort(new Error('gone'))
    second.abort(new Error('gone too'))
    await clock.advance(0)
    expect(sent[0]?.signal.aborted).toBe(true)
    expect(own(ends.get('b'))).toBe('gone too')
  })
})

test('where fault is found with the inputs, only the guilty call is left alone with it', async () => {
  const { clock, join, names, ends } = start()
  for (const name of ['a', 'bad', 'c', 'd', 'e', 'f', 'g', 'h']) join(call(name), { maxInputs: 8, maxWaitMs: 5 })
  await clock.advance(100)
  expect(names()).toEqual([
    ['a', 'bad', 'c', 'd', 'e', 'f', 'g', 'h'],
    ['a', 'bad', 'c', 'd'],
    ['e', 'f', 'g', 'h'],
    ['a', 'bad'],
    ['c', 'd'],
  ])
  // Each makes its own call, and the guilty one is told in its own words.
  expect(['a', 'bad', 'c', 'h'].map((name) => own(ends.get(name)))).toEqual(['alone', 'alone', ['c'], ['h']])
})

test('what breaks inside is told to all', async () => {
  const { clock, join, ends } = start()
  for (const name of ['a', 'throws']) join(call(name))
  await clock.advance(100)
  expect([...ends.values()].map(own)).toEqual(['broken', 'broken'])
})

test('whatever arrives when: each is answered once with its own, no batch is too large, and none waits too long', async () => {
  const arrival = fc.record({
    afterMs: fc.nat(4),
    size: fc.integer({ min: 1, max: 6 }),
    key: fc.constantFrom('x', 'y'),
    bad: fc.boolean(),
    gone: fc.option(fc.nat(15)),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(arrival, { minLength: 1, maxLength: 25 }),
      fc.integer({ min: 2, max: 8 }),
      fc.nat(6),
      fc.nat(8),
      async (arrivals, maxInputs, maxWaitMs, tookMs) => {
        const { clock, join, sent, ends } = start({ tookMs })
        const came = new Map<string, { size: number; atMs: number }>()
        for (const [i, { afterMs, size, key, bad, gone }] of arrivals.entries()) {
          await clock.advance(afterMs)
          const name = `${bad && i % 5 === 0 ? 'bad' : 'ok'} ${key} ${i}`
          const caller = new AbortController()
          came.set(name, { size, atMs: clock.now() })
          join(call(name, size, caller.signal), { maxInputs, maxWaitMs }, key)
          if (gone !== null) void clock.sleep(gone).then(() => caller.abort(new Error('hung up')))
        }
        await clock.advance(maxWaitMs + 200)
        expect(ends.size).toBe(arrivals.length)
        const firstSent = new Set<string>()
        for (const { names, atMs } of sent) {
          const sizes = names.map((name) => came.get(name)?.size ?? 0)
          expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(maxInputs)
          expect(new Set(names.map((name) => name.split(' ')[1])).size).toBe(1)
          for (const name of names) {
            if (firstSent.has(name)) continue
            firstSent.add(name)
            expect(atMs - (came.get(name)?.atMs ?? 0)).toBeLessThanOrEqual(maxWaitMs)
          }
        }
        for (const [name, end] of ends) {
          const answer = own(end)
          if (typeof answer === 'string') expect(['alone', 'left', 'hung up']).toContain(answer)
          else expect(answer).toEqual(Array.from({ length: came.get(name)?.size ?? 0 }, () => name))
        }
      },
    ),
    { numRuns: 150 },
  )
})
