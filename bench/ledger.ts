// What the ledger costs a request: processor time of the main thread, and of the whole process with the thread that
// imports. `node bench/ledger.ts [requests] [requests a second]`; without a rate, as fast as it goes.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import { systemClock } from '../src/core/clock.ts'
import { newId } from '../src/core/ids.ts'
import { connectSqlite } from '../src/db/connect.ts'
import { migrate } from '../src/db/migrate.ts'
import { createLedger } from '../src/gateway/ledger/ledger.ts'
import { decision, ledgerRow, servedRow } from '../src/gateway/ledger/testing/rows.ts'
import { encodeDecision } from '../src/gateway/decision.ts'
import { gatewayMigrations, type LedgerRow } from '../src/gateway/tables.ts'
import { createLog } from '../src/observe/log.ts'
import { createMetrics } from '../src/observe/metrics.ts'

const REQUESTS = Number(process.argv[2] ?? 50_000)
const PER_SECOND = Number(process.argv[3] ?? 0)
/** Requests under way at once. */
const AT_ONCE = 32

const folder = mkdtempSync(join(tmpdir(), 'midwatch-bench-'))
const file = join(folder, 'midwatch.db')
const connection = connectSqlite(file)
await migrate(connection, gatewayMigrations)
await connection.close()
const ledger = createLedger({
  folder: join(folder, 'ledger'),
  database: { file },
  sync: 'background',
  metrics: createMetrics({ process: false }),
  clock: systemClock,
  log: createLog({ level: 'warn' }),
})

const opened = (): LedgerRow => {
  const id = newId('llm')
  return ledgerRow(id, { request_id: newId('req'), key_id: 'key_01JD8XKQ5T0000000000000000', at: Date.now() })
}

/** `settle` is the whole of the ledger's part; without it, the making of rows alone. */
async function run(count: number, write: boolean): Promise<void> {
  const fromMs = performance.now()
  for (let done = 0; done < count; done += AT_ONCE) {
    const rows = Array.from({ length: AT_ONCE }, opened)
    if (write) for (const row of rows) ledger.open(row)
    await nextTurn()
    for (const row of rows) {
      const settled = { ...row, ...servedRow, decision: encodeDecision(decision) }
      if (write) void ledger.settle(settled)
    }
    const aheadMs = PER_SECOND === 0 ? 0 : (done / PER_SECOND) * 1000 - (performance.now() - fromMs)
    if (aheadMs > 0) await wait(aheadMs)
  }
  if (write) await ledger.flush()
}

async function measured(count: number, write: boolean): Promise<{ main: number; whole: number }> {
  const thread = process.threadCpuUsage()
  const whole = process.cpuUsage()
  await run(count, write)
  const threadUsed = process.threadCpuUsage(thread)
  const wholeUsed = process.cpuUsage(whole)
  return { main: (threadUsed.user + threadUsed.system) / count, whole: (wholeUsed.user + wholeUsed.system) / count }
}

await run(2_000, true)
await measured(REQUESTS / 4, false)
const empty = await measured(REQUESTS, false)
const full = await measured(REQUESTS, true)
await ledger.stop()
rmSync(folder, { recursive: true, force: true })

const micros = (value: number): string => `${value.toFixed(1)} us`
console.log(`${REQUESTS} requests${PER_SECOND === 0 ? '' : ` at ${PER_SECOND} a second`}, open and settle each:`)
console.log(`  main thread   ${micros(full.main - empty.main)} a request`)
console.log(`  whole process ${micros(full.whole - empty.whole)} a request, with the import into the database`)
console.log(`  (not counted: ${micros(empty.main)} for making the rows)`)
