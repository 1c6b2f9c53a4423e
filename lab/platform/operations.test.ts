import { expect, test } from 'vitest'
import { createOperationJournal } from './operations.ts'

const asked = { key: 'k1', action: 'restart', target: 'cart', to: undefined } as const

test('a key asked for while it is under way is carried out once, and both get the answer', async () => {
  const journal = createOperationJournal()
  const done = Promise.withResolvers<string>()
  let started = 0
  const work = () => {
    started++
    return done.promise
  }
  const first = journal.run(asked, work)
  const second = journal.run(asked, work)
  expect(journal.find('k1')).toMatchObject({ state: 'running', carriedOut: 0, asked: 2 })
  done.resolve('change chg_1')
  expect(await first).toEqual(await second)
  expect(journal.find('k1')).toMatchObject({ state: 'done', carriedOut: 1, detail: 'change chg_1' })
  expect(started).toBe(1)
})

test('a failed operation is not tried again under its key', async () => {
  const journal = createOperationJournal()
  let started = 0
  const work = () => {
    started++
    return Promise.reject(new Error('no room'))
  }
  await journal.run(asked, work)
  expect(await journal.run(asked, work)).toMatchObject({ state: 'failed', detail: 'no room', carriedOut: 0 })
  expect(started).toBe(1)
})

test('a key used for something else is refused', async () => {
  const journal = createOperationJournal()
  await journal.run(asked, () => Promise.resolve('done'))
  await expect(journal.run({ ...asked, target: 'payment' }, () => Promise.resolve('done'))).rejects.toMatchObject({
    code: 'conflict',
  })
})
