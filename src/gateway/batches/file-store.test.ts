import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LOCAL_CALLER } from '../../core/caller.ts'
import { systemClock } from '../../core/clock.ts'
import { type Connection, connectSqlite } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { queueMigrations } from '../../db/queue.ts'
import type { FileRoomOptions } from './file-room.ts'
import { FileStore } from './file-store.ts'
import { batchMigrations, type BatchTables } from './tables.ts'

const MIB = 1024 ** 2
const BLOCK = Buffer.alloc(MIB, 'x')
const { tenant } = LOCAL_CALLER

let connection: Connection
let folder: string

beforeEach(async () => {
  connection = connectSqlite(':memory:')
  await migrate(connection, [...queueMigrations, ...batchMigrations])
  folder = mkdtempSync(join(tmpdir(), 'midwatch-files-'))
})

afterEach(async () => {
  await connection.close()
  rmSync(folder, { recursive: true, force: true })
})

const storeWith = (room: Partial<FileRoomOptions>) =>
  new FileStore({ db: connection.as<BatchTables>(), folder, clock: systemClock, room })

/** So many MiB, of which the first is there at once and the others when the gate opens. */
async function* upload(mebibytes: number, gate: Promise<void> = Promise.resolve()) {
  for (let i = 0; i < mebibytes; i++) {
    if (i === 1) await gate
    yield BLOCK
  }
}

const draft = (store: FileStore, mebibytes: number, gate?: Promise<void>) =>
  store.draft(tenant, upload(mebibytes, gate), 100 * MIB)
const keep = { caller: LOCAL_CALLER, filename: 'x', expiresAt: null }
const codeOf = (settled: PromiseSettledResult<unknown>) =>
  settled.status === 'fulfilled' ? 'kept' : (settled.reason as { code?: string }).code

test('uploads that come at once have together no more room than their tenant', async () => {
  const store = storeWith({ maxTenantBytes: 10 * MIB, freeBytes: async () => 1e12 })
  const gate = Promise.withResolvers<void>()
  const uploads = Array.from({ length: 6 }, () => draft(store, 4, gate.promise))
  gate.resolve()
  const settled = await Promise.allSettled(uploads)
  const held = readdirSync(folder).length
  expect(settled.map(codeOf).filter((code) => code === 'too_large')).not.toHaveLength(0)
  expect(held * 4).toBeLessThanOrEqual(10)
  for (const one of settled) if (one.status === 'fulfilled') await one.value.keep(keep)
  expect((await store.list(tenant, { limit: 10, order: 'asc' })).length).toBe(held)
})

test('what an upload had taken is free again when it is given up, breaks off, is refused or deleted', async () => {
  const store = storeWith({ maxTenantBytes: 8 * MIB, freeBytes: async () => 1e12 })
  await (await draft(store, 8)).discard()
  await expect(draft(store, 9)).rejects.toMatchObject({ code: 'too_large' })
  const broken = async function* () {
    yield* upload(5)
    throw new Error('the client is gone')
  }
  await expect(store.draft(tenant, broken(), 100 * MIB)).rejects.toThrow('the client is gone')
  expect(readdirSync(folder)).toEqual([])
  const { id } = await (await draft(store, 8)).keep(keep)
  await expect(draft(store, 1)).rejects.toMatchObject({ code: 'too_large' })
  await store.delete(tenant, id)
  expect((await draft(store, 8)).bytes).toBe(8 * MIB)
})

test('another tenant has its own room', async () => {
  const store = storeWith({ maxTenantBytes: 4 * MIB, freeBytes: async () => 1e12 })
  await draft(store, 4)
  await store.draft('other', upload(4), 100 * MIB)
  await expect(store.draft('third', upload(5), 100 * MIB)).rejects.toMatchObject({ code: 'too_large' })
})

test('uploads leave the disk the space that is to stay free, however many come at once', async () => {
  const disk = 100 * MIB
  let written = 0
  const store = storeWith({ floorBytes: 90 * MIB, freeBytes: async () => disk - written })
  const gate = Promise.withResolvers<void>()
  const counted = async function* () {
    for await (const block of upload(4, gate.promise)) {
      yield block
      written += block.length
    }
  }
  const uploads = ['a', 'b', 'c', 'd', 'e'].map((name) => store.draft(name, counted(), 100 * MIB))
  gate.resolve()
  const codes = (await Promise.allSettled(uploads)).map(codeOf)
  expect(codes).toContain('storage_full')
  expect(written).toBeLessThanOrEqual(10 * MIB)
})
