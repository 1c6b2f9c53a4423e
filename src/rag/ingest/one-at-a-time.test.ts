import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { readdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../test/temp.ts'
import { systemClock } from '../../core/clock.ts'
import { createOneAtATime } from './one-at-a-time.ts'

const signal = new AbortController().signal
const SOURCE = { collection: 'col_1', place: 'folder:/srv' }

test('the same source is read by one at a time, another one meanwhile', async () => {
  const oneAtATime = createOneAtATime({ folder: tempFolder(), clock: systemClock })
  const order: string[] = []
  let end = (): void => undefined
  const first = oneAtATime(SOURCE, () => new Promise<void>((resolve) => (end = resolve)), { signal })
  const second = oneAtATime(SOURCE, async () => void order.push('second'), { signal })
  await oneAtATime({ ...SOURCE, place: 'folder:/etc' }, async () => void order.push('other'), { signal })
  order.push('first')
  end()
  await Promise.all([first, second])
  expect(order).toEqual(['other', 'first', 'second'])
})

test('another process that reads it is waited for, told of once, and who stops waits no longer', async () => {
  const folder = tempFolder()
  const oneAtATime = createOneAtATime({ folder, clock: systemClock })
  await oneAtATime(SOURCE, async () => undefined, { signal })
  const held = new DatabaseSync(join(folder, readdirSync(folder).find((name) => name.endsWith('.db')) ?? ''))
  held.exec('begin exclusive')
  let told = 0
  const stop = new AbortController()
  const stopped = oneAtATime(SOURCE, async () => 'ran', {
    signal: stop.signal,
    onWait: () => {
      told++
      stop.abort(new Error('stopped'))
    },
  })
  await expect(stopped).rejects.toThrow('stopped')
  expect(await oneAtATime(SOURCE, async () => 'ran', { signal, onWait: () => held.close() })).toBe('ran')
  expect(told).toBe(1)
})

test('where its folder cannot be written to it says so, and what to do', async () => {
  const file = join(tempFolder(), 'file')
  writeFileSync(file, '')
  const oneAtATime = createOneAtATime({ folder: join(file, 'locks'), clock: systemClock })
  await expect(oneAtATime(SOURCE, async () => undefined, { signal })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('Make room or see to its permissions') as string,
  })
})
