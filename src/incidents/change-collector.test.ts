import { expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { Change, ChangeSource } from '../core/telemetry.ts'
import { createLog } from '../observe/log.ts'
import { createChangeCollector } from './change-collector.ts'
import { listChanges } from './changes.ts'
import { openTestDb } from './testing.ts'

const all = { tenant: 'default', fromMs: 0, toMs: 8.64e15 }
const change = (id: string, at: number, summary = id): Change => ({ id, at, service: 'cart', kind: 'deploy', summary })

async function setUp(...sources: ChangeSource[]) {
  const { db } = await openTestDb()
  const clock = new ManualClock()
  const collector = createChangeCollector({
    db,
    sources,
    tenant: 'default',
    clock,
    log: createLog({ level: 'silent' }),
  })
  return { collector, clock, listed: async () => (await listChanges(db, all)).map(({ id }) => id) }
}

test('what a source knows is there once, however often it is read; a later look goes back far enough for what came late', async () => {
  const ranges: number[] = []
  const known: Change[] = []
  const source: ChangeSource = {
    name: 'git',
    read: ({ fromMs, toMs }) => {
      ranges.push(toMs - fromMs)
      return Promise.resolve(known.filter(({ at }) => at >= fromMs && at <= toMs))
    },
  }
  const { collector, clock, listed } = await setUp(source)
  known.push(change('a', clock.now() - 3_600_000))
  await collector.collect()
  await clock.advance(60_000)
  known.push(change('late', clock.now() - 20 * 60_000))
  await collector.collect()
  expect(await listed()).toEqual(['a', 'late'])
  expect(ranges).toEqual([24 * 3_600_000, 31 * 60_000])
})

test('a source that fails keeps nothing from the others, is told until it answers, and misses nothing', async () => {
  let down = true
  const { collector, clock, listed } = await setUp(
    {
      name: 'github',
      read: ({ fromMs }) =>
        down
          ? Promise.reject(new AppError('upstream', 'GitHub cannot be reached.'))
          : Promise.resolve([change('b', fromMs)]),
    },
    { name: 'git', read: ({ toMs }) => Promise.resolve([change('a', toMs)]) },
  )
  await collector.collect()
  expect(await listed()).toEqual(['a'])
  expect(collector.problems()).toEqual([{ source: 'github', reason: 'GitHub cannot be reached.' }])
  down = false
  await clock.advance(3_600_000)
  await collector.collect()
  expect(await listed()).toEqual(['b', 'a'])
  expect(collector.problems()).toEqual([])
})

test('a source that hangs is given up', async () => {
  const { collector, clock } = await setUp({ name: 'github', read: () => new Promise(() => undefined) })
  const done = collector.collect()
  await clock.advance(11_000)
  await done
  expect(collector.problems()).toMatchObject([{ source: 'github' }])
})

test('text out of a repository is cleaned like any other', async () => {
  const { collector, clock, listed } = await setUp({
    name: 'git',
    read: ({ toMs }) => Promise.resolve([change('x', toMs, 'red \u001B[31m'.padEnd(9000, '!')), change('', toMs)]),
  })
  await clock.advance(1)
  await collector.collect()
  expect(await listed()).toEqual(['x'])
})

test('started, it looks now and every minute until it is stopped', async () => {
  let reads = 0
  const { collector, clock } = await setUp({ name: 'git', read: () => Promise.resolve((reads++, [])) })
  collector.start()
  await collector.collect()
  await clock.advance(60_000)
  await collector.collect()
  const before = reads
  expect(before).toBeGreaterThanOrEqual(2)
  await collector.stop()
  await clock.advance(600_000)
  expect(reads).toBe(before)
})
