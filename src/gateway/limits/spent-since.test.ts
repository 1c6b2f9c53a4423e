import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Connection, connectSqlite } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { type GatewayTables, gatewayMigrations, type LedgerRow } from '../tables.ts'
import { createSpentSince, readLedgerId } from './spent-since.ts'
import { subject } from './testing/asks.ts'

let connection: Connection
const db = () => connection.as<GatewayTables>()

beforeEach(async () => {
  connection = connectSqlite(':memory:')
  await migrate(connection, gatewayMigrations)
})
afterEach(() => connection.close())

let ids = 0
const add = (row: Partial<LedgerRow>) =>
  db()
    .insertInto('ledger')
    .values({
      id: `llm_${++ids}`,
      tenant: 'acme',
      key_id: 'k',
      request_id: 'r',
      at: 1000,
      model: 'fast',
      endpoint: '/v1/chat/completions',
      attempts: 1,
      usage_source: 'measured',
      ...row,
    })
    .execute()

const key = subject('k', {})

test('a call counts at its cost, and where that is not known at what was reserved for it', async () => {
  await add({ cost_micro_usd: 100, charged_micro_usd: 100 })
  await add({ cost_micro_usd: null, charged_micro_usd: 2_000, outcome: null })
  await add({ cost_micro_usd: null, charged_micro_usd: 30_000, outcome: 'failed', error_code: 'unknown' })
  // From before there were reservations.
  await add({ cost_micro_usd: 400_000 })
  await add({ cost_micro_usd: null })
  await add({ outcome: 'refused' })
  expect(await createSpentSince(db())(key, 0)).toBe(432_100)
})

test('only what is of that subject, of its tenant and of the period counts', async () => {
  await add({ charged_micro_usd: 1, at: 999 })
  await add({ charged_micro_usd: 10, at: 1000 })
  await add({ charged_micro_usd: 100, key_id: 'other', team: 'web', user_hash: 'u', model: 'big' })
  await add({ charged_micro_usd: 1000, tenant: 'other', key_id: 'k2', team: 'web', user_hash: 'v', model: 'big' })
  const spent = createSpentSince(db())
  const asked = await Promise.all([
    spent(key, 1000),
    spent(subject('web', {}, 'team'), 0),
    spent(subject('u', {}, 'user'), 0),
    spent({ ...subject('big', {}, 'model'), tenant: undefined }, 0),
    spent(subject('nobody', {}), 0),
  ])
  expect(asked).toEqual([10, 100, 100, 1100, 0])
})

test('a thousand keys that come at once are a few statements', async () => {
  const spent = createSpentSince(db())
  for (let i = 0; i < 1000; i++) await add({ key_id: `k${i}`, charged_micro_usd: i })
  let statements = 0
  const executor = db().getExecutor()
  const original = executor.executeQuery.bind(executor)
  executor.executeQuery = (query, ...rest) => {
    statements++
    return original(query, ...rest)
  }
  const all = await Promise.all(Array.from({ length: 1000 }, (_, i) => spent(subject(`k${i}`, {}), 0)))
  expect(all).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  expect(statements).toBe(2)
})

test('a ledger keeps what stands for it', async () => {
  const id = await readLedgerId(db())
  expect(id).toMatch(/^ledger_/)
  await migrate(connection, gatewayMigrations)
  expect(await readLedgerId(db())).toBe(id)
})
