// How fast a knowledge base takes passages and finds them, and whether the main thread feels it:
// `node bench/knowledge.ts [--passages 100000] [--vectors 4] [--store sqlite|postgres] [--url postgres://…]`.
// Embedding is not in it: texts and vectors come from a seed. What is found is compared with an exact search.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createLog } from '../src/observe/log.ts'
import { openPostgresStore } from '../src/rag/store/postgres/open.ts'
import { openSqliteStore } from '../src/rag/store/sqlite/open.ts'
import type { IndexQuery, KnowledgeStore } from '../src/rag/store/store.ts'
import {
  chanceFrom,
  DIMENSION,
  documentBy,
  PASSAGES_A_DOCUMENT,
  questionBy,
  vectorLike,
  vectorsOf,
} from './knowledge-texts.ts'
import { quantile } from './statistics.ts'

const { values } = parseArgs({
  options: {
    passages: { type: 'string', default: '100000' },
    vectors: { type: 'string', default: '4' },
    store: { type: 'string', default: 'sqlite' },
    url: { type: 'string' },
  },
})
const documents = Math.ceil(Number(values.passages) / PASSAGES_A_DOCUMENT)
const passages = documents * PASSAGES_A_DOCUMENT
const vectors = Number(values.vectors)
const embedding = { model: 'bench', dimension: DIMENSION }
const ASKED = 300
const CHECKED = 30
const LIMIT = 10

const folder = mkdtempSync(join(tmpdir(), 'midwatch-bench-'))
const log = createLog({ level: 'error' })
const store = await open()
try {
  const collection = await store.ensureCollection({ tenant: 'bench', name: `bench-${process.pid}` }, Date.now())
  console.log(
    `${values.store}: ${passages} passages in ${documents} documents, ${vectors} vectors each of ${DIMENSION}`,
  )
  const before = process.memoryUsage.rss()
  report('the maker of texts alone', await pass(async () => undefined))
  report('ingest', await pass((document) => store.putDocument(collection.id, document, embedding)))
  const settling = performance.now()
  await store.settle(collection.id, new AbortController().signal)
  console.log(`settled after ${((performance.now() - settling) / 1000).toFixed(1)} s`)
  console.log(`memory ${megabytes(process.memoryUsage.rss() - before)} more, files ${megabytes(filesBytes())}`)

  const all: IndexQuery = { collections: [collection.id], filter: {}, limit: LIMIT }
  const some: IndexQuery = { ...all, filter: { shard: 7 } }
  const chance = chanceFrom(99)
  const near = () => vectorLike(Math.floor(chance() * passages), chance)
  // The first reads what it needs into memory.
  await timed('vectors, the first', 1, () => store.byVector(near(), embedding.model, all))
  await timed('words', ASKED, () => store.byWords(questionBy(chance), all))
  await timed('vectors', ASKED, () => store.byVector(near(), embedding.model, all))
  await timed('words, one document in a hundred', ASKED, () => store.byWords(questionBy(chance), some))
  await timed('vectors, one document in a hundred', ASKED, () => store.byVector(near(), embedding.model, some))
  let extra = documents
  const refilling = { done: false }
  const refill = (async () => {
    while (!refilling.done) await store.putDocument(collection.id, await documentBy(extra++, vectors, turn), embedding)
  })()
  await timed('words while ingesting', ASKED, () => store.byWords(questionBy(chance), all))
  await timed('vectors while ingesting', ASKED, () => store.byVector(near(), embedding.model, all))
  refilling.done = true
  await refill
  for (let number = documents; number < extra; number++) await store.removeDocument(collection.id, `doc/${number}.md`)
  const queries = Array.from({ length: CHECKED }, near)
  console.log(`recall@${LIMIT} against an exact search ${(await recall(queries, all)).toFixed(3)}`)
  console.log(`memory ${megabytes(process.memoryUsage.rss())} in all`)
  await store.dropCollection(collection.id)
} finally {
  await store.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function open(): Promise<KnowledgeStore> {
  if (values.store === 'sqlite') return openSqliteStore(join(folder, 'knowledge.db'), { log })
  if (values.store === 'postgres' && values.url) return openPostgresStore(values.url, { log })
  console.error('Say --store sqlite, or --store postgres with --url of a PostgreSQL with pgvector 0.8.')
  process.exit(2)
}

interface Pass {
  readonly seconds: number
  readonly longestDelayMs: number
  readonly p99DelayMs: number
  /** Of the main thread, which a busy machine does not change much. */
  readonly cpuMsADocument: number
}

/** Two documents are under way at a time. */
async function pass(put: (document: Awaited<ReturnType<typeof documentBy>>) => Promise<void>): Promise<Pass> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const from = performance.now()
  const cpu = process.threadCpuUsage()
  let next = 0
  const work = async (): Promise<void> => {
    while (next < documents) await put(await documentBy(next++, vectors, turn))
  }
  await Promise.all([work(), work()])
  delay.disable()
  const { user, system } = process.threadCpuUsage(cpu)
  return {
    seconds: (performance.now() - from) / 1000,
    longestDelayMs: delay.max / 1e6,
    p99DelayMs: delay.percentile(99) / 1e6,
    cpuMsADocument: (user + system) / 1000 / documents,
  }
}

function report(what: string, { seconds, longestDelayMs, p99DelayMs, cpuMsADocument }: Pass): void {
  console.log(
    `${what}: ${seconds.toFixed(1)} s, ${Math.round(passages / seconds)} passages/s; ` +
      `the event loop was late by ${p99DelayMs.toFixed(1)} ms at p99, ${longestDelayMs.toFixed(1)} ms at most; ` +
      `the main thread worked ${cpuMsADocument.toFixed(2)} ms a document`,
  )
}

async function timed(what: string, times: number, ask: () => Promise<readonly unknown[]>): Promise<void> {
  const took: number[] = []
  for (let i = 0; i < times; i++) {
    const from = performance.now()
    await ask()
    took.push(performance.now() - from)
  }
  console.log(`${what}: p50 ${quantile(took, 0.5).toFixed(1)} ms, p99 ${quantile(took, 0.99).toFixed(1)} ms`)
}

/** The share of the passages given that an exact search gives too. */
async function recall(queries: readonly Float32Array[], query: IndexQuery): Promise<number> {
  const best = queries.map(() => [] as { passage: string; score: number }[])
  for (let passage = 0; passage < passages; passage++) {
    const own = vectorsOf(passage, vectors)
    const document = `doc/${Math.floor(passage / PASSAGES_A_DOCUMENT)}.md`
    queries.forEach((asked, i) => {
      const score = Math.max(...own.map((vector) => cosine(asked, vector)))
      const list = best[i] ?? []
      if (list.length >= LIMIT && score <= (list.at(-1)?.score ?? 0)) return
      list.push({ passage: `${document}#${passage % PASSAGES_A_DOCUMENT}`, score })
      list.sort((a, b) => b.score - a.score)
      list.length = Math.min(list.length, LIMIT)
    })
  }
  let found = 0
  for (const [i, asked] of queries.entries()) {
    const hits = await store.passages(
      (await store.byVector(asked, embedding.model, query)).map(({ passage }) => passage),
    )
    const given = new Set(hits.map(({ document, ordinal }) => `${document}#${ordinal}`))
    found += (best[i] ?? []).filter(({ passage }) => given.has(passage)).length
  }
  return found / (queries.length * LIMIT)
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, left, right] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0]
    product += x * y
    left += x * x
    right += y * y
  }
  return product / Math.sqrt(left * right)
}

function filesBytes(): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MB`
}
