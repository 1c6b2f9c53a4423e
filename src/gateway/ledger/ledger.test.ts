import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Worker } from 'node:worker_threads'
import { describe, expect, onTestFinished, test } from 'vitest'
import { tempFolder } from '../../../test/temp.ts'
import { ManualClock, systemClock } from '../../core/clock.ts'
import { type Connection, connectSqlite } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { silentLog } from '../../observe/log.ts'
import { createMetrics } from '../../observe/metrics.ts'
import { type GatewayTables, gatewayMigrations } from '../tables.ts'
import { importInThread } from './import-in-thread.ts'
import { createLedger, type Ledger, type LedgerOptions } from './ledger.ts'
import { decisionText, ledgerRow as row, servedRow } from './testing/rows.ts'

/** A ledger whose rows go into a file by a thread, or into memory on our own thread. */
async function start(kind: 'thread' | 'here', more: Partial<LedgerOptions> = {}) {
  const folder = tempFolder()
  const file = join(folder, 'midwatch.db')
  const connection: Connection = connectSqlite(kind === 'here' ? ':memory:' : file)
  await migrate(connection, gatewayMigrations)
  const db = connection.as<GatewayTables>()
  const metrics = createMetrics({ process: false })
  const options: LedgerOptions = {
    folder: join(folder, 'ledger'),
    database: kind === 'here' ? { db } : { file },
    sync: 'background',
    metrics,
    clock: systemClock,
    log: silentLog(),
    reserveBytes: 1 << 17,
    ...more,
  }
  const ledger = createLedger(options)
  let running: Ledger | undefined = ledger
  onTestFinished(async () => {
    await running?.stop()
    await connection.close()
  })
  return {
    ledger,
    folder: options.folder,
    file,
    options,
    pending: async () => Number(/^midwatch_ledger_pending_rows (\d+)$/m.exec(await metrics.metrics())?.[1]),
    stored: async () => {
      await running?.flush()
      return await db.selectFrom('ledger').selectAll().orderBy('id').execute()
    },
    rename: (from: string, to: string) => connection.as().schema.alterTable(from).renameTo(to).execute(),
    stop: async () => {
      running = undefined
      await ledger.stop()
    },
    /** Another process on the same folder, after this one ended. */
    startAgain: () => (running = createLedger({ ...options, metrics: createMetrics({ process: false }) })),
  }
}

