import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FairTurns } from './fair-turns.ts'

const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

test('who comes first of all its kind waits for one turn at most, however many another has waiting', async () => {
  const turns = new FairTurns({ atOnce: 1 })
  const order: string[] = []
  const ends: (() => void)[] = []
  const take = (key: string) =>
    turns.take(key, async () => {
      order.push(key)
      await new Promise<void>((resolve) => ends.push(resolve))
    })
  const all = ['a', 'a', 'a', 'a', 'b', 'c', 'b'].map(take)
  for (let i = 0; i < all.length; i++) {
    await settle()
    ends.shift()?.()
  }
  await Promise.all(all)
  expect(order).toEqual(['a', 'a', 'b', 'c', 'a', 'b', 'a'])
})

test('no more are under way than are allowed, of a key no more than its share, and none is forgotten', async () => {
  const keys = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(
      keys,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
      async (asked, atOnce, perKey) => {
        const turns = new FairTurns({ atOnce, perKey })
        const busy: string[] = []
        let done = 0
        const all = asked.map((key, i) =>
          turns
            .take(key, async () => {
              busy.push(key)
              expect(busy.length).toBeLessThanOrEqual(atOnce)
              expect(busy.filter((one) => one === key).length).toBeLessThanOrEqual(perKey)
              for (let wait = 0; wait < i % 4; wait++) await Promise.resolve()
              busy.splice(busy.indexOf(key), 1)
              done++
              if (i % 5 === 4) throw new Error('one that fails')
            })
            .catch(() => undefined),
        )
        await Promise.all(all)
        expect(done).toBe(asked.length)
      },
    ),
  )
})

test('who gives up leaves the queue, and is not run', async () => {
  const turns = new FairTurns({ atOnce: 1 })
  let end = (): void => undefined
  const first = turns.take('a', () => new Promise<void>((resolve) => (end = resolve)))
  const stop = new AbortController()
  let ran = false
  const second = turns.take('a', async () => void (ran = true), stop.signal)
  stop.abort(new Error('gone'))
  await expect(second).rejects.toThrow('gone')
  expect(turns.waiting('a')).toBe(0)
  end()
  await first
  expect(ran).toBe(false)
  await expect(turns.take('b', async () => 7, stop.signal)).rejects.toThrow('gone')
  expect(await turns.take('b', async () => 7)).toBe(7)
})
