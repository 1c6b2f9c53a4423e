import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { connectSqlite } from './connect.ts'
import { sql } from 'kysely'
import { checkWritable, writeCheckMigrations, type WriteCheckTables } from './write-check.ts'
import { lockFolder } from './lock.ts'
import { migrate, type Migration } from './migrate.ts'
import { tempFolder } from '../../test/temp.ts'

interface Tables {
  things: { id: string; n: number }
}

const things: Migration = {
  name: '2026-01-01-things',
  up: (db) =>
    db.schema
      .createTable('things')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('n', 'integer')
      .execute(),
}

const file = () => join(tempFolder(), 'nested/folder/x.db')

it('applies each migration once, in order of name, whatever order they are given in', async () => {
  const order: string[] = []
  const step = (name: string): Migration => ({ name, up: async () => void order.push(name) })
  const connection = connectSqlite(':memory:')
  expect(await migrate(connection, [step('b'), step('a')])).toEqual(['a', 'b'])
  expect(await migrate(connection, [step('c'), step('a'), step('b')])).toEqual(['c'])
  expect(order).toEqual(['a', 'b', 'c'])
  await connection.close()
})

it('leaves nothing of a migration that failed', async () => {
  const connection = connectSqlite(':memory:')
  const broken: Migration = {
    name: '2026-01-02-broken',
    up: async (db) => {
      await db.schema.createTable('half').addColumn('id', 'text').execute()
      throw new Error('no')
    },
  }
  await expect(migrate(connection, [things, broken])).rejects.toThrow('no')
  const tables = await connection.as<Tables>().introspection.getTables()
  expect(tables.map((table) => table.name).sort()).toEqual(['migrations', 'things'])
  await connection.close()
})

it('says why a transaction failed, also where it was ended by the full disk itself', async () => {
  const connection = connectSqlite(':memory:')
  await migrate(connection, [things])
  const db = connection.as<Tables>()
  await sql`pragma max_page_count = 10`.execute(db)
  const tooMuch = db.transaction().execute(async (trx) => {
    for (let n = 0; n < 100; n++)
      await trx
        .insertInto('things')
        .values({ id: `${n}${'x'.repeat(1000)}`, n })
        .execute()
  })
  await expect(tooMuch).rejects.toThrow(/full/)
  expect(await db.selectFrom('things').select('id').execute()).toEqual([])
  await connection.close()
})

it('refuses a database that a newer version has written', async () => {
  const connection = connectSqlite(':memory:')
  await migrate(connection, [things])
  await expect(migrate(connection, [])).rejects.toThrow(/newer Midwatch.*2026-01-01-things/)
  await connection.close()
})

it('keeps what was committed and forgets what was rolled back', async () => {
  const path = file()
  const first = connectSqlite(path)
  await migrate(first, [things])
  const db = first.as<Tables>()
  await db.insertInto('things').values({ id: 'kept', n: 1 }).execute()
  await db
    .transaction()
    .execute(async (trx) => {
      await trx.insertInto('things').values({ id: 'lost', n: 2 }).execute()
      throw new Error('back')
    })
    .catch(() => undefined)
  await first.close()
  const second = connectSqlite(path)
  expect(await second.as<Tables>().selectFrom('things').selectAll().execute()).toEqual([{ id: 'kept', n: 1 }])
  await second.close()
})

it('lets two connections write to one file in turn', async () => {
  const path = file()
  const [a, b] = [connectSqlite(path), connectSqlite(path)]
  await migrate(a, [things])
  const raise = (connection: typeof a) =>
    connection
      .as<Tables>()
      .transaction()
      .execute(async (trx) => {
        const row = await trx.selectFrom('things').select('n').where('id', '=', 'x').executeTakeFirst()
        await trx
          .insertInto('things')
          .values({ id: 'x', n: 1 })
          .onConflict((c) => c.column('id').doUpdateSet({ n: (row?.n ?? 0) + 1 }))
          .execute()
      })
  for (let i = 0; i < 20; i++) {
    await raise(a)
    await raise(b)
  }
  expect(await a.as<Tables>().selectFrom('things').select('n').executeTakeFirst()).toEqual({ n: 40 })
  await Promise.all([a.close(), b.close()])
})

it('gives a data folder to one process at a time, and to the next once the first let go', () => {
  const folder = join(tempFolder(), 'data')
  const first = lockFolder(folder)
  expect(() => lockFolder(folder)).toThrow(/Another Midwatch uses the data folder/)
  first.release()
  lockFolder(folder).release()
})

it('says that a data folder cannot be used where no other process is to blame', () => {
  const [damaged, blocked] = [tempFolder(), tempFolder()]
  writeFileSync(join(damaged, 'lock.db'), 'x'.repeat(5000))
  mkdirSync(join(blocked, 'lock.db'))
  for (const each of [damaged, blocked]) {
    expect(() => lockFolder(each)).toThrow(`The data folder ${each} cannot be used. Choose another with --data.`)
  }
})

it('waits for another process that has the file for itself while it opens', async () => {
  const path = join(tempFolder(), 'x.db')
  new DatabaseSync(path).exec('create table t (n)')
  const holder = new Worker(
    `const { DatabaseSync } = require('node:sqlite')
     const { parentPort, workerData } = require('node:worker_threads')
     const db = new DatabaseSync(workerData)
     db.exec('begin exclusive')
     parentPort.postMessage('held')
     setTimeout(() => db.exec('commit'), 300)`,
    { eval: true, workerData: path },
  )
  await new Promise((resolve) => holder.once('message', resolve))
  await connectSqlite(path).close()
  await holder.terminate()
})

it('knows a database that can be read but not written', async () => {
  const path = file()
  const connection = connectSqlite(path)
  await migrate(connection, writeCheckMigrations)
  const db = connection.as<WriteCheckTables>()
  await checkWritable(db, 1)
  await checkWritable(db, 2)
  expect(await db.selectFrom('write_checks').selectAll().execute()).toEqual([{ id: 1, at: 2 }])
  await sql`pragma query_only = on`.execute(db)
  await expect(checkWritable(db, 3)).rejects.toThrow(/readonly|read-only|query_only/i)
  await connection.close()
})

it('is closed also when nobody ever asked it anything', async () => {
  const connection = connectSqlite(file())
  await connection.close()
  await expect(connection.as<Tables>().selectFrom('things').selectAll().execute()).rejects.toThrow(/not open/)
})

it('waits for what another process writes, and stops nothing else meanwhile', async () => {
  const path = file()
  const connection = connectSqlite(path)
  await migrate(connection, [things])
  const other = new DatabaseSync(path)
  other.exec('begin immediate')
  const db = connection.as<Tables>()
  const written = db.transaction().execute((trx) => trx.insertInto('things').values({ id: 'a', n: 1 }).execute())
  // In this very thread: it would never come to this if the query held the thread.
  await new Promise((resolve) => setTimeout(resolve, 100))
  other.exec('commit')
  other.close()
  await written
  expect(await db.selectFrom('things').selectAll().execute()).toHaveLength(1)
  await connection.close()
})
