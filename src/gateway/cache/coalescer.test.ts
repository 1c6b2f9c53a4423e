import { setImmediate as nextTurn } from 'node:timers/promises'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Frame } from '../../llm/frames.ts'
import type { AnswerHead, Audience } from '../audience.ts'
import { NO_STANDING } from '../limits/standing.ts'
import type { Facts, Outcome } from '../outcome.ts'
import { Coalescer } from './coalescer.ts'

const HEAD: AnswerHead = {
  provider: 'main',
  model: 'gpt-real',
  attempts: 1,
  stream: true,
  cache: 'off',
  overheadMs: 1,
  standing: NO_STANDING,
}
const FACTS: Facts = {
  cache: 'off',
  provider: 'main',
  providerModel: 'gpt-real',
  answeredBy: null,
  attempts: 1,
  usage: null,
  usageSource: 'unknown',
  costMicroUsd: 5,
  costSource: null,
  overheadMs: 1,
  standing: NO_STANDING,
}
const SERVED: Outcome = { kind: 'served', closing: Buffer.from('end'), facts: FACTS }

const frame = (text: string | Buffer): Frame => ({
  kind: 'content',
  bytes: Buffer.from(text),
  events: [],
  text: '',
  written: 0,
  usage: null,
  model: null,
  complete: false,
})

/** Hears an answer; while it is slow, it asks to be awaited until `drain`. */
class Ear implements Audience {
  heads = 0
  heard = ''
  slow = false
  readonly gone = new AbortController()
  #drained: (() => void) | undefined

  begin(): void {
    this.heads++
  }

  write(frames: readonly Frame[]): Promise<void> | undefined {
    this.heard += frames.map(({ bytes }) => Buffer.from(bytes).toString()).join('')
    if (!this.slow) return undefined
    return new Promise((resolve) => {
      this.#drained = resolve
    })
  }

  async drain(): Promise<void> {
    this.#drained?.()
    await nextTurn()
  }
}

/** Calls that are told what to do. */
function setUp() {
  const coalescer = new Coalescer<Outcome>()
  const calls: {
    audience: Audience
    signal: AbortSignal
    end: (outcome: Outcome) => void
    fail: (error: unknown) => void
  }[] = []
  const listen = (key: string, ear = new Ear()) => ({
    ear,
    end: coalescer.share(
      key,
      { audience: ear, signal: ear.gone.signal },
      (audience, signal) =>
        new Promise((end, fail) => {
          calls.push({ audience, signal, end, fail })
        }),
    ),
  })
  const call = (n = 0) => calls[n] as (typeof calls)[number]
  return { coalescer, calls, call, listen }
}

describe('identical requests under way', () => {
  test('share one call, and each hears all of it from the beginning', async () => {
    const { calls, call, listen } = setUp()
    const first = listen('k')
    call().audience.begin(HEAD)
    void call().audience.write([frame('a')])
    const second = listen('k')
    expect(second.ear.heard).toBe('a')
    void call().audience.write([frame('b'), frame('c')])
    const third = listen('k')
    call().end(SERVED)
    expect(await Promise.all([first.end, second.end, third.end])).toEqual([
      { kind: 'ended', outcome: SERVED, pays: true },
      { kind: 'ended', outcome: SERVED, pays: false },
      { kind: 'ended', outcome: SERVED, pays: false },
    ])
    for (const { ear } of [first, second, third]) expect([ear.heads, ear.heard]).toEqual([1, 'abc'])
    expect(calls.length).toBe(1)
  })

  test('hear it in the turn in which it comes', () => {
    const { call, listen } = setUp()
    const { ear } = listen('k')
    expect(call().audience.write([frame('now')])).toBeUndefined()
    expect(ear.heard).toBe('now')
  })

  test('of other keys, and after its end, ask anew', async () => {
    const { coalescer, calls, call, listen } = setUp()
    const first = listen('k')
    const other = listen('other')
    expect(calls.length).toBe(2)
    call(0).end(SERVED)
    await first.end
    const later = listen('k')
    expect(calls.length).toBe(3)
    call(1).end(SERVED)
    call(2).end(SERVED)
    expect(await later.end).toMatchObject({ pays: true })
    await other.end
    expect(coalescer.size).toBe(0)
  })

  test('all get the failure when it fails: nobody tries again', async () => {
    const { calls, call, listen } = setUp()
    const failed: Outcome = { ...SERVED, kind: 'abandoned' }
    const ends = [listen('k').end, listen('k').end, listen('k').end]
    call().end(failed)
    for (const end of await Promise.all(ends)) expect(end).toMatchObject({ kind: 'ended', outcome: failed })
    expect(calls.length).toBe(1)
  })

  test('all learn of a fault of ours', async () => {
    const { call, listen } = setUp()
    const ends = [listen('k').end, listen('k').end]
    call().fail(new Error('ours'))
    for (const end of ends) await expect(end).rejects.toThrow('ours')
  })
})

