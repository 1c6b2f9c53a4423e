import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { tempFolder } from '../../../test/temp.ts'
import { ManualClock } from '../../core/clock.ts'
import { type Connection, connectSqlite } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { silentLog } from '../../observe/log.ts'
import { createMetrics } from '../../observe/metrics.ts'
import { type GatewayTables, gatewayMigrations, type LedgerRow } from '../tables.ts'
import { Importer, type ImportNews } from './importer.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { frameLine, LINE_COLUMNS, MAX_LINE_BYTES, readLine, readValues, rowLine, startLine } from './line.ts'
import { nameSegment } from './segments.ts'
import { decisionText, ledgerRow as row, servedRow } from './testing/rows.ts'

const lineOf = (...of: Parameters<typeof rowLine>): string => frameLine(rowLine(...of)).toString()
const START = frameLine(startLine()).toString()

let connection: Connection
const db = () => connection.as<GatewayTables>()

beforeEach(async () => {
  connection = connectSqlite(':memory:')
  await migrate(connection, gatewayMigrations)
})

afterEach(() => connection.close())

const stored = () => db().selectFrom('ledger').selectAll().orderBy('id').execute()

async function forget(): Promise<void> {
  await db().deleteFrom('ledger').execute()
  await db().deleteFrom('ledger_journal').execute()
}

/** Imports these files, each as if a process had died while it wrote it. */
async function importFiles(folder: string, ...files: readonly (string | Uint8Array)[]): Promise<ImportNews[]> {
  for (const [at, bytes] of files.entries()) writeFileSync(nameSegment(folder, at * 1_000).path, bytes)
  const news: ImportNews[] = []
  const importer = new Importer({ folder, db: db(), tell: (one) => news.push(one) })
  await importer.pass(true)
  importer.close()
  expect(readdirSync(folder).filter((name) => name.endsWith('.journal'))).toEqual([])
  return news
}

const died = (one: LedgerRow): LedgerRow => ({
  ...one,
  outcome: 'failed',
  status: 500,
  usage_source: 'unknown',
  error_code: 'unknown',
})

const one = row('1', { model: 'größer 🦉', request_id: 'a\nb\tc\u2028"' })
const oneServed: LedgerRow = { ...one, ...servedRow, decision: '{"a":"\\n"}' }
const two = row('2')
const refused = row('3', { outcome: 'refused', status: 429 })
/** What each line of the journal makes of its row, were it the last. */
const STORY: readonly { readonly line: string; readonly row: LedgerRow }[] = [
  { line: lineOf('open', one), row: died(one) },
  { line: lineOf('open', two), row: died(two) },
  { line: lineOf('settle', oneServed), row: oneServed },
  { line: lineOf('settle', refused), row: refused },
]
const JOURNAL = Buffer.from(START + STORY.map(({ line }) => line).join(''))

/** The rows after those lines alone took effect, in the order of their ids. */
const rowsAfter = (lines: readonly (typeof STORY)[number][]): LedgerRow[] =>
  [...new Map(lines.map(({ row }) => [row.id, row])).values()].sort((a, b) => (a.id < b.id ? -1 : 1))

test('a journal that ends at any byte is imported up to its last whole line, each row once', async () => {
  const folder = tempFolder()
  for (let length = 0; length <= JOURNAL.length; length++) {
    await forget()
    const news = await importFiles(folder, JOURNAL.subarray(0, length), START)
    let end = Buffer.byteLength(START)
    // The line break alone may be missing.
    const whole = STORY.filter(({ line }) => (end += Buffer.byteLength(line)) - 1 <= length)
    expect(await stored(), `cut at ${length}`).toEqual(rowsAfter(whole))
    const damaged = news.some(({ kind }) => kind === 'damaged')
    const text = JOURNAL.subarray(0, length).toString()
    expect(damaged, `cut at ${length}`).toBe(
      ![START, ...STORY.map(({ line }) => line)].some(
        (line) => text.endsWith(line) || text.endsWith(line.slice(0, -1)),
      ) && length > 0,
    )
  }
}, 120_000)

