import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { silentLog } from '../observe/log.ts'
import { type Connection, connectSqlite, type Db } from './connect.ts'
import { migrate } from './migrate.ts'
import { createWorker, enqueue, type Job, type JobHandler, type QueueTables, queueMigrations } from './queue.ts'

let connection: Connection
let db: Db<QueueTables>
let clock: ManualClock

beforeEach(async () => {
  connection = connectSqlite(':memory:')
  await migrate(connection, queueMigrations)
  db = connection.as<QueueTables>()
  clock = new ManualClock()
})
afterEach(() => connection.close())

const workerOf = (handle: JobHandler, more: { concurrency?: number; maxAttempts?: number } = {}) =>
  createWorker({ db, handlers: { greet: handle }, clock, log: silentLog(), random: () => 1, ...more })

const put = (key: string, runAtMs = clock.now()) => enqueue(db, { kind: 'greet', key, payload: { key }, runAtMs })

const rows = () => db.selectFrom('jobs').selectAll().orderBy('key').execute()

/** Lets the worker's own small steps happen; the clock is moved by as much as is asked. */
const pass = async (ms = 0) => {
  await clock.advance(ms)
  for (let i = 0; i < 20; i++) await clock.advance(0)
}

describe('the queue', () => {
  test('runs a job once with its payload, and a second enqueue of the same key never', async () => {
    const seen: Job[] = []
    const worker = workerOf(async (job) => void seen.push(job))
    await put('a')
    await put('a')
    worker.start()
    await pass(5000)
    await put('a')
    worker.wake()
    await pass(5000)
    await worker.stop()
    expect(seen.map((job) => [job.payload, job.attempts])).toEqual([[{ key: 'a' }, 1]])
    expect((await rows()).map((row) => row.state)).toEqual(['done'])
  })

  test('a job whose transaction rolled back does not exist', async () => {
    await db
      .transaction()
      .execute(async (trx) => {
        await enqueue(trx, { kind: 'greet', key: 'a', payload: null, runAtMs: 0 })
        throw new Error('no')
      })
      .catch(() => undefined)
    expect(await rows()).toEqual([])
  })

  test('a job waits for its time', async () => {
    const seen: string[] = []
    const worker = workerOf(async (job) => void seen.push(job.key))
    await put('later', clock.now() + 30_000)
    worker.start()
    await pass(29_000)
    expect(seen).toEqual([])
    await pass(2000)
    expect(seen).toEqual(['later'])
    await worker.stop()
  })

  test('a failure is tried again with growing pauses', async () => {
    const at: number[] = []
    const begin = clock.now()
    const worker = workerOf(async (job) => {
      at.push(clock.now() - begin)
      if (job.attempts < 4) throw new Error('not yet')
    })
    await put('a')
    worker.start()
    await pass(60_000)
    await worker.stop()
    expect(at).toHaveLength(4)
    const pauses = at.slice(1).map((ms, i) => ms - (at[i] ?? 0))
    expect(pauses[0]).toBeGreaterThanOrEqual(1000)
    expect(pauses[1]).toBeGreaterThanOrEqual(2000)
    expect(pauses[2]).toBeGreaterThanOrEqual(4000)
  })

  test('who asks to be left alone for a while is left alone so long, and nobody else waits for it', async () => {
    const at: string[] = []
    const begin = clock.now()
    const worker = workerOf(async (job) => {
      at.push(`${job.key} ${Math.round((clock.now() - begin) / 1000)}`)
      if (job.key === 'busy' && job.attempts < 2) throw new AppError('limited', undefined, { retryAfterSeconds: 90 })
    })
    await put('busy')
    await put('free', begin + 5000)
    worker.start()
    await pass(89_000)
    expect(at).toEqual(['busy 0', 'free 5'])
    await pass(3000)
    await worker.stop()
    expect(at).toHaveLength(3)
  })

  test('what never succeeds stays as dead, with its last error', async () => {
    let runs = 0
    const worker = workerOf(
      async () => {
        runs++
        throw new Error(`failed ${runs}`, { cause: new Error('deep reason') })
      },
      { maxAttempts: 3 },
    )
    await put('a')
    worker.start()
    await pass(600_000)
    await worker.stop()
    expect(runs).toBe(3)
    expect(await rows()).toMatchObject([{ state: 'dead', failures: 3, last_error: 'failed 3: deep reason' }])
  })

  test('one failing job does not hold up the others', async () => {
    const seen: string[] = []
    const worker = workerOf(
      async (job) => {
        if (job.key === 'bad') throw new Error('bad')
        seen.push(job.key)
      },
      { concurrency: 1 },
    )
    for (const key of ['bad', 'b', 'c']) await put(key)
    worker.start()
    await pass(1000)
    await worker.stop()
    expect(new Set(seen)).toEqual(new Set(['b', 'c']))
  })

  test('never more at once than allowed', async () => {
    let now = 0
    let most = 0
    const worker = workerOf(
      async () => {
        most = Math.max(most, ++now)
        await clock.sleep(100)
        now--
      },
      { concurrency: 2 },
    )
    for (let i = 0; i < 7; i++) await put(`j${i}`)
    worker.start()
    await pass(20_000)
    await worker.stop()
    expect(most).toBe(2)
    expect((await rows()).every((row) => row.state === 'done')).toBe(true)
  })

  test('what a dead process had leased is taken over at start, and does not count as a failure', async () => {
    await put('a')
    await db
      .updateTable('jobs')
      .set({ state: 'leased', leased_by: 'run_dead', leased_until: clock.now() + 9e9 })
      .execute()
    const seen: number[] = []
    const worker = workerOf(async (job) => void seen.push(job.attempts))
    worker.start()
    await pass(1000)
    await worker.stop()
    expect(seen).toEqual([1])
  })

  test('stop aborts what is under way, waits for it, and the next start runs it again', async () => {
    let ended = false
    const first = workerOf(async (_job, signal) => {
      await clock.sleep(1e9, signal).finally(() => (ended = true))
    })
    await put('a')
    first.start()
    await pass(1000)
    await first.stop()
    expect(ended).toBe(true)
    expect(await rows()).toMatchObject([{ state: 'waiting', failures: 0, leased_by: null }])
    const seen: string[] = []
    const second = workerOf(async (job) => void seen.push(job.key))
    second.start()
    await pass(1000)
    await second.stop()
    expect(seen).toEqual(['a'])
  })

  test('a job that takes longer than its lease is not given to a second run', async () => {
    let runs = 0
    const worker = workerOf(async () => {
      runs++
      await clock.sleep(10 * 60_000)
    })
    await put('a')
    worker.start()
    for (let i = 0; i < 70; i++) await pass(10_000)
    await worker.stop()
    expect(runs).toBe(1)
    expect(await rows()).toMatchObject([{ state: 'done' }])
  })

  test.each(['succeeded', 'failed'])(
    'a job that %s while the database was away goes on when it is back',
    async (end) => {
      let runs = 0
      const worker = workerOf(async () => {
        runs++
        if (runs > 1) return
        await connection.as().schema.alterTable('jobs').renameTo('gone').execute()
        if (end === 'failed') throw new Error('no')
      })
      await put('a')
      worker.start()
      await pass(10_000)
      await connection.as().schema.alterTable('gone').renameTo('jobs').execute()
      await pass(10_000)
      await worker.stop()
      expect(runs).toBe(end === 'succeeded' ? 1 : 2)
      expect(await rows()).toMatchObject([{ state: 'done' }])
    },
  )

  test('jobs of a kind without a handler are left alone', async () => {
    await enqueue(db, { kind: 'other', key: 'x', payload: null, runAtMs: 0 })
    const worker = workerOf(async () => undefined)
    worker.start()
    await pass(5000)
    await worker.stop()
    expect(await rows()).toMatchObject([{ state: 'waiting', failures: 0 }])
  })
})
