// Random callers, random providers, everything turned on, a few thousand times: nothing crashes, hangs or grows, and what
// was reserved is free again. `FUZZ_SEED` has a run again.
import { expect, test } from 'vitest'
import { createRandom } from '../../lab/platform/random.ts'
import { answers } from '../faults/behaviours.ts'
import { startFaultServer } from '../faults/fault-server.ts'
import { type GatewayProcess, prepareGateway } from '../faults/midwatch.ts'
import { type Door, fuzz, type Met } from '../fuzz/callers.ts'
import { heldBytes } from '../fuzz/heap.ts'
import { malice } from '../fuzz/upstream.ts'

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_125)
const ROUNDS = 3
const CALLS_A_ROUND = 1_200
const AT_ONCE = 40
/** More than may be at once, so that it is no limit for the fuzz. */
const CONCURRENCY = 60
/** What a round may leave behind: codes that were compiled, sets of counters for the last minutes. */
const GROWTH_BYTES = 6 * 1024 * 1024

test('whatever callers and providers do, nothing crashes, hangs, leaks or stays reserved', async () => {
  const arrived = new Set<string>()
  const holding: (() => void)[] = []
  const upstream = await startFaultServer((model) =>
    model === 'held'
      ? async (call) => {
          await new Promise<void>((resolve) => holding.push(resolve))
          await answers()(call)
        }
      : malice((id) => arrived.add(id)),
  )
  const openai = (api: string) => ({
    kind: 'openai',
    baseUrl: `http://127.0.0.1:${upstream.port}/v1`,
    apiKey: 'k',
    api,
  })
  const model = (name: string, ...providers: string[]) => ({
    targets: providers.map((provider) => ({ provider, model: name, price: { inputUsd: 1, outputUsd: 2 } })),
    timeouts: { connectMs: 1_000, firstTokenMs: 400, idleMs: 400, totalMs: 3_000 },
    retries: { max: 1, backoffMs: 5 },
  })
  // Many of each kind, for breakers close the way to a target for a while.
  const models = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [
      [
        `one-${i}`,
        { ...model(`one-${i}`, 'chat', 'messages'), strategy: 'latency', hedge: { share: 0.2, afterMs: 50 } },
      ],
      [`two-${i}`, { ...model(`two-${i}`, 'responses', 'chat'), coalesce: true }],
      [`three-${i}`, { ...model(`three-${i}`, 'messages', 'responses'), cache: { mode: 'exact', ttlSeconds: 1 } }],
      [`four-${i}`, { ...model(`four-${i}`, 'chat'), retries: { max: 0 }, stream: { onCut: 'restart' } }],
    ]).flat(),
  ) as Record<string, object>
  const midwatch = await prepareGateway({
    nodeOptions: ['--inspect=127.0.0.1:0'],
    logLevel: 'error',
    config: {
      providers: {
        chat: openai('chat'),
        calm: openai('chat'),
        responses: openai('responses'),
        messages: { kind: 'anthropic', baseUrl: `http://127.0.0.1:${upstream.port}`, apiKey: 'k' },
      },
      models: {
        ...models,
        held: {
          targets: [{ provider: 'calm', model: 'held', price: { inputUsd: 1, outputUsd: 2 } }],
          timeouts: { firstTokenMs: 60_000 },
        },
      },
      privacy: { pii: { action: 'pseudonymise' }, anonymiseUserIds: true },
    },
  })
  try {
    const key = await midwatch.createKey(['llm:chat', 'llm:embed'], {
      concurrency: CONCURRENCY,
      tokensPerMinute: 1_000_000_000,
      budgetUsd: { per: 'day', amount: 1_000_000 },
    })
    await midwatch.start()
    const door: Door = { url: midwatch.url, key, models: Object.keys(models) }
    const met: Met = { statuses: new Map(), wrong: [] }
    const heldAfter: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      await inParallel(AT_ONCE, CALLS_A_ROUND, (call) => {
        const id = `fuzz-${round}-${call}`
        return fuzz(door, createRandom(SEED + round * CALLS_A_ROUND + call), id, met).catch(() => undefined)
      })
      await expect.poll(() => active(midwatch), { timeout: 20_000 }).toEqual([])
      heldAfter.push(await heldBytes(midwatch.log()))
    }
    console.log(
      `seed ${SEED}:`,
      Object.fromEntries([...met.statuses].sort(([a], [b]) => a - b)),
      arrived.size,
      heldAfter,
    )
    expect(met.wrong, `seed ${SEED}`).toEqual([])
    expect(met.statuses.get(200) ?? 0, 'good answers were among them').toBeGreaterThan(100)
    expect((heldAfter.at(-1) ?? 0) - (heldAfter[0] ?? 0)).toBeLessThan(GROWTH_BYTES * (ROUNDS - 1))
    // A mistyped name mints no series.
    const named = new Set(
      [...(await midwatch.metrics()).matchAll(/^llm_requests_total\{model="([^"]*)"/gm)].map(([, name]) => name),
    )
    expect([...named].filter((name) => ![...door.models, 'unknown'].includes(name ?? ''))).toEqual([])

    // All that may be at once can be at once: no place was kept by a call that is over.
    const ask = () =>
      fetch(`${midwatch.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify({ model: 'held', messages: [{ role: 'user', content: 'Wait' }] }),
      })
    const all = Array.from({ length: CONCURRENCY }, ask)
    await expect.poll(() => holding.length, { timeout: 10_000 }).toBe(CONCURRENCY)
    expect((await ask()).status).toBe(429)
    for (const release of holding) release()
    for (const answer of all) expect((await answer).status).toBe(200)

    await midwatch.stop()
    const rows = Map.groupBy(midwatch.rows(), ({ request_id: id }) => id)
    expect(
      [...arrived].filter((id) => !rows.has(id)),
      'what reached a provider is on record',
    ).toEqual([])
    expect([...rows].filter(([id, { length }]) => id.startsWith('fuzz-') && length > 1)).toEqual([])
    expect([...rows.values()].flat().filter(({ outcome }) => outcome === null)).toEqual([])
    const kept = [...rows.values()]
      .flat()
      .filter((row) => row.cost_micro_usd !== null && row.charged_micro_usd !== row.cost_micro_usd)
    expect(
      kept.map(({ id }) => id),
      'what was reserved beyond the cost is given back',
    ).toEqual([])
  } finally {
    await midwatch.stop()
    await upstream.stop()
    midwatch.clean()
  }
})

async function active(midwatch: GatewayProcess): Promise<readonly string[]> {
  return (
    (await midwatch.metrics()).match(/^(?:llm_active_requests|midwatch_queue_length)(?:\{[^}]*\})? [^0\n].*$/gm) ?? []
  )
}

async function inParallel(atOnce: number, count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) await work(i)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