test('a journal with any one byte damaged loses at most the lines that have it, and tells nothing untrue', async () => {
  const lines = [START, ...STORY.map(({ line }) => line)].map((line) => Buffer.byteLength(line))
  const folder = tempFolder()
  for (let at = 0; at < JOURNAL.length; at++) {
    await forget()
    const bytes = Buffer.from(JOURNAL)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
    const news = await importFiles(folder, bytes, START)
    let end = 0
    const spared = lines.map((length) => {
      const from = end
      end += length
      // A line break that is damaged takes the next line along.
      return at < from - 1 || at >= end
    })
    expect(await stored(), `damaged at ${at}`).toEqual(rowsAfter(STORY.filter((_, line) => spared[line + 1])))
    expect(news.some(({ kind }) => kind === 'damaged')).toBe(true)
  }
}, 120_000)

test('zeros and blocks of nonsense, as a power cut leaves them, are passed over', async () => {
  const lines = Buffer.from(lineOf('open', one))
  const news = await importFiles(
    tempFolder(),
    Buffer.concat([lines, Buffer.alloc(10_000)]),
    Buffer.concat([Buffer.alloc(3 * MAX_LINE_BYTES, 'x'), Buffer.from('\n'), Buffer.from(lineOf('settle', refused))]),
  )
  expect(await stored()).toEqual([one, refused])
  expect(news.filter(({ kind }) => kind === 'damaged').length).toBeGreaterThan(1)
})

test('a row comes out of its line as it went in, whatever is in it, and no line is too long to be read', () => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 500 }), fc.constant('\u0001'.repeat(500)))
  const textOrNull = fc.option(text)
  const count = fc.option(fc.nat())
  const rows = fc.record<LedgerRow>({
    id: fc.stringMatching(/^llm_[0-9A-Z]{26}$/),
    tenant: text,
    key_id: text,
    team: textOrNull,
    user_hash: textOrNull,
    charged_micro_usd: fc.option(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })),
    request_id: text,
    at: fc.nat(Number.MAX_SAFE_INTEGER),
    model: text,
    endpoint: text,
    purpose: textOrNull,
    provider: textOrNull,
    provider_model: textOrNull,
    status: count,
    outcome: fc.constantFrom('served', 'refused', 'failed', 'abandoned', null),
    attempts: fc.nat(),
    input_tokens: count,
    cached_tokens: count,
    cache_write_tokens: count,
    cache_write_1h_tokens: count,
    output_tokens: count,
    reasoning_tokens: count,
    usage_source: fc.constantFrom('measured', 'estimated', 'unknown'),
    cost_micro_usd: fc.option(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })),
    cost_source: fc.constantFrom('price-list', 'config', null),
    cache: fc.constantFrom('hit', 'miss', 'off', 'shared', null),
    duration_ms: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true })),
    ttft_ms: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true })),
    error_code: textOrNull,
    decision: fc.option(fc.json({ stringUnit: 'binary' })),
  })
  fc.assert(
    fc.property(rows, (row) => {
      const bytes = Buffer.from(lineOf('settle', row))
      expect(bytes.length).toBeLessThan(MAX_LINE_BYTES)
      expect(bytes.indexOf('\n')).toBe(bytes.length - 1)
      const line = readLine(bytes.subarray(0, -1))
      if (line.kind !== 'settle') throw new Error(`read as ${line.kind}`)
      const values = readValues(line.id, line.text)
      expect(Object.fromEntries(LINE_COLUMNS.map((column, at) => [column, values[at]]))).toEqual(row)
    }),
  )
})

test('what a stranger chooses cannot fill the disk: a long text is cut, and a decision without end left out', () => {
  const line = lineOf('settle', row('1', { model: 'm'.repeat(1e6), decision: `"${'d'.repeat(1e6)}"` }))
  expect(line.length).toBeLessThan(1_000)
  const read = readLine(Buffer.from(line.slice(0, -1)))
  expect(read.kind === 'settle' && readValues(read.id, read.text).at(-1)).toBe(null)
  // Set with line breaks, it still is one line.
  expect(lineOf('settle', row('1', { decision: '{\n"a":\n1}' })).indexOf('\n')).toBeGreaterThan(0)
  expect(lineOf('settle', row('1', { decision: '{\n"a":\n1}' })).split('\n')).toHaveLength(2)
})

