// On a real disk that is really full: a small one in memory, which only root may make.
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { tempFolder } from '../../../test/temp.ts'
import { ManualClock } from '../../core/clock.ts'
import { connectSqlite } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { silentLog } from '../../observe/log.ts'
import { createMetrics } from '../../observe/metrics.ts'
import { type GatewayTables, gatewayMigrations } from '../tables.ts'
import { createLedger } from './ledger.ts'
import { decisionText, ledgerRow as row, servedRow } from './testing/rows.ts'

function mountSmallDisk(folder: string): boolean {
  mkdirSync(folder)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0
  if (mounted) onTestFinished(() => void spawnSync('umount', [folder]))
  return mounted
}

/** Fills the disk to its last byte. */
function fill(disk: string): void {
  for (const size of [1 << 16, 4096, 1]) {
    try {
      for (;;) appendFileSync(join(disk, 'filler'), Buffer.alloc(size))
    } catch {
      // Not even that fits any more.
    }
  }
}

async function startOnSmallDisk(skip: (why: string) => void) {
  const disk = join(tempFolder(), 'disk')
  if (!mountSmallDisk(disk)) skip('SKIPPED: a disk to be filled can only be mounted by root')
  const connection = connectSqlite(':memory:')
  await migrate(connection, gatewayMigrations)
  const db = connection.as<GatewayTables>()
  const clock = new ManualClock()
  const ledger = createLedger({
    folder: join(disk, 'ledger'),
    database: { db },
    sync: 'background',
    metrics: createMetrics({ process: false }),
    clock,
    log: silentLog(),
    reserveBytes: 1 << 18,
  })
  onTestFinished(async () => {
    await ledger.stop()
    await connection.close()
  })
  /** Lets in as many as there is room for. */
  const openMany = (prefix: string, count: number): string[] => {
    const opened: string[] = []
    try {
      for (let i = 0; i < count; i++) {
        ledger.open(row(`${prefix}${i}`))
        opened.push(`${prefix}${i}`)
      }
    } catch (error) {
      expect(error).toMatchObject({ code: 'unavailable', status: 503 })
    }
    return opened
  }
  const stored = async () => {
    await ledger.flush()
    return await db.selectFrom('ledger').select(['id', 'outcome']).execute()
  }
  return { disk, ledger, clock, openMany, stored }
}

test('a full disk lets no request in, keeps room for the ends of those let in, and is noticed to be free again', async ({
  skip,
}) => {
  const { disk, ledger, clock, openMany, stored } = await startOnSmallDisk(skip)
  const before = openMany('before', 100)
  fill(disk)
  const during = openMany('during', 1_000)
  // The last page of the file may have had room.
  expect(during.length).toBeLessThan(20)
  expect(ledger.trouble()).toContain('ENOSPC')
  for (const id of [...before, ...during]) void ledger.settle(row(id, { ...servedRow, decision: decisionText }))
  expect(() => ledger.open(row('refused'))).toThrow('was not sent')
  void ledger.settle(row('refused', { outcome: 'refused', status: 503 }))
  const ended = (await stored()).filter(({ outcome }) => outcome === 'served').map(({ id }) => id)
  expect(ended.sort()).toEqual([...before, ...during].sort())

  rmSync(join(disk, 'filler'))
  await clock.advance(1_000)
  // Without anybody who tries: a server that is not ready gets no calls.
  expect(ledger.trouble()).toBeUndefined()
  expect(openMany('after', 100)).toHaveLength(100)
})

test('an end that does not even fit into the reserve is kept, and written when there is room', async ({ skip }) => {
  const { disk, ledger, clock, openMany, stored } = await startOnSmallDisk(skip)
  const opened = openMany('', 250)
  expect(opened).toHaveLength(250)
  fill(disk)
  // Large ends: together more than twice the reserve.
  const decision = JSON.stringify('d'.repeat(2_000))
  for (const id of opened) expect(ledger.settle(row(id, { ...servedRow, decision }))).toBeUndefined()
  await expect(ledger.flush()).rejects.toMatchObject({ code: 'unavailable' })
  await clock.advance(5_000)
  await expect(ledger.flush()).rejects.toMatchObject({ code: 'unavailable' })
  rmSync(join(disk, 'filler'))
  await clock.advance(1_000)
  const rows = await stored()
  expect(rows).toHaveLength(250)
  expect(rows.every(({ outcome }) => outcome === 'served')).toBe(true)
})
