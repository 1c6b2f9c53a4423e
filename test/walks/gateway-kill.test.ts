// Promise 1 for model calls: Midwatch is killed again and again while it serves, and afterwards every request that a
// provider saw has exactly one row in the ledger, and none is left under way.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../lab/child.ts'
import { type Midwatch, prepareMidwatch } from '../../lab/midwatch.ts'
import { chunk, DONE, startUpstream, stream, type Upstream, usageChunk } from '../../src/gateway/testing/upstream.ts'

const KILLS = 5
const CALLERS = 8

const workDir = mkdtempSync(join(tmpdir(), 'midwatch-ledger-'))
let upstream: Upstream
let midwatch: Midwatch

beforeAll(async () => {
  upstream = await startUpstream(async ({ response }) => {
    for (const word of ['One', ' two', ' three']) {
      await stream(response, [chunk({ content: word })])
      await wait(Math.random() * 30)
    }
    await stream(response, [chunk({}, { finish_reason: 'stop' }), usageChunk(), DONE])
    response.end()
  })
  const targetFile = join(workDir, 'targets.json')
  writeFileSync(targetFile, '[]')
  midwatch = prepareMidwatch({
    workDir,
    port: await freePort(),
    modelProviderUrl: upstream.baseUrl,
    logsDir: workDir,
    targetFile,
    prometheusUrl: undefined,
    scrapeSeconds: 60,
    actions: [],
    onUnexpectedEnd: () => undefined,
  })
})

afterAll(async () => {
  await midwatch.stop()
  await upstream.stop()
  rmSync(workDir, { recursive: true, force: true })
})

let asked = 0
const whole = new Set<string>()

/** Asks until told to stop; what fails while Midwatch is down is asked again under a new id. */
async function caller(isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const id = `call-${++asked}`
    try {
      const response = await fetch(`${midwatch.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'x-request-id': id },
        body: JSON.stringify({ model: 'assistant', stream: true, messages: [{ role: 'user', content: 'Count' }] }),
      })
      if ((await response.text()).endsWith(DONE)) whole.add(id)
    } catch {
      await wait(20)
    }
  }
}

test('kill -9 under load leaves one finished row for every request that reached the provider', async () => {
  await midwatch.start()
  let over = false
  const callers = Array.from({ length: CALLERS }, () => caller(() => over))
  for (let kill = 0; kill < KILLS; kill++) {
    const before = upstream.asked.length
    await expect.poll(() => upstream.asked.length, { timeout: 30_000 }).toBeGreaterThan(before + CALLERS)
    await wait(Math.random() * 200)
    await midwatch.kill()
    await midwatch.start()
  }
  over = true
  await Promise.all(callers)
  await midwatch.stop()

  const database = new DatabaseSync(midwatch.databaseFile, { readOnly: true })
  const rows = database.prepare('select request_id, outcome, error_code from ledger').all() as {
    request_id: string
    outcome: string | null
    error_code: string | null
  }[]
  database.close()
  const reached = upstream.asked.map(({ request }) => String(request.headers['x-request-id'])).sort()
  expect(new Set(reached).size).toBe(reached.length)
  const recorded = new Map(rows.map((row) => [row.request_id, row]))
  expect(recorded.size, 'no request has two rows').toBe(rows.length)
  expect(reached.filter((id) => !recorded.has(id))).toEqual([])
  expect(rows.filter(({ outcome }) => outcome === null)).toEqual([])
  // Whoever saw the end of an answer finds it in the ledger as served, however soon the kill came.
  expect([...whole].filter((id) => recorded.get(id)?.outcome !== 'served')).toEqual([])
  expect(
    rows.some(({ error_code: code }) => code === 'unknown'),
    'the kills hit requests under way',
  ).toBe(true)
})