test('a line that a newer Midwatch wrote is kept apart', async () => {
  const folder = tempFolder()
  const newer = lineOf('open', two).slice(9, -1).replace('o1', 'o7')
  const checksum = crc32(newer).toString(16).padStart(8, '0')
  writeFileSync(nameSegment(folder, 0).path, `${checksum} ${newer}\n${lineOf('open', one)}`)
  const importer = new Importer({ folder, db: db(), tell: () => undefined })
  await importer.pass(true)
  expect(readFileSync(join(folder, 'rejected'), 'utf8')).toMatch(/^2 7\[/)
  expect(await stored()).toEqual([one])
})

type Step =
  | { readonly kind: 'open' | 'settle' | 'again' | 'refuse'; readonly which: number }
  | { readonly kind: 'crash' | 'import' | 'break' | 'mend' | 'stop' }

test('whatever the order of opening, settling, dying and importing, every request has one row and it is finished', async () => {
  const shared = tempFolder()
  const which = fc.nat(5)
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('open'), which }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('settle', 'again', 'refuse'), which }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('crash', 'import', 'break', 'mend', 'stop') }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.constantFrom(1, 600, 1e6), async (steps, segmentBytes) => {
      const folder = mkdtempSync(join(shared, 'run-'))
      const file = join(folder, 'midwatch.db')
      const own = connectSqlite(file)
      await migrate(own, gatewayMigrations)
      /** A process: whose connection ends with it, in the midst of what it does. */
      const begin = (): { ledger: Ledger; clock: ManualClock; connection: Connection } => {
        const connection = connectSqlite(file)
        const clock = new ManualClock()
        const ledger = createLedger({
          folder: join(folder, 'ledger'),
          database: { db: connection.as<GatewayTables>() },
          sync: 'background',
          metrics: createMetrics({ process: false }),
          clock,
          log: silentLog(),
          segmentBytes,
          reserveBytes: 1,
        })
        return { ledger, clock, connection }
      }
      let now = begin()
      const expected = new Map<string, LedgerRow>()
      let underWay: LedgerRow[] = []
      let broken = false
      let count = 0
      const end = (at: number, ended: Partial<LedgerRow>, keep: boolean) => {
        const opened = underWay[at % Math.max(1, underWay.length)]
        if (!opened) return
        const last = { ...opened, ...ended, attempts: ++count }
        void now.ledger.settle(last)
        expected.set(last.id, last)
        if (!keep) underWay = underWay.filter((other) => other !== opened)
      }
      const setBroken = async (value: boolean) => {
        if (broken === value) return
        broken = value
        const [from, to] = value ? ['ledger_journal', 'gone'] : ['gone', 'ledger_journal']
        await now.connection.as().schema.alterTable(from).renameTo(to).execute()
      }
      const endProcess = async (inOrder: boolean) => {
        underWay = []
        if (inOrder) await now.ledger.stop()
        await now.connection.close()
        now = begin()
      }
      for (const one of steps) {
        switch (one.kind) {
          case 'open': {
            const opened = row(String(++count).padStart(4, '0'))
            now.ledger.open(opened)
            underWay.push(opened)
            expected.set(opened.id, died(opened))
            break
          }
          case 'settle':
            end(one.which, servedRow, false)
            break
          case 'again':
            end(one.which, { ...servedRow, decision: decisionText }, true)
            break
          case 'refuse':
            end(one.which, { outcome: 'refused', status: 429 }, false)
            break
          case 'crash':
            await endProcess(false)
            break
          case 'stop':
            await endProcess(true)
            break
          case 'import':
            if (!broken) await now.ledger.flush()
            else await now.clock.advance(500)
            break
          case 'break':
            await setBroken(true)
            break
          case 'mend':
            await setBroken(false)
        }
      }
      await setBroken(false)
      await endProcess(true)
      await now.ledger.flush()
      expect(await own.as<GatewayTables>().selectFrom('ledger').selectAll().orderBy('id').execute()).toEqual([
        ...expected.values(),
      ])
      await now.ledger.stop()
      await now.connection.close()
      await own.close()
      rmSync(folder, { recursive: true, force: true })
    }),
    { numRuns: 60 },
  )
}, 120_000)