describe.each(['here', 'thread'] as const)('imported %s', (kind) => {
  test('a request has one row, from before it is sent until its end', async () => {
    const { ledger, stored } = await start(kind)
    ledger.open(row('1', { purpose: 'incident inc_1' }))
    expect(await stored()).toEqual([row('1', { purpose: 'incident inc_1' })])
    const end = row('1', { ...servedRow, purpose: 'incident inc_1', decision: decisionText })
    void ledger.settle(end)
    expect(await stored()).toEqual([end])
  })

  test('any number of requests at once keep their own rows, over many files of the journal', async () => {
    const { ledger, stored, folder } = await start(kind, { segmentBytes: 20_000 })
    const ids = Array.from({ length: 1_333 }, (_, i) => String(i).padStart(4, '0'))
    for (const id of ids) ledger.open(row(id, { model: `m${id}` }))
    for (const id of ids) void ledger.settle(row(id, { ...servedRow, model: `m${id}`, input_tokens: Number(id) }))
    expect((await stored()).map(({ id, model, outcome, input_tokens }) => [id, model, outcome, input_tokens])).toEqual(
      ids.map((id) => [id, `m${id}`, 'served', Number(id)]),
    )
    await expect.poll(() => readdirSync(folder).filter((name) => name.endsWith('.journal')).length).toBe(1)
  })

  test('what a crash left under way is failed at a cost that nobody knows, and what ended is as it ended', async () => {
    const { ledger, stored, folder, stop, startAgain } = await start(kind)
    ledger.open(row('1'))
    ledger.open(row('2'))
    void ledger.settle(row('2', servedRow))
    await ledger.flush()
    await stop()
    // Written right before the crash, and not imported.
    const journal = join(folder, `${'9'.padStart(16, '0')}-00000000.journal`)
    const other = await start('here', { startImport: () => ({ wake: () => undefined, stop: async () => undefined }) })
    other.ledger.open(row('3'))
    other.ledger.open(row('4'))
    void other.ledger.settle(row('4', servedRow))
    const [left] = readdirSync(other.folder).filter((name) => name.endsWith('.journal'))
    writeFileSync(journal, readFileSync(join(other.folder, left ?? '')))

    startAgain()
    const unknown = {
      outcome: 'failed',
      status: 500,
      error_code: 'unknown',
      usage_source: 'unknown',
      cost_micro_usd: null,
    }
    expect(await stored()).toMatchObject([
      { id: '1', ...unknown },
      { id: '2', outcome: 'served' },
      { id: '3', ...unknown },
      { id: '4', outcome: 'served' },
    ])
  })

  test('after a stop nothing is left in the journal, and the next start begins with nothing', async () => {
    const { ledger, stored, folder, stop, startAgain } = await start(kind)
    ledger.open(row('1'))
    void ledger.settle(row('1', servedRow))
    await stop()
    expect(readdirSync(folder).filter((name) => name.endsWith('.journal'))).toEqual([])
    startAgain()
    expect(await stored()).toEqual([row('1', servedRow)])
  })

  test('a database that is away holds nobody up, and gets everything when it is back', async () => {
    const { ledger, stored, rename, pending } = await start(kind)
    ledger.open(row('1'))
    await ledger.flush()
    await rename('ledger_journal', 'gone')
    void ledger.settle(row('1', servedRow))
    for (let i = 100; i < 400; i++) {
      ledger.open(row(`${i}`))
      void ledger.settle(row(`${i}`, servedRow))
    }
    expect(await pending()).toBe(601)
    await rename('gone', 'ledger_journal')
    const rows = await stored()
    expect(rows).toHaveLength(301)
    expect(rows.every(({ outcome }) => outcome === 'served')).toBe(true)
    expect(await pending()).toBe(0)
  })

  test('a row that the database refuses is kept apart and keeps out no other', async () => {
    const { ledger, stored, folder } = await start(kind)
    ledger.open(row('1'))
    ledger.open(row('2', { tenant: null as never }))
    ledger.open(row('3'))
    expect((await stored()).map(({ id }) => id)).toEqual(['1', '3'])
    expect(readFileSync(join(folder, 'rejected'), 'utf8')).toMatch(/^2 1\[null/)
  })
})

test('an end that is told twice counts as it was told last, and an open never undoes an end', async () => {
  const { ledger, stored } = await start('here')
  void ledger.settle(row('1', { ...servedRow, attempts: 1 }))
  await ledger.flush()
  ledger.open(row('1'))
  expect(await stored()).toMatchObject([{ outcome: 'served', attempts: 1 }])
  void ledger.settle(row('1', { ...servedRow, attempts: 2 }))
  expect(await stored()).toMatchObject([{ outcome: 'served', attempts: 2 }])
})

test('with sync: answer, the end of a request is flushed to the disk before the promise resolves', async () => {
  const { ledger, stored } = await start('here', { sync: 'answer' })
  ledger.open(row('1'))
  await Promise.all([ledger.settle(row('1', servedRow)), ledger.settle(row('2', servedRow))])
  expect(await stored()).toHaveLength(2)
})

test('whoever waits for the database waits a bounded time, and is told', async () => {
  const clock = new ManualClock()
  const { ledger, rename } = await start('here', { clock })
  await rename('ledger', 'gone')
  ledger.open(row('1'))
  const refused = expect(ledger.flush()).rejects.toMatchObject({ code: 'unavailable', status: 503 })
  await clock.advance(6_000)
  await refused
  await rename('gone', 'ledger')
  await clock.advance(6_000)
  await ledger.flush()
})

test('a journal that cannot be made is told as such, with what to do', async () => {
  const folder = tempFolder()
  writeFileSync(join(folder, 'file'), '')
  const { options } = await start('here')
  expect(() => createLedger({ ...options, folder: join(folder, 'file', 'ledger') })).toThrow(/Make the folder writable/)
})

test('a folder that vanished lets no request in, and the ends of those let in are written when it is back', async () => {
  const clock = new ManualClock()
  const { ledger, folder, stored } = await start('here', { clock, segmentBytes: 1 })
  ledger.open(row('1'))
  await ledger.flush()
  // Every line begins a new file here, so that the lost folder is met at once.
  renameSync(folder, `${folder}-away`)
  expect(() => ledger.open(row('2'))).toThrow('was not sent')
  expect(ledger.trouble()).toContain('ENOENT')
  void ledger.settle(row('2', { outcome: 'refused', status: 503 }))
  void ledger.settle(row('1', servedRow))
  renameSync(`${folder}-away`, folder)
  expect(ledger.trouble()).toBeUndefined()
  await clock.advance(1_000)
  expect(await stored()).toEqual([row('1', servedRow)])
})

test('a database that is locked by another process holds nobody up', async () => {
  const { ledger, stored, file } = await start('thread')
  ledger.open(row('1'))
  await ledger.flush()
  const other = new DatabaseSync(file)
  other.exec('begin immediate')
  const fromMs = performance.now()
  void ledger.settle(row('1', servedRow))
  ledger.open(row('2'))
  expect(performance.now() - fromMs).toBeLessThan(200)
  setTimeout(() => other.exec('commit'), 300)
  expect(await stored()).toEqual([row('1', servedRow), row('2')])
  other.close()
})

test('a database file that is taken away is never made anew, and gets everything when it is put back', async () => {
  const { ledger, stored, file, folder } = await start('thread')
  ledger.open(row('1'))
  await ledger.flush()
  const away = join(folder, '..', 'away')
  mkdirSync(away)
  for (const end of ['', '-wal', '-shm']) renameSync(`${file}${end}`, join(away, `midwatch.db${end}`))
  void ledger.settle(row('1', servedRow))
  const flushed = ledger.flush()
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(readdirSync(join(folder, '..')).sort()).toEqual(['away', 'ledger'])
  for (const end of ['', '-wal', '-shm']) renameSync(join(away, `midwatch.db${end}`), `${file}${end}`)
  await flushed
  expect(await stored()).toEqual([row('1', servedRow)])
})

test('an importer that dies in the midst of its work is started again, and every row is there once', async () => {
  const threads: Worker[] = []
  const { folder, options, stored, stop, startAgain } = await start('thread')
  await stop()
  const { file } = options.database as { file: string }
  const log = silentLog()
  const ledger = createLedger({
    ...options,
    metrics: createMetrics({ process: false }),
    segmentBytes: 50_000,
    startImport: importInThread({ databaseFile: file, log, onThread: (thread) => threads.push(thread) }),
  })
  for (let i = 0; i < 3_000; i++) {
    ledger.open(row(String(i).padStart(5, '0')))
    void ledger.settle(row(String(i).padStart(5, '0'), { ...servedRow, input_tokens: i }))
    if (i % 750 !== 749) continue
    void ledger.flush()
    await new Promise((resolve) => setTimeout(resolve, 30))
    await threads.at(-1)?.terminate()
    await expect.poll(() => threads.length, { timeout: 5_000 }).toBe((i + 1) / 750 + 1)
  }
  await ledger.flush()
  await ledger.stop()
  startAgain()
  const rows = await stored()
  expect(rows.map(({ input_tokens }) => input_tokens)).toEqual(Array.from({ length: 3_000 }, (_, i) => i))
  expect(readdirSync(folder)).not.toContain('rejected')
})
