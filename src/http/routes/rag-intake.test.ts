import { expect, test } from 'vitest'
import { Intake } from './rag-intake.ts'

const signal = new AbortController().signal
const forever = () => new Promise<never>(() => undefined)

test('bodies that never come take room of their tenant alone, by what they weigh, and give it back', async () => {
  const intake = new Intake({ allBytes: 100, tenantBytes: 40 })
  const take = (tenant: string, sizeBytes: number, read: () => Promise<unknown>) =>
    intake.take({ tenant, sizeBytes, signal }, read, async () => tenant)
  let fail: (error: Error) => void = () => undefined
  const slow = take('a', 40, () => new Promise((_, reject) => (fail = reject)))
  await expect(take('a', 1, async () => 1)).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 2 })
  expect(await take('b', 40, async () => 1)).toBe('b')
  void take('b', 40, forever)
  await expect(take('c', 21, async () => 1)).rejects.toMatchObject({ code: 'unavailable' })
  expect(await take('c', 20, async () => 1)).toBe('c')
  fail(new Error('hung up'))
  await expect(slow).rejects.toThrow('hung up')
  expect(await take('a', 40, async () => 1)).toBe('a')
})

test('a tenant that works on as many as it may leaves a turn for the next', async () => {
  const intake = new Intake({ atOnce: 3, tenantAtOnce: 2, tenantWaiting: 1 })
  const of = (tenant: string) => ({ tenant, sizeBytes: 1, signal })
  const read = async () => 'body'
  const ends: (() => void)[] = []
  const long = () => new Promise<void>((resolve) => ends.push(resolve))
  const all = [1, 2, 3].map(() => intake.take(of('a'), read, long))
  await new Promise((resolve) => setImmediate(resolve))
  expect(ends).toHaveLength(2)
  await expect(intake.take(of('a'), read, long)).rejects.toMatchObject({ code: 'unavailable' })
  expect(await intake.take(of('b'), read, async (body) => body)).toBe('body')
  while (ends.length > 0) {
    ends.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(all)
})
