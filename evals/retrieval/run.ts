// How well documents are found, in words, in vectors and in both, on sets with judgements, in one run:
// `npm run eval:retrieval [-- --data DIR] [--only NAME] [--json] [--choose]`. Plain BM25 of FTS5 over whole documents stands beside. Questions are
// parted in two halves by a hash of their ids: whatever is chosen by looking at results is chosen on the first alone.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { defaultConfig } from '../../src/config/load.ts'
import { systemClock } from '../../src/core/clock.ts'
import { sha256Hex } from '../../src/core/hash.ts'
import { mapParallel } from '../../src/core/parallel.ts'
import { embeddingOpener } from '../../src/embedding-model.ts'
import type { EmbeddingModel } from '../../src/llm/embedding.ts'
import type { Retriever } from '../../src/llm/retriever.ts'
import { createLog } from '../../src/observe/log.ts'
import { ingestDocument } from '../../src/rag/ingest/ingest.ts'
import { openDocumentReader } from '../../src/rag/ingest/open-reader.ts'
import { createRetriever } from '../../src/rag/search/retriever.ts'
import { openSqliteStore } from '../../src/rag/store/sqlite/open.ts'
import type { KnowledgeStore } from '../../src/rag/store/store.ts'
import { choose } from './choose.ts'
import { plainBm25 } from './plain-bm25.ts'
import { remembered } from './remembered.ts'
import { type Answered, printSet } from './report.ts'
import { loadSets, type Question, type RetrievalSet } from './sets.ts'

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'boolean' },
    cache: { type: 'string' },
    choose: { type: 'boolean' },
  },
})
const data = values.data ?? join(import.meta.dirname, '../../../shared/data')
const sets = loadSets(data).filter(({ name }) => values.only === undefined || name.includes(values.only))
if (sets.length === 0) {
  console.error(`There are no retrieval sets in ${data}. Name their folder with --data.`)
  process.exit(2)
}
const MODES = ['bm25', 'vector', 'hybrid'] as const
const TENANT = 'eval'
const TOP_K = 10

const log = createLog({ level: 'error' })
const cache = values.cache ?? join(tmpdir(), 'midwatch-evals')
mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(join(tmpdir(), 'midwatch-eval-'))
const opened = await embeddingOpener({ ...defaultConfig(), data: folder })()
if (!opened) throw new Error('There is no embedding model.')
const model = remembered(opened, join(cache, 'vectors.db'))
const store = await openSqliteStore(join(folder, 'knowledge.db'), { log })
try {
  const retriever = createRetriever({ store, modelOf: async () => model, log })
  for (const set of sets) {
    await ingest(store, model, set)
    const answers = new Map<string, readonly Answered[]>([['FTS5 over whole documents', plainBm25(set, TOP_K)]])
    for (const mode of MODES)
      answers.set(mode, await mapParallel(set.questions, 2, (question) => ask(retriever, question, mode)))
    printSet(set.name, answers, values.json ?? false)
  }
  if (values.choose) await choose(store, model, sets, TENANT)
} finally {
  await store.stop()
  await model.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function ingest(store: KnowledgeStore, model: EmbeddingModel, set: RetrievalSet): Promise<void> {
  const { reader, recipe } = openDocumentReader({})
  const signal = new AbortController().signal
  for (const [name, documents] of set.documents) {
    const collection = await store.ensureCollection({ tenant: TENANT, name }, systemClock.now())
    await mapParallel(documents, 8, (raw) =>
      ingestDocument({ store, model, reader, recipe, clock: systemClock }, collection, raw, signal),
    )
  }
}

async function ask(retriever: Retriever, question: Question, mode: (typeof MODES)[number]): Promise<Answered> {
  const { id, text, collection, relevant } = question
  const found = await retriever.retrieve(
    { tenant: TENANT, text, collections: [collection], topK: TOP_K, perDocument: 1, mode },
    new AbortController().signal,
  )
  return {
    id,
    relevant,
    ranked: found.passages.map(({ document }) => document),
    confidence: found.confidence,
    none: found.none,
    half: Number.parseInt(sha256Hex(id).slice(0, 2), 16) % 2 === 0 ? 'first' : 'second',
  }
}
