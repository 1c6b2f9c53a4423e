import { expect, test } from 'vitest'
import { oneAtATime } from './one-at-a-time.ts'

function runner() {
  const ends: ((fails?: boolean) => Promise<void>)[] = []
  const signal = oneAtATime(
    () =>
      new Promise<void>((resolve, reject) => {
        ends.push(async (fails = false) => {
          if (fails) reject(new Error('no answer'))
          else resolve()
          await new Promise((settled) => setImmediate(settled))
        })
      }),
  )
  return { ends, signal }
}

test('a burst of signals during a run becomes one more run, and then it is quiet', async () => {
  const { ends, signal } = runner()
  for (let i = 0; i < 100; i++) signal()
  expect(ends.length).toBe(1)
  await ends[0]?.()
  expect(ends.length).toBe(2)
  await ends[1]?.()
  expect(ends.length).toBe(2)
})

test('after a failure the next signal runs again', async () => {
  const { ends, signal } = runner()
  signal()
  await ends[0]?.(true)
  signal()
  expect(ends.length).toBe(2)
})
