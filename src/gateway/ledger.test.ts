import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { type Connection, connectSqlite } from '../db/connect.ts'
import { migrate } from '../db/migrate.ts'
import { silentLog } from '../observe/log.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { type GatewayTables, gatewayMigrations, type LedgerRow } from './tables.ts'

let clock: ManualClock
let connection: Connection
let ledger: Ledger

beforeEach(async () => {
  clock = new ManualClock()
  connection = connectSqlite(':memory:')
  await migrate(connection, gatewayMigrations)
  ledger = createLedger({ db: connection.as<GatewayTables>(), clock, log: silentLog() })
})

afterEach(() => connection.close())

const row = (id: string, more: Partial<LedgerRow> = {}): LedgerRow => ({
  id,
  tenant: 'default',
  key_id: 'local',
  request_id: `req_${id}`,
  at: 1,
  model: 'fast',
  provider: null,
  provider_model: null,
  endpoint: '/v1/chat/completions',
  status: null,
  outcome: null,
  attempts: 0,
  input_tokens: null,
  cached_tokens: null,
  output_tokens: null,
  reasoning_tokens: null,
  usage_source: 'unknown',
  cost_micro_usd: null,
  duration_ms: null,
  ttft_ms: null,
  error_code: null,
  purpose: null,
  team: null,
  user_hash: null,
  charged_micro_usd: null,
  ...more,
})

const served: Partial<LedgerRow> = { outcome: 'served', status: 200, attempts: 1, cost_micro_usd: 0.75 }
const stored = () => connection.as<GatewayTables>().selectFrom('ledger').selectAll().orderBy('id').execute()
const loseDatabase = () => connection.as().schema.alterTable('ledger').renameTo('gone').execute()
const findDatabase = () => connection.as().schema.alterTable('gone').renameTo('ledger').execute()

test('a request has one row, from before it is sent until its end', async () => {
  await ledger.open(row('1', { purpose: 'incident inc_1' }))
  expect(await stored()).toEqual([row('1', { purpose: 'incident inc_1' })])
  await ledger.settle(row('1', { ...served, purpose: 'incident inc_1' }))
  expect(await stored()).toEqual([row('1', { ...served, purpose: 'incident inc_1' })])
})

test('any number of requests at once keep their own rows', async () => {
  const ids = Array.from({ length: 333 }, (_, i) => String(i).padStart(3, '0'))
  await Promise.all(ids.map((id) => ledger.open(row(id, { model: `m${id}` }))))
  await Promise.all(ids.map((id) => ledger.settle(row(id, { ...served, model: `m${id}`, input_tokens: Number(id) }))))
  expect((await stored()).map(({ id, model, outcome, input_tokens }) => [id, model, outcome, input_tokens])).toEqual(
    ids.map((id) => [id, `m${id}`, 'served', Number(id)]),
  )
})

test('what a crash left under way is failed at a cost that nobody knows', async () => {
  await ledger.open(row('1'))
  await ledger.open(row('2'))
  await ledger.settle(row('2', served))
  const afterwards = createLedger({ db: connection.as<GatewayTables>(), clock, log: silentLog() })
  expect(await afterwards.recover()).toBe(1)
  expect(await stored()).toMatchObject([
    { id: '1', outcome: 'failed', error_code: 'unknown', usage_source: 'unknown', cost_micro_usd: null },
    { id: '2', outcome: 'served' },
  ])
  expect(await afterwards.recover()).toBe(0)
})

test('a row that another process marked too early is put right by its true end', async () => {
  await ledger.open(row('1'))
  await ledger.recover()
  await ledger.settle(row('1', served))
  expect(await stored()).toEqual([row('1', served)])
})

test('where a request cannot be recorded, it may not be sent', async () => {
  await loseDatabase()
  await expect(ledger.open(row('1'))).rejects.toMatchObject({ code: 'unavailable', status: 503 })
})

test('an end that cannot be recorded holds nobody up, and is recorded when the database is back', async () => {
  await ledger.open(row('1'))
  await loseDatabase()
  await ledger.settle(row('1', served))
  await clock.advance(3_000)
  await findDatabase()
  await clock.advance(1_000)
  expect(await stored()).toEqual([row('1', served)])
})

test('an end that is still owed is written by the stop', async () => {
  await ledger.open(row('1'))
  await loseDatabase()
  await ledger.settle(row('1', served))
  await findDatabase()
  await ledger.stop()
  expect(await stored()).toEqual([row('1', served)])
})

test('however many ends are owed, all are written, without another request and before the stop is over', async () => {
  const ids = Array.from({ length: 120 }, (_, i) => String(i).padStart(3, '0'))
  for (const id of ids) await ledger.open(row(id))
  await loseDatabase()
  await Promise.all(ids.map((id) => ledger.settle(row(id, served))))
  await findDatabase()
  await clock.advance(1_000)
  await expect.poll(async () => (await stored()).filter(({ outcome }) => outcome === 'served').length).toBe(120)

  await loseDatabase()
  await Promise.all(ids.map((id) => ledger.settle(row(id, { ...served, attempts: 2 }))))
  await findDatabase()
  await ledger.stop()
  expect((await stored()).every(({ attempts }) => attempts === 2)).toBe(true)
})

test('a refusal that cannot be recorded is not kept in memory', async () => {
  await loseDatabase()
  await ledger.settle(row('1', { outcome: 'refused', status: 503 }))
  await findDatabase()
  await ledger.stop()
  expect(await stored()).toEqual([])
})
