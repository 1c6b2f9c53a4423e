import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Connection, connectSqlite, type Db } from '../db/connect.ts'
import { migrate } from '../db/migrate.ts'
import { appendAudit, type AuditEntry } from './log.ts'
import { listAudit } from './read.ts'
import { auditMigrations, type AuditTables } from './tables.ts'
import { verifyAudit } from './verify.ts'

let connection: Connection
let db: Db<AuditTables>
beforeEach(async () => {
  connection = connectSqlite(':memory:')
  await migrate(connection, auditMigrations)
  db = connection.as<AuditTables>()
})
afterEach(() => connection.close())

const entry = (n: number): AuditEntry => ({
  tenant: n % 2 === 0 ? 'default' : 'other',
  at: 1000 + n,
  actor: 'agent',
  kind: 'tool.call',
  subject: `inc_${n}`,
  body: { tool: 'query_series', n },
})

async function write(count: number): Promise<void> {
  for (let n = 1; n <= count; n += 2)
    await db.transaction().execute((trx) => appendAudit(trx, [entry(n), entry(n + 1)].slice(0, count - n + 1)))
}

test('an untouched log is whole, however long, and an empty one too', async () => {
  expect(await verifyAudit(db)).toMatchObject({ kind: 'whole', entries: 0 })
  await write(1203)
  expect(await verifyAudit(db)).toMatchObject({ kind: 'whole', entries: 1203 })
})

describe('any edit is found', () => {
  const columns = { tenant: 'x', at: 5, actor: 'x', kind: 'x', subject: 'x', body: '{}', previous_hash: 'x', hash: 'x' }
  test.each(Object.entries(columns))('of %s', async (column, value) => {
    await write(7)
    await db
      .updateTable('audit_log')
      .set({ [column]: value })
      .where('seq', '=', 4)
      .execute()
    expect(await verifyAudit(db)).toMatchObject({ kind: 'broken' })
  })

  test.each([1, 4, 7])('the removal of entry %i', async (seq) => {
    await write(7)
    await db.deleteFrom('audit_log').where('seq', '=', seq).execute()
    expect(await verifyAudit(db)).toMatchObject({ kind: 'broken', seq })
  })

  test('an entry that was put behind the end', async () => {
    await write(3)
    const last = await db.selectFrom('audit_log').selectAll().where('seq', '=', 3).executeTakeFirstOrThrow()
    await db
      .insertInto('audit_log')
      .values({ ...last, seq: 4, previous_hash: last.hash, hash: 'h' })
      .execute()
    expect(await verifyAudit(db)).toMatchObject({ kind: 'broken', seq: 4 })
  })

  test.each([4, 9, 0, -1])(
    'an entry that was put outside as number %i, whatever it says that it follows on',
    async (seq) => {
      await write(3)
      const last = await db.selectFrom('audit_log').selectAll().where('seq', '=', 3).executeTakeFirstOrThrow()
      await db
        .insertInto('audit_log')
        .values({ ...last, seq })
        .execute()
      expect(await verifyAudit(db)).toMatchObject({ kind: 'broken', seq })
    },
  )

  test('a whole new log in its place, by a head that was kept elsewhere', async () => {
    await write(3)
    const before = await verifyAudit(db)
    const head = before.kind === 'whole' ? before.head : ''
    await write(2)
    expect(await verifyAudit(db, head)).toMatchObject({ kind: 'whole', entries: 5 })
    await db.deleteFrom('audit_log').execute()
    await db
      .updateTable('audit_head')
      .set({ seq: 0, hash: '0'.repeat(64) })
      .execute()
    await write(5)
    expect(await verifyAudit(db)).toMatchObject({ kind: 'whole' })
    await db.deleteFrom('audit_log').execute()
    await db
      .updateTable('audit_head')
      .set({ seq: 0, hash: '0'.repeat(64) })
      .execute()
    await db.transaction().execute((trx) => appendAudit(trx, [entry(9)]))
    expect(await verifyAudit(db, head)).toMatchObject({ kind: 'broken' })
  })
})

test('an entry is there exactly when its transaction is', async () => {
  await write(2)
  const failing = db.transaction().execute(async (trx) => {
    await appendAudit(trx, [entry(3)])
    throw new Error('the rest failed')
  })
  await expect(failing).rejects.toThrow('the rest failed')
  await write(2)
  expect(await verifyAudit(db)).toMatchObject({ kind: 'whole', entries: 4 })
})

test('writers side by side leave one chain', async () => {
  await Promise.all(
    Array.from({ length: 20 }, (_, n) => db.transaction().execute((trx) => appendAudit(trx, [entry(n)]))),
  )
  expect(await verifyAudit(db)).toMatchObject({ kind: 'whole', entries: 20 })
})

test('one tenant reads its own entries alone, newest first', async () => {
  await write(6)
  const seen = await listAudit(db, { tenant: 'default', limit: 2 })
  expect(seen.map(({ subject }) => subject)).toEqual(['inc_6', 'inc_4'])
  expect(await listAudit(db, { tenant: 'default', limit: 9, subject: 'inc_3' })).toEqual([])
  expect(await listAudit(db, { tenant: 'default', limit: 9, before: 4, kind: 'tool.call' })).toHaveLength(1)
})
