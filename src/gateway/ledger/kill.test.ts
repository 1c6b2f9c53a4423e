import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../test/temp.ts'
import { systemClock } from '../../core/clock.ts'
import { connectSqlite } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { silentLog } from '../../observe/log.ts'
import { createMetrics } from '../../observe/metrics.ts'
import { type GatewayTables, gatewayMigrations } from '../tables.ts'
import { createLedger } from './ledger.ts'

const KILLS = 5

test('kill -9 under load loses nothing that the ledger had taken, and leaves no request open', async () => {
  const folder = tempFolder()
  const file = join(folder, 'midwatch.db')
  const connection = connectSqlite(file)
  await migrate(connection, gatewayMigrations)
  const said = join(folder, 'said')
  const opened = new Set<string>()
  const settled = new Set<string>()
  for (let kill = 0; kill < KILLS; kill++) {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'testing/writer.ts'), folder, `run${kill}`], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const exited = once(child, 'exit')
    await expect.poll(() => existsSync(said), { timeout: 20_000 }).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 200))
    child.kill('SIGKILL')
    expect(await exited).toEqual([null, 'SIGKILL'])
    for (const line of readFileSync(said, 'utf8').split('\n').slice(0, -1)) {
      const [word, id = ''] = line.split(' ')
      if (word === 'open') opened.add(id)
      else settled.add(id)
    }
    rmSync(said)
  }
  expect(opened.size).toBeGreaterThan(KILLS * 20)

  const ledger = createLedger({
    folder: join(folder, 'ledger'),
    database: { file },
    sync: 'background',
    metrics: createMetrics({ process: false }),
    clock: systemClock,
    log: silentLog(),
  })
  // More than a moment's work was left behind: it may take longer than anybody waits for it.
  const flushed = () =>
    ledger.flush().then(
      () => true,
      () => false,
    )
  await expect.poll(flushed, { timeout: 60_000 }).toBe(true)
  await ledger.stop()
  const rows = await connection
    .as<GatewayTables>()
    .selectFrom('ledger')
    .select(['id', 'outcome', 'error_code'])
    .execute()
  await connection.close()
  const outcomes = new Map(rows.map(({ id, outcome }) => [id, outcome]))
  expect(outcomes.size).toBe(rows.length)
  expect([...opened].filter((id) => !outcomes.has(id))).toEqual([])
  expect([...settled].filter((id) => outcomes.get(id) !== 'served')).toEqual([])
  expect(rows.filter(({ outcome }) => outcome === null)).toEqual([])
  expect(rows.filter(({ error_code: code }) => code === 'unknown').length).toBeGreaterThan(KILLS)
  expect(readdirSync(join(folder, 'ledger')).sort()).toEqual(['reserve'])
}, 120_000)
