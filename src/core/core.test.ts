import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ManualClock, systemClock } from './clock.ts'
import { AppError, describeError, ERRORS, toAppError } from './errors.ts'
import { canonicalJson, equalSecrets } from './hash.ts'
import { newId } from './ids.ts'
import { nearest } from './nearest.ts'
import { Secret } from './secret.ts'

describe('ids', () => {
  it('sort by the time of making and never repeat', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 47 }), fc.integer({ min: 1, max: 10_000 }), (at, later) => {
        expect(newId('x', at) < newId('x', at + later)).toBe(true)
        expect(newId('x', at)).not.toBe(newId('x', at))
        expect(newId('inc', at)).toMatch(/^inc_[0-9A-HJKMNP-TV-Z]{26}$/)
      }),
    )
  })

  it('thousands of ids of one millisecond are all different', () => {
    expect(new Set(Array.from({ length: 5_000 }, () => newId('x', 0))).size).toBe(5_000)
  })
})

describe('errors', () => {
  it('have a sentence for the public and an HTTP status each', () => {
    for (const kind of Object.values(ERRORS)) {
      expect(kind.status).toBeGreaterThanOrEqual(400)
      expect(kind.publicMessage).toMatch(/\.$/)
    }
  })

  it('never show the public what was thrown by accident', () => {
    const error = toAppError(new Error('password=hunter2'))
    expect(error).toMatchObject({ code: 'internal', status: 500 })
    expect(error.message).not.toContain('hunter2')
    expect(describeError(error)).toContain('hunter2')
  })

  it('describe a chain of causes in one line', () => {
    const error = new AppError('upstream', 'The provider failed.', {
      cause: new Error('reset', { cause: 'ECONNRESET' }),
    })
    expect(describeError(error)).toBe('The provider failed: reset: ECONNRESET')
  })
})

describe('canonical JSON', () => {
  it('is the same for equal values whatever the order of their keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse())
        expect(canonicalJson(reversed)).toBe(canonicalJson(object))
        expect(JSON.parse(canonicalJson(object))).toEqual(JSON.parse(JSON.stringify(object)))
      }),
    )
  })
})

describe('secrets', () => {
  it('print as stars in every way of printing', () => {
    const secret = new Secret('hunter2')
    expect([String(secret), JSON.stringify({ secret }), inspect({ secret }), `${secret}`].join()).not.toContain(
      'hunter2',
    )
    expect(secret.reveal()).toBe('hunter2')
  })

  it('compare by content, whatever their lengths', () => {
    expect(equalSecrets('a', 'a')).toBe(true)
    expect(equalSecrets('a', 'ab')).toBe(false)
  })
})

describe('"did you mean"', () => {
  it('finds a slip and stays silent about strangers', () => {
    expect(nearest('timeuots', ['targets', 'timeouts'])).toBe('timeouts')
    expect(nearest('zebra', ['targets', 'timeouts'])).toBeUndefined()
  })
})

describe('clocks', () => {
  it('wake sleepers in the order they are due', async () => {
    const clock = new ManualClock(0)
    const woken: string[] = []
    const sleep = async (ms: number) => {
      await clock.sleep(ms)
      woken.push(`${ms}@${clock.now()}`)
    }
    const all = [sleep(30), sleep(10), sleep(20)]
    await clock.advance(25)
    expect(woken).toEqual(['10@10', '20@20'])
    await clock.advance(5)
    await Promise.all(all)
    expect(woken).toEqual(['10@10', '20@20', '30@30'])
  })

  it('stop a sleep when its signal aborts, with the reason of the signal', async () => {
    for (const clock of [systemClock, new ManualClock()]) {
      const controller = new AbortController()
      const sleeping = clock.sleep(60_000, controller.signal)
      controller.abort(new AppError('deadline'))
      await expect(sleeping).rejects.toMatchObject({ code: 'deadline' })
      await expect(clock.sleep(1, controller.signal)).rejects.toMatchObject({ code: 'deadline' })
    }
  })
})
