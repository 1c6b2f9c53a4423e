// What the gateway stands on fails while it serves: the database is locked, then lost; the disk is full. Whom it knows it
// goes on serving; what it cannot know or cannot write down it says so, before a provider is asked; and afterwards the
// ledger is whole.
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { answers } from '../faults/behaviours.ts'
import { type FaultServer, startFaultServer } from '../faults/fault-server.ts'
import { type GatewayProcess, prepareGateway } from '../faults/midwatch.ts'
import { tempFolder } from '../temp.ts'

let arrived: string[]
let upstream: FaultServer
let midwatch: GatewayProcess | undefined
let asked = 0

beforeEach(async () => {
  arrived = []
  upstream = await startFaultServer(() => async (call) => {
    arrived.push(call.requestId)
    await answers()(call)
  })
})

afterEach(async () => {
  await midwatch?.stop()
  midwatch?.clean()
  await upstream.stop()
})

async function startMidwatch(
  dataFolder?: string,
): Promise<{ readonly midwatch: GatewayProcess; readonly key: string }> {
  const baseUrl = `http://127.0.0.1:${upstream.port}/v1`
  const target = { provider: 'upstream', model: 'm', price: { inputUsd: 1, outputUsd: 1 } }
  midwatch = await prepareGateway({
    dataFolder,
    config: { providers: { upstream: { kind: 'openai', baseUrl } }, models: { fast: { targets: [target] } } },
  })
  const key = await midwatch.createKey(['llm:chat'], { concurrency: 50, budgetUsd: { per: 'day', amount: 100 } })
  await midwatch.start()
  return { midwatch, key }
}

/** The status of one call. */
async function ask({ url }: GatewayProcess, key: string): Promise<number> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'x-request-id': `failing-${++asked}` },
    body: JSON.stringify({ model: 'fast', stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
  })
  await response.text()
  return response.status
}

const askMany = (midwatch: GatewayProcess, key: string, count: number): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, () => ask(midwatch, key)))

const STRANGER = `mw_${'7'.repeat(43)}`

/** Every call that reached the provider has one row, and it tells how it ended. */
function expectWholeLedger(midwatch: GatewayProcess): void {
  const all = midwatch.rows()
  const ids = all.filter(({ outcome }) => outcome === 'served').map(({ request_id: id }) => id)
  expect(ids.sort()).toEqual([...arrived].sort())
  expect(all.filter(({ outcome }) => outcome === null)).toEqual([])
}

test('a database that is locked for long keeps nobody waiting, and has every row afterwards', async () => {
  const { midwatch, key } = await startMidwatch()
  const fresh = await midwatch.createKey(['llm:chat'])
  // What was spent of a budget has to be known before; who a key is can be learnt meanwhile, and when it was used waits.
  expect(await ask(midwatch, key)).toBe(200)
  const other = new DatabaseSync(join(midwatch.dataFolder, 'midwatch.db'))
  other.exec('begin immediate')
  const untilMs = performance.now() + 4_000
  while (performance.now() < untilMs) {
    const statuses = [...(await askMany(midwatch, key, 10)), ...(await askMany(midwatch, fresh, 2))]
    expect(new Set(statuses)).toEqual(new Set([200]))
  }
  other.exec('rollback')
  other.close()
  expect(await ask(midwatch, STRANGER)).toBe(401)
  await midwatch.stop()
  expect(arrived.length).toBeGreaterThan(20)
  expectWholeLedger(midwatch)
})

test('without its database it serves the keys that it knows, tells strangers 503, and finds every row again', async () => {
  const { midwatch, key } = await startMidwatch()
  expect(new Set(await askMany(midwatch, key, 20))).toEqual(new Set([200]))
  expect(await ask(midwatch, STRANGER)).toBe(401)
  const file = join(midwatch.dataFolder, 'midwatch.db')
  const copy = join(midwatch.dataFolder, 'copy.db')
  const other = new DatabaseSync(file)
  const stored = () =>
    (other.prepare('select count(*) as n from ledger where outcome is not null').get() as { n: number }).n
  await expect.poll(stored, { timeout: 10_000 }).toBe(20)
  other.exec(`vacuum into '${copy}'`)
  other.close()

  // Nothing of it can be read any more: neither the file, nor what is written ahead, nor the index of that.
  const size = readFileSync(file).length
  writeFileSync(`${file}-wal`, '')
  writeFileSync(file, Buffer.alloc(size, 0x5a), { flag: 'r+' })
  writeFileSync(`${file}-shm`, Buffer.alloc(136, 0x5a), { flag: 'r+' })

  const again = await askMany(midwatch, key, 30)
  expect(new Set(again)).toEqual(new Set([200]))
  const before = arrived.length
  expect(await ask(midwatch, `mw_${'8'.repeat(43)}`)).toBe(503)
  expect(arrived).toHaveLength(before)
  expect((await fetch(`${midwatch.url}/ready`)).status).toBe(503)
  expect((await fetch(`${midwatch.url}/health`)).status).toBe(200)

  await midwatch.kill()
  writeFileSync(file, readFileSync(copy))
  for (const end of ['-wal', '-shm']) rmSync(`${file}${end}`, { force: true })
  await midwatch.start()
  expect(await ask(midwatch, key)).toBe(200)
  await midwatch.stop()
  expectWholeLedger(midwatch)
})

test('on a full disk calls are refused before a provider is asked, and taken again when there is room', async ({
  skip,
}) => {
  const disk = join(tempFolder(), 'disk')
  mkdirSync(disk)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk]).status !== 0)
    skip('SKIPPED: a disk to be filled can only be mounted by root')
  try {
    const { midwatch, key } = await startMidwatch(disk)
    expect(new Set(await askMany(midwatch, key, 20))).toEqual(new Set([200]))
    fill(join(disk, 'filler'))
    await expect.poll(() => ask(midwatch, key), { interval: 1, timeout: 20_000 }).toBe(503)
    const before = arrived.length
    expect(new Set(await askMany(midwatch, key, 50))).toEqual(new Set([503]))
    expect(arrived).toHaveLength(before)
    rmSync(join(disk, 'filler'))
    await expect.poll(() => ask(midwatch, key), { timeout: 20_000 }).toBe(200)
    expect(new Set(await askMany(midwatch, key, 20))).toEqual(new Set([200]))
    await midwatch.stop()
    expectWholeLedger(midwatch)
  } finally {
    await midwatch?.kill()
    spawnSync('umount', [disk])
  }
})

/** To the last byte. */
function fill(file: string): void {
  for (const size of [1 << 16, 4096, 1]) {
    try {
      for (;;) appendFileSync(file, Buffer.alloc(size))
    } catch {
      // Not even that fits any more.
    }
  }
}
