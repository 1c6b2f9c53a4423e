// How fast the model that is installed with Midwatch embeds: `node bench/embedding.ts [--passages N]`. Passages have 155
// words; questions are asked alone, and while passages are being embedded.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { silentLog } from '../src/observe/log.ts'
import { openEmbedding } from '../src/rag/embedding/open.ts'

const { values } = parseArgs({ options: { passages: { type: 'string', default: '192' } } })
const count = Number(values.passages)
const dataFolder = mkdtempSync(join(tmpdir(), 'midwatch-bench-'))
const patient = new AbortController().signal
const open = () =>
  openEmbedding(
    { provider: 'local' },
    { dataFolder, log: silentLog(), gatewayEmbedding: () => Promise.reject(new Error('not asked for')) },
  )

const WORDS =
  'the payment service of this cluster waits for a free connection while its pool is full and retries'.split(' ')
const passage = (seed: number): string =>
  Array.from(
    { length: 155 },
    (_, i) => (WORDS[(i * 7 + seed * 3) % WORDS.length] ?? '') + (i % 15 === 14 ? '.' : ''),
  ).join(' ')

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const began = performance.now()
  const result = await work()
  return { result, ms: performance.now() - began }
}

async function questions(until: () => boolean): Promise<number[]> {
  const took: number[] = []
  while (!until())
    took.push((await timed(() => model.embedQuery('why does the payment service time out?', patient))).ms)
  return took.toSorted((a, b) => a - b)
}

const at = (sorted: readonly number[], share: number): string =>
  (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1)

const before = process.memoryUsage.rss()
const first = await timed(open)
await first.result.stop()
const { result: model, ms: loadMs } = await timed(open)
console.log(`open with conversion ${first.ms.toFixed(0)} ms, without ${loadMs.toFixed(0)} ms`)
let asked = 0
const alone = await questions(() => asked++ === 100)
console.log(`question alone: p50 ${at(alone, 0.5)} ms, p99 ${at(alone, 0.99)} ms`)
let done = 0
const texts = Array.from({ length: count }, (_, i) => passage(i))
const started = performance.now()
for (let from = 0; from < count; from += 64)
  done += (await model.embedPassages(texts.slice(from, from + 64), patient)).flat().length
const seconds = (performance.now() - started) / 1000
console.log(`passages of 155 words: ${(count / seconds).toFixed(1)}/s, ${(done / count).toFixed(1)} vectors each`)
let over = false
const ingest = model.embedPassages(texts.slice(0, 64), patient).finally(() => (over = true))
const beside = await questions(() => over)
await ingest
console.log(`question beside passages: p50 ${at(beside, 0.5)} ms, p99 ${at(beside, 0.99)} ms`)
console.log(`memory: ${((process.memoryUsage.rss() - before) / 1e6).toFixed(0)} MB more than before`)
await model.stop()
rmSync(dataFolder, { recursive: true, force: true })
