import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/temp.ts'
import { LOCAL_CALLER } from '../../core/caller.ts'
import { ManualClock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { type Connection, connectSqlite } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { type QueueTables, queueMigrations } from '../../db/queue.ts'
import { silentLog } from '../../observe/log.ts'
import type { Gateway } from '../gateway.ts'
import type { Outcome } from '../outcome.ts'
import { type BatchOffice, createBatchOffice } from './create.ts'
import { batchMigrations, type BatchRow, type BatchTables } from './tables.ts'

type Serve = Gateway['serve']

let connection: Connection
let clock: ManualClock
let folder: string
let office: BatchOffice
let asked: { readonly said: string; readonly atMs: number }[]
let underWay: number
let most: number
let behave: (said: string, signal: AbortSignal) => Promise<Outcome | string>
let room: boolean

const facts = {} as Outcome['facts']
const FRAME = { kind: 'content', events: [], text: '', written: 0, usage: null, model: null, complete: true } as const
const refused = (code: 'limited' | 'unavailable', retryAfterSeconds?: number): Outcome => {
  const error = new AppError(code, undefined, retryAfterSeconds === undefined ? {} : { retryAfterSeconds })
  return { kind: 'refused', errorType: code === 'limited' ? 'upstream_rate_limited' : 'overloaded', error, facts }
}
const failed = (errorType: 'upstream_5xx' | 'deadline'): Outcome => {
  const error = new AppError(errorType === 'deadline' ? 'deadline' : 'upstream')
  return { kind: 'failed', errorType, error, reply: undefined, event: undefined, facts }
}

/** The gateway as far as a batch sees it: what is said to it is in the body. */
const serve: Serve = async ({ body, signal }, audience) => {
  const said = (JSON.parse(body.toString()) as { messages: [{ content: string }] }).messages[0].content
  asked.push({ said, atMs: clock.now() })
  most = Math.max(most, ++underWay)
  const answer = await behave(said, signal)
  underWay--
  if (typeof answer !== 'string') return answer
  audience.begin({} as Parameters<typeof audience.begin>[0])
  void audience.write([{ ...FRAME, bytes: Buffer.from(answer) }])
  return { kind: 'served', closing: new Uint8Array(), facts }
}

const makeOffice = () =>
  createBatchOffice({
    db: connection.as<BatchTables & QueueTables>(),
    dataFolder: folder,
    gateway: { serve, models: ['fast'], hasRoom: (taken) => room && taken < 100 },
    callerOf: async (owner) => owner,
    clock,
    log: silentLog(),
    random: () => 1,
  })

beforeEach(async () => {
  connection = connectSqlite(':memory:')
  await migrate(connection, [...queueMigrations, ...batchMigrations])
  clock = new ManualClock()
  folder = join(tempFolder(), 'data')
  mkdirSync(folder)
  asked = []
  underWay = most = 0
  room = true
  behave = async (said) => JSON.stringify({ said })
  office = makeOffice()
  await office.start()
})

afterEach(async () => {
  await office.stop()
  await connection.close()
})

async function start(said: readonly string[]): Promise<string> {
  const lines = said.map((content, i) =>
    JSON.stringify({
      custom_id: `${i}`,
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model: 'fast', messages: [{ role: 'user', content }] },
    }),
  )
  const draft = await office.files.draft('acme', [Buffer.from(lines.join('\n'))] as never, 1e6)
  const { id } = await draft.keep({ caller: LOCAL_CALLER, filename: 'x', expiresAt: null })
  const batch = await office.batches.create(LOCAL_CALLER, {
    endpoint: '/v1/chat/completions',
    inputFileId: id,
    completionWindow: '24h',
    metadata: null,
    outputExpiresAfterS: null,
  })
  return batch.id
}

const find = (id: string): Promise<BatchRow> => office.batches.get(LOCAL_CALLER.tenant, id)

