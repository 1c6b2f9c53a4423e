// Promise 1 for model calls: Midwatch is killed again and again while it serves, and afterwards every request that a
// provider saw has exactly one row in the ledger, and none is left under way.
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chunk, DONE, startUpstream, stream, type Upstream, usageChunk } from '../../src/gateway/testing/upstream.ts'
import { type GatewayProcess, prepareGateway } from '../faults/midwatch.ts'

const KILLS = 5
const CALLERS = 8

let upstream: Upstream
let midwatch: GatewayProcess
let key: string

beforeAll(async () => {
  upstream = await startUpstream(async ({ response }) => {
    for (const word of ['One', ' two', ' three']) {
      await stream(response, [chunk({ content: word })])
      await wait(Math.random() * 30)
    }
    await stream(response, [chunk({}, { finish_reason: 'stop' }), usageChunk(), DONE])
    response.end()
  })
  midwatch = await prepareGateway({
    config: {
      providers: { upstream: { kind: 'openai', baseUrl: upstream.baseUrl } },
      models: {
        assistant: {
          targets: [
            { provider: 'upstream', model: 'first', price: { inputUsd: 1, outputUsd: 2 } },
            { provider: 'upstream', model: 'second', price: { inputUsd: 1, outputUsd: 2 } },
          ],
          strategy: 'least-load',
          cache: { mode: 'exact' },
          coalesce: true,
        },
      },
      privacy: { pii: { action: 'pseudonymise' } },
    },
  })
  key = await midwatch.createKey(['llm:chat'], {
    concurrency: 100,
    tokensPerMinute: 10_000_000,
    budgetUsd: { per: 'day', amount: 1_000 },
  })
})

afterAll(async () => {
  await midwatch.stop()
  await upstream.stop()
  midwatch.clean()
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
        headers: { authorization: `Bearer ${key}`, 'x-request-id': id },
        body: JSON.stringify({
          model: 'assistant',
          stream: true,
          messages: [{ role: 'user', content: `Count for ${id}@example.com` }],
        }),
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

  const rows = midwatch.rows()
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
