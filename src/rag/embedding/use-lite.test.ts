import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { EmbeddingModel } from '../../llm/embedding.ts'
import { createLog } from '../../observe/log.ts'
import { openEmbedding } from './open.ts'
import { createCut } from './use-lite/pieces.ts'
import { loadVocabulary } from './use-lite/convert.ts'

const recorded = z
  .object({ texts: z.array(z.object({ text: z.string(), pieces: z.array(z.number()), vector: z.base64() })) })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, 'testing/use-lite-recorded.json'), 'utf8'))).texts

const folder = mkdtempSync(join(tmpdir(), 'midwatch-test-'))
const patient = new AbortController().signal
const open = () =>
  openEmbedding(
    { provider: 'local' },
    {
      dataFolder: folder,
      log: createLog({ level: 'silent' }),
      gatewayEmbedding: () => Promise.reject(new Error('not asked for')),
    },
  )
let model: EmbeddingModel

beforeAll(async () => {
  model = await open()
  // On a busy machine: the thread gives way to everything else.
}, 60_000)
afterAll(async () => {
  await model.stop()
  rmSync(folder, { recursive: true, force: true })
})

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0)

test('a text is cut into the pieces that the model’s own tokenizer gives', () => {
  const cut = createCut(loadVocabulary())
  for (const { text, pieces } of recorded) expect(cut(text), text).toEqual(pieces)
})

test('vectors are those of the original, alone and among others', async () => {
  const together = await model.embedPassages(
    recorded.map(({ text }) => text),
    patient,
  )
  for (const [i, { text, vector }] of recorded.entries()) {
    const bytes = Uint8Array.from(Buffer.from(vector, 'base64'))
    const original = new Float32Array(bytes.buffer)
    expect(together[i], text).toHaveLength(1)
    expect(dot(together[i]?.[0] ?? original, original), text).toBeGreaterThan(0.9999)
    expect(dot(await model.embedQuery(text, patient), original), text).toBeGreaterThan(0.9999)
  }
})

test('a long text is found by a sentence far behind what the model reads at a time', async () => {
  const filler = 'The quarterly report of the finance team was late again this year. '
  const [vectors = []] = await model.embedPassages([`${filler.repeat(30)}Restart Redis when memory is full.`], patient)
  const question = await model.embedQuery('Redis is out of memory', patient)
  const [alone = []] = await model.embedPassages([filler], patient)
  const near = (some: readonly Float32Array[]) => Math.max(...some.map((one) => dot(one, question)))
  expect(vectors.length).toBeGreaterThan(3)
  expect(near(vectors)).toBeGreaterThan(near(alone) + 0.1)
})

test('hostile texts neither fail nor grow without bound, and blank ones have no vector', async () => {
  const hostile = [
    'x'.repeat(10_000_000),
    '\ud800'.repeat(5_000),
    '\u200b'.repeat(5_000),
    '\ufdfa'.repeat(40_000),
    ' \n',
  ]
  const vectors = await model.embedPassages(hostile, patient)
  for (const some of vectors.slice(0, 4)) {
    expect(some.length).toBeGreaterThan(0)
    expect(some.length).toBeLessThanOrEqual(32)
    for (const one of some) expect(dot(one, one)).toBeCloseTo(1, 4)
  }
  expect(vectors[4]).toEqual([])
  for (const text of hostile) expect(dot(await model.embedQuery(text, patient), new Float32Array(512))).toBe(0)
})

test('a question does not wait for the passages that came before it', async () => {
  const order: string[] = []
  const text = 'Check the connection pool of the payment service. '.repeat(12)
  const first = model.embedPassages(Array<string>(24).fill(text), patient).then(() => order.push('passages'))
  const second = model.embedPassages([text], patient).then(() => order.push('more'))
  await model.embedQuery('pool exhausted', patient).then(() => order.push('question'))
  await Promise.all([first, second])
  expect(order).toEqual(['question', 'passages', 'more'])
})

test('what is given up is not computed, and what waited behind it is', async () => {
  const asker = new AbortController()
  const given = model.embedPassages(Array<string>(64).fill('A sentence of some words. '.repeat(60)), asker.signal)
  const behind = model.embedPassages(['behind'], patient)
  asker.abort(new Error('enough'))
  await expect(given).rejects.toThrow('enough')
  expect(await behind).toHaveLength(1)
})

test('a damaged file is made anew', async () => {
  const models = join(folder, 'models')
  const file = join(models, readdirSync(models).find((name) => name.endsWith('.onnx')) ?? '')
  const whole = readFileSync(file)
  writeFileSync(file, whole.subarray(0, 1_000_000))
  const again = await open()
  await again.stop()
  expect(readFileSync(file).equals(whole)).toBe(true)
})