/** Time goes on in steps, with room for the disk's answers, until it holds. */
async function pass(until: () => boolean | Promise<boolean>, stepMs = 100): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if (await until()) return
    await clock.advance(stepMs)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  throw new Error('it never came to pass')
}
const is = (id: string, status: BatchRow['status']) => async () => (await find(id)).status === status

interface Line {
  custom_id: string
  response: { status_code: number } | null
  error: { code: string } | null
}
const linesOf = (id: string | null): Line[] =>
  id === null
    ? []
    : readFileSync(office.files.path(id), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Line)
const many = (count: number) => Array.from({ length: count }, (_, i) => `${i}`)

test('never more than eight requests of a batch are under way, and all are asked', async () => {
  behave = async (said, signal) => {
    await clock.sleep(500, signal)
    return JSON.stringify({ said })
  }
  const id = await start(many(30))
  await pass(is(id, 'completed'))
  expect(most).toBe(8)
  expect(asked).toHaveLength(30)
})

test('nothing is asked while live calls need the room', async () => {
  room = false
  const id = await start(many(3))
  await pass(is(id, 'in_progress'))
  for (let i = 0; i < 20; i++) await clock.advance(100)
  expect(asked).toEqual([])
  room = true
  await pass(is(id, 'completed'))
})

test('a limit of ours is waited for, by all requests of the batch, and fails none', async () => {
  let until = Infinity
  behave = async (said) => {
    if (asked.length <= 3) until = clock.now() + 20_000
    return clock.now() < until ? refused('limited', 20) : JSON.stringify({ said })
  }
  const id = await start(many(20))
  await pass(is(id, 'completed'))
  expect(await find(id)).toMatchObject({ completed: 20, failed: 0 })
  // Those that were under way when the first was refused; then nobody before its time.
  expect(asked.filter(({ atMs }) => atMs < until).length).toBeLessThanOrEqual(8)
})

test('a spent budget is no limit to wait for: what is left of the batch is refused', async () => {
  behave = async (said) => (Number(said) < 5 ? JSON.stringify({ said }) : refused('limited'))
  const id = await start(many(20))
  await pass(is(id, 'completed'))
  const row = await find(id)
  expect(row).toMatchObject({ completed: 5, failed: 15 })
  expect(linesOf(row.error_file_id)[0]).toMatchObject({ response: { status_code: 429 }, error: null })
  expect(asked).toHaveLength(20)
})

test('being overloaded is waited for, without end', async () => {
  behave = async (said) => (asked.length < 40 ? refused('unavailable', 1) : JSON.stringify({ said }))
  const id = await start(['a'])
  await pass(is(id, 'completed'), 1000)
  expect(await find(id)).toMatchObject({ completed: 1, failed: 0 })
})

test('what a provider fails is tried five times, with growing pauses', async () => {
  behave = async () => failed('upstream_5xx')
  const id = await start(['a'])
  await pass(is(id, 'completed'))
  const gaps = asked.slice(1).map(({ atMs }, i) => atMs - (asked[i]?.atMs ?? 0))
  expect(asked).toHaveLength(5)
  expect(gaps.every((gap, i) => gap >= 500 * 2 ** i)).toBe(true)
  const row = await find(id)
  expect(linesOf(row.error_file_id)).toMatchObject([{ response: { status_code: 502 } }])
})

test('a model that never answers in time is told as a timeout', async () => {
  behave = async () => failed('deadline')
  const id = await start(['a'])
  await pass(is(id, 'completed'))
  const row = await find(id)
  expect(linesOf(row.error_file_id)).toMatchObject([{ response: null, error: { code: 'request_timeout' } }])
})

test('when its window is over, what is not answered is told as expired', async () => {
  behave = async (said, signal) => {
    if (said !== '0') await clock.sleep(100 * 3600_000, signal).catch(() => undefined)
    return signal.aborted ? failed('deadline') : JSON.stringify({ said })
  }
  const id = await start(many(12))
  const expires_at = clock.now() + 10_000
  await connection.as<BatchTables>().updateTable('batches').set({ expires_at }).execute()
  await pass(() => asked.length >= 9)
  await pass(is(id, 'expired'))
  const row = await find(id)
  expect(row).toMatchObject({ completed: 1, failed: 11, total: 12 })
  expect(row.expired_at).toBeGreaterThanOrEqual(row.expires_at)
  expect(new Set(linesOf(row.error_file_id).map(({ error }) => error?.code))).toEqual(new Set(['batch_expired']))
  expect(linesOf(row.output_file_id)).toHaveLength(1)
})

