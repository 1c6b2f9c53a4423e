// A batch survives the death of Midwatch: it is killed again and again in the middle, and afterwards every request of the
// batch is answered exactly once. What was under way at a kill is asked again, and nothing else is.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../lab/child.ts'
import { type Midwatch, prepareMidwatch } from '../../lab/midwatch.ts'
import { plainAnswer, startUpstream, type Upstream } from '../../src/gateway/testing/upstream.ts'

const KILLS = 4
const REQUESTS = 400
/** Requests of one batch under way at once. */
const PARALLEL = 8

const workDir = mkdtempSync(join(tmpdir(), 'midwatch-batch-'))
let upstream: Upstream
let midwatch: Midwatch

beforeAll(async () => {
  upstream = await startUpstream(async ({ body, response }) => {
    await wait(Math.random() * 40)
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(plainAnswer((body['messages'] as [{ content: string }])[0].content))
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

test('kill -9 in the middle of a batch loses no answer and tells none twice', async () => {
  await midwatch.start()
  const client = new OpenAI({ baseURL: `${midwatch.url}/v1`, apiKey: 'none' })
  const lines = Array.from({ length: REQUESTS }, (_, i) =>
    JSON.stringify({
      custom_id: `n${i}`,
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model: 'assistant', messages: [{ role: 'user', content: `${i}` }] },
    }),
  )
  const file = await client.files.create({
    purpose: 'batch',
    file: await toFile(Buffer.from(lines.join('\n')), 'in.jsonl'),
  })
  const { id } = await client.batches.create({
    input_file_id: file.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  })
  for (let kill = 0; kill < KILLS; kill++) {
    const before = upstream.asked.length
    await expect.poll(() => upstream.asked.length, { timeout: 30_000, interval: 5 }).toBeGreaterThan(before + 40)
    await midwatch.kill()
    await midwatch.start()
  }
  await expect
    .poll(async () => (await client.batches.retrieve(id)).status, { timeout: 60_000, interval: 100 })
    .toBe('completed')
  const batch = await client.batches.retrieve(id)
  expect(batch.request_counts).toEqual({ total: REQUESTS, completed: REQUESTS, failed: 0 })
  const text = await (await client.files.content(batch.output_file_id ?? '')).text()
  const answers = text
    .trimEnd()
    .split('\n')
    .map(
      (line) =>
        JSON.parse(line) as { custom_id: string; response: { body: { choices: [{ message: { content: string } }] } } },
    )
  expect(new Set(answers.map(({ custom_id }) => custom_id)).size).toBe(REQUESTS)
  expect(answers).toHaveLength(REQUESTS)
  for (const { custom_id, response } of answers) expect(`n${response.body.choices[0].message.content}`).toBe(custom_id)
  expect(upstream.asked.length).toBeLessThanOrEqual(REQUESTS + KILLS * PARALLEL)
  console.log(`${upstream.asked.length - REQUESTS} of ${REQUESTS} requests were asked twice over ${KILLS} kills.`)
})