describe('one who goes away', () => {
  test('disturbs nobody, also if it is the one who began', async () => {
    const { call, listen } = setUp()
    const first = listen('k')
    const second = listen('k')
    void call().audience.write([frame('a')])
    first.ear.gone.abort()
    expect(await first.end).toEqual({ kind: 'left' })
    expect(call().signal.aborted).toBe(false)
    void call().audience.write([frame('b')])
    call().end(SERVED)
    expect(await second.end).toEqual({ kind: 'ended', outcome: SERVED, pays: true })
    expect([first.ear.heard, second.ear.heard]).toEqual(['a', 'ab'])
  })

  test('as the last ends the call, learns how it ended and pays; who comes then asks anew', async () => {
    const { calls, call, listen } = setUp()
    const first = listen('k')
    const second = listen('k')
    first.ear.gone.abort()
    second.ear.gone.abort(new Error('no more time'))
    expect(call().signal.reason).toMatchObject({ message: 'no more time' })
    const late = listen('k')
    expect(calls.length).toBe(2)
    const abandoned: Outcome = { kind: 'abandoned', facts: FACTS }
    call(0).end(abandoned)
    expect(await second.end).toEqual({ kind: 'ended', outcome: abandoned, pays: true })
    call(1).end(SERVED)
    await late.end
  })

  test('before it came asks nobody', async () => {
    const { calls, listen } = setUp()
    const ear = new Ear()
    ear.gone.abort()
    expect(await listen('k', ear).end).toEqual({ kind: 'left' })
    expect(calls.length).toBe(0)
  })

  test('while it is slow does not hold up the call', async () => {
    const { call, listen } = setUp()
    const only = listen('k')
    only.ear.slow = true
    const full = call().audience.write([frame('a')])
    expect(full).toBeInstanceOf(Promise)
    only.ear.gone.abort()
    await full
    call().end({ kind: 'abandoned', facts: FACTS })
    expect(await only.end).toMatchObject({ kind: 'ended', pays: true })
  })
})

describe('one who is slow', () => {
  test('holds up nobody else, and gets everything when it can', async () => {
    const { call, listen } = setUp()
    const slow = listen('k')
    const fast = listen('k')
    slow.ear.slow = true
    for (const text of ['a', 'b', 'c']) expect(call().audience.write([frame(text)])).toBeUndefined()
    expect([slow.ear.heard, fast.ear.heard]).toEqual(['a', 'abc'])
    call().end(SERVED)
    expect(await fast.end).toMatchObject({ kind: 'ended', pays: false })
    await slow.ear.drain()
    await slow.ear.drain()
    expect(await slow.end).toMatchObject({ kind: 'ended', pays: true })
    expect(slow.ear.heard).toBe('abc')
  })

  test('sets the pace when nobody is faster', async () => {
    const { call, listen } = setUp()
    const one = listen('k')
    const other = listen('k')
    one.ear.slow = other.ear.slow = true
    const full = call().audience.write([frame('a')])
    const state = () => Promise.race([full?.then(() => 'on'), nextTurn('waiting')])
    expect(await state()).toBe('waiting')
    await other.ear.drain()
    expect(await state()).toBe('on')
    call().end(SERVED)
    await one.ear.drain()
    await Promise.all([one.end, other.end])
  })

  test('is dropped when it is too far behind the others, and what only it needed is let go', async () => {
    const { call, listen } = setUp()
    const slow = listen('k')
    const fast = listen('k')
    slow.ear.slow = true
    const megabyte = frame(Buffer.alloc(1024 * 1024, 'x'))
    for (let i = 0; i < 6; i++) void call().audience.write([megabyte])
    expect(await slow.end).toEqual({ kind: 'dropped' })
    call().end(SERVED)
    expect(await fast.end).toMatchObject({ kind: 'ended', pays: true })
    expect(fast.ear.heard.length).toBe(6 * 1024 * 1024)
  })

  test('is not dropped when it is alone, however much comes', async () => {
    const { call, listen } = setUp()
    const only = listen('k')
    only.ear.slow = true
    for (let i = 0; i < 6; i++) void call().audience.write([frame(Buffer.alloc(1024 * 1024, 'x'))])
    call().end(SERVED)
    only.ear.slow = false
    await only.ear.drain()
    expect(await only.end).toMatchObject({ kind: 'ended' })
    expect(only.ear.heard.length).toBe(6 * 1024 * 1024)
  })
})

test('an answer that is too large to catch up on takes no newcomers', async () => {
  const { calls, call, listen } = setUp()
  const first = listen('k')
  void call().audience.write([frame(Buffer.alloc(1024 * 1024 + 1))])
  const late = listen('k')
  expect(calls.length).toBe(2)
  call(0).end(SERVED)
  call(1).end(SERVED)
  expect([await first.end, await late.end]).toMatchObject([{ pays: true }, { pays: true }])
})

test('whatever the order of coming, going, stalling and speaking: nobody hears a gap, and exactly one pays', async () => {
  const step = fc.oneof(
    fc.record({ does: fc.constant('join' as const) }),
    fc.record({ does: fc.constant('speak' as const) }),
    fc.record({ does: fc.constantFrom('leave' as const, 'stall' as const, 'drain' as const), who: fc.nat({ max: 5 }) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { calls, call, listen } = setUp()
      const all = [listen('k')]
      let said = ''
      for (const one of steps) {
        if (call().signal.aborted) break
        const place = 'who' in one ? all[one.who] : undefined
        if (one.does === 'join') all.push(listen('k'))
        else if (one.does === 'speak') {
          const text = String.fromCharCode(97 + (said.length % 26))
          said += text
          void call().audience.write([frame(text)])
        } else if (one.does === 'leave') place?.ear.gone.abort()
        else if (one.does === 'stall' && place) place.ear.slow = true
        else if (place) {
          place.ear.slow = false
          await place.ear.drain()
        }
      }
      expect(calls.length).toBe(1)
      call().end(SERVED)
      for (const { ear } of all) {
        ear.slow = false
        await ear.drain()
      }
      const ends = await Promise.all(all.map(({ end }) => end))
      expect(ends.filter((end) => end.kind === 'ended' && end.pays).length).toBe(1)
      for (const [i, { ear }] of all.entries()) {
        expect(said.startsWith(ear.heard)).toBe(true)
        if (ends[i]?.kind === 'ended' && !ear.gone.signal.aborted) expect(ear.heard).toBe(said)
      }
    }),
  )
})