describe('a stop in the middle', () => {
  test('keeps what was answered, asks again what was under way, and tells nothing twice', async () => {
    behave = async (said, signal) => {
      if (Number(said) >= 5) await clock.sleep(3600_000, signal).catch(() => undefined)
      return signal.aborted ? { kind: 'abandoned', facts } : JSON.stringify({ said })
    }
    const id = await start(many(15))
    await pass(() => asked.length >= 13)
    await office.stop()
    expect(await find(id)).toMatchObject({ status: 'in_progress' })
    const before = asked.length
    behave = async (said) => JSON.stringify({ said })
    office = makeOffice()
    await office.start()
    await pass(is(id, 'completed'))
    const row = await find(id)
    expect(new Set(linesOf(row.output_file_id).map(({ custom_id }) => custom_id))).toEqual(new Set(many(15)))
    expect(linesOf(row.output_file_id)).toHaveLength(15)
    const again = asked.slice(before).map(({ said }) => said)
    expect(again.filter((said) => Number(said) < 5)).toEqual([])
    expect(row).toMatchObject({ total: 15, completed: 15, failed: 0 })
  })

  test('before the files have their rows is gone on with, and files of no row are swept away', async () => {
    const id = await start(['a'])
    await pass(is(id, 'completed'))
    const row = await find(id)
    await office.stop()
    // As if the process had died between moving the file and the transaction.
    const db = connection.as<BatchTables>()
    await db
      .deleteFrom('files')
      .where('id', '=', row.output_file_id ?? '')
      .execute()
    await db
      .updateTable('batches')
      .set({ status: 'finalizing', error_file_id: 'file_none' })
      .where('id', '=', id)
      .execute()
    office = makeOffice()
    await office.start()
    await pass(is(id, 'completed'))
    expect(linesOf((await find(id)).output_file_id)).toHaveLength(1)
    expect(await office.files.find(LOCAL_CALLER.tenant, row.output_file_id ?? '')).toMatchObject({
      purpose: 'batch_output',
    })
    const draft = await office.files.draft('acme', [Buffer.from('x')] as never, 10)
    await office.stop()
    office = makeOffice()
    await office.start()
    expect(() => readFileSync(office.files.path(`${draft.id}.part`))).toThrow('ENOENT')
  })
})

test('a long batch makes way for others, turn by turn', async () => {
  behave = async (said, signal) => {
    await clock.sleep(10_000, signal)
    return JSON.stringify({ said })
  }
  const long = await Promise.all(many(4).map(() => start(many(100))))
  await pass(() => asked.length >= 32)
  const short = await start(['short'])
  await pass(is(short, 'completed'), 1000)
  expect(await Promise.all(long.map(find))).toMatchObject(long.map(() => ({ status: 'in_progress' })))
})

test('a file that is too large is refused, and nothing of it stays', async () => {
  const pieces = [Buffer.from('12345'), Buffer.from('67890')] as never
  await expect(office.files.draft('acme', pieces, 9)).rejects.toMatchObject({ code: 'too_large' })
  expect(readdirSync(office.files.folder)).toEqual([])
})

test('a file whose time is over is gone', async () => {
  const draft = await office.files.draft('acme', [Buffer.from('x')] as never, 10)
  const { id } = await draft.keep({ caller: LOCAL_CALLER, filename: 'x', expiresAt: clock.now() + 1000 })
  await clock.advance(1001)
  expect(await office.files.find(LOCAL_CALLER.tenant, id)).toBeUndefined()
  await office.files.sweep()
  expect(() => readFileSync(office.files.path(id))).toThrow('ENOENT')
})
