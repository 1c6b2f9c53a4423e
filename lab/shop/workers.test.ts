import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createWorkers } from './workers.ts'

test('no more than the limit work at once, and those who wait come in order', async () => {
  const workers = createWorkers(2)
  let busy = 0
  let most = 0
  const order: number[] = []
  const work = (n: number) =>
    workers.run(async () => {
      most = Math.max(most, ++busy)
      order.push(n)
      await wait(5)
      busy--
    })
  await Promise.all([1, 2, 3, 4, 5].map(work))
  expect(most).toBe(2)
  expect(order).toEqual([1, 2, 3, 4, 5])
})

test('who waits too long is turned away, and does not take a place later', async () => {
  const workers = createWorkers(1, 10)
  const held = Promise.withResolvers<void>()
  const first = workers.run(() => held.promise)
  await expect(workers.run(() => Promise.resolve('late'))).rejects.toMatchObject({ status: 503 })
  held.resolve()
  await first
  expect(await workers.run(() => Promise.resolve('free again'))).toBe('free again')
})

test('work that fails gives its place back', async () => {
  const workers = createWorkers(1, 10)
  await expect(workers.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(await workers.run(() => Promise.resolve('free'))).toBe('free')
})
