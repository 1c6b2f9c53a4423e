import { expect, test } from 'vitest'
import { createMessages } from './messages-waiting.ts'

const message = (id: string, at = 0) => ({ id, at, body: {} })
const ids = (messages: readonly { id: string }[]) => messages.map(({ id }) => id)

test('a message is leased to one worker at a time, oldest first', () => {
  const queue = createMessages({ leaseMs: 1000, now: () => 0 })
  for (const id of ['a', 'b', 'c']) queue.put(message(id))
  expect(ids(queue.lease(2))).toEqual(['a', 'b'])
  expect(ids(queue.lease(2))).toEqual(['c'])
  expect(ids(queue.lease(2))).toEqual([])
})

test('a lease that runs out gives the message to the next', () => {
  let now = 0
  const queue = createMessages({ leaseMs: 1000, now: () => now })
  queue.put(message('a'))
  queue.lease(1)
  now = 1000
  expect(ids(queue.lease(1))).toEqual(['a'])
})

test('what is leased counts as waiting until it is acknowledged, twice or not', () => {
  const queue = createMessages({ leaseMs: 1000, now: () => 0 })
  queue.put(message('a', 500))
  queue.put(message('b', 900))
  queue.lease(1)
  expect([queue.depth(), queue.oldestSeconds(2500)]).toEqual([2, 2])
  queue.ack('a')
  queue.ack('a')
  expect([queue.depth(), queue.oldestSeconds(2900)]).toEqual([1, 2])
  queue.ack('b')
  expect([queue.depth(), queue.oldestSeconds(2900)]).toEqual([0, 0])
})
