// The knowledge base as a server has it: on its files, with real sources, kept up in the background.
import { existsSync, mkdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { tempFolder } from '../../test/temp.ts'
import { ragSchema } from '../config/rag-schema.ts'
import { ManualClock, systemClock } from '../core/clock.ts'
import type { EmbeddingModel } from '../llm/embedding.ts'
import { silentLog } from '../observe/log.ts'
import { createMetrics } from '../observe/metrics.ts'
import { hashEmbedding } from './testing/hash-embedding.ts'
import { createKnowledge, type Knowledge, type KnowledgeOptions } from './knowledge.ts'

const never = new AbortController().signal

interface Setup extends Partial<Omit<KnowledgeOptions, 'config'>> {
  readonly collections?: Record<string, unknown>
}

function knowledgeIn(dataFolder: string, { collections = {}, ...more }: Setup = {}): Knowledge {
  const knowledge = createKnowledge({
    config: ragSchema.parse({ collections }),
    dataFolder,
    openEmbedding: async (id) => (id === undefined || id === 'words' ? hashEmbedding({ id: 'words' }) : null),
    clock: systemClock,
    log: silentLog(),
    ...more,
  })
  onTestFinished(() => knowledge.stop())
  return knowledge
}

const ask = async (knowledge: Knowledge, text: string, collection = 'runbooks', mode?: 'bm25' | 'vector') => {
  const asked = { tenant: 'default', text, collections: [collection], topK: 5, ...(mode ? { mode } : {}) }
  return (await knowledge.retriever.retrieve(asked, never)).passages.map(({ document }) => document)
}

const becomes = (knowledge: Knowledge, name: string, state: string) =>
  expect.poll(() => knowledge.health().collections[name]?.state, { timeout: 15_000, interval: 20 }).toBe(state)

test('without collections and without anything kept, nothing is opened, made or wanted', async () => {
  const folder = tempFolder()
  const knowledge = knowledgeIn(folder, { openEmbedding: () => Promise.reject(new Error('opened')) })
  expect(knowledge.isWanted).toBe(false)
  expect(await knowledge.eraseOwner('default', 'ann')).toBe(0)
  expect(knowledge.health()).toMatchObject({ state: 'closed' })
  await knowledge.stop()
  expect(existsSync(join(folder, 'knowledge'))).toBe(false)
})

test('what cannot be opened is told, and tried again', async () => {
  let broken = true
  const openEmbedding = async () => {
    if (broken) throw new Error('no such model')
    return hashEmbedding({ id: 'words' })
  }
  const knowledge = knowledgeIn(tempFolder(), { openEmbedding })
  await expect(knowledge.open()).rejects.toThrow('no such model')
  expect(knowledge.health()).toMatchObject({ state: 'failed', reason: 'no such model' })
  broken = false
  await knowledge.open()
  expect(knowledge.health()).toMatchObject({ state: 'open', embedding: 'words' })
})

describe('a collection of the config', () => {
  const write = (folder: string, files: Readonly<Record<string, string>>) => {
    mkdirSync(folder, { recursive: true })
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  }

  test('is read at the start, and again when its time has come: what changed, what is new, what is gone', async () => {
    const folder = tempFolder()
    write(folder, { 'disk.md': 'The disk is full.', 'etcd.md': 'etcd is slow.' })
    const clock = new ManualClock(Date.now())
    const knowledge = knowledgeIn(tempFolder(), {
      collections: { runbooks: { paths: [folder], everySeconds: 60 } },
      clock,
    })
    expect(knowledge.isWanted).toBe(true)
    knowledge.start()
    await becomes(knowledge, 'runbooks', 'current')
    expect((await ask(knowledge, 'disk full'))[0]).toBe('disk.md')
    write(folder, {
      'disk.md': 'The tape is full.',
      'new.md': 'The queue grows.',
      'bad.pdf': '%PDF-1.7 and then nothing of the kind',
    })
    unlinkSync(join(folder, 'etcd.md'))
    const { store } = await knowledge.open()
    const documents = async () => {
      // By steps, as one look is at the time that has come.
      await clock.advance(1_000)
      const collection = await store.findCollection('default', 'runbooks')
      return (await store.listDocuments(collection?.id ?? '', { limit: 9 })).map(({ id }) => id)
    }
    await clock.advance(60_000)
    await expect.poll(documents, { timeout: 15_000, interval: 20 }).toEqual(['disk.md', 'new.md'])
    await becomes(knowledge, 'runbooks', 'current')
    expect((await ask(knowledge, 'tape'))[0]).toBe('disk.md')
    expect(knowledge.health().collections['runbooks']).toMatchObject({ failures: 1, first: [{ document: 'bad.pdf' }] })
  })

  test('loses what it does not name any more, and keeps what a command brought', async () => {
    const [data, one, two] = [tempFolder(), tempFolder(), tempFolder()]
    write(one, { 'one.md': 'one' })
    write(two, { 'two.md': 'two' })
    const first = knowledgeIn(data, { collections: { runbooks: { paths: [one, two] } } })
    first.start()
    await becomes(first, 'runbooks', 'current')
    const opened = await first.open()
    const collection = await opened.store.findCollection('default', 'runbooks')
    await opened.put(collection!, { id: 'sent', source: null, bytes: Buffer.from('sent'), metadata: {} }, never)
    await first.stop()
    const second = knowledgeIn(data, { collections: { runbooks: { paths: [two] } } })
    second.start()
    await becomes(second, 'runbooks', 'current')
    const { store } = await second.open()
    expect((await store.listDocuments(collection!.id, { limit: 9 })).map(({ id }) => id)).toEqual(['sent', 'two.md'])
  })

  test('whose source cannot be read is told as failed, keeps what it has, and holds up no other', async () => {
    const [data, folder] = [tempFolder(), tempFolder()]
    write(folder, { 'a.md': 'alpha' })
    const gone = join(tempFolder(), 'gone')
    write(gone, { 'b.md': 'beta' })
    const collections = { broken: { paths: [gone] }, runbooks: { paths: [folder] } }
    const first = knowledgeIn(data, { collections })
    first.start()
    await becomes(first, 'broken', 'current')
    await first.stop()
    rmSync(gone, { recursive: true })
    const knowledge = knowledgeIn(data, { collections })
    knowledge.start()
    await becomes(knowledge, 'runbooks', 'current')
    expect(knowledge.health().collections['broken']).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('it is not there'),
    })
    expect(await ask(knowledge, 'beta', 'broken')).toEqual(['b.md'])
  })

  test('is counted, by its name and no stranger’s', async () => {
    const folder = tempFolder()
    write(folder, { 'a.md': 'alpha\n\nbeta' })
    const metrics = createMetrics({ process: false })
    const knowledge = knowledgeIn(tempFolder(), { collections: { runbooks: { paths: [folder] } }, metrics })
    knowledge.start()
    await becomes(knowledge, 'runbooks', 'current')
    const open = await knowledge.open()
    const other = await open.store.ensureCollection({ tenant: 'acme', name: 'runbooks' }, 0)
    await open.put(other, { id: 'x', source: null, bytes: Buffer.from('x'), metadata: {} }, never)
    await ask(knowledge, 'alpha')
    const told = await metrics.metrics()
    expect(told).toContain('midwatch_knowledge_documents{collection="runbooks"} 1')
    expect(told).toContain('midwatch_knowledge_passages{collection="runbooks"} 1')
    expect(told).toContain('midwatch_knowledge_passages{collection="other"} 1')
    expect(told).toContain('midwatch_knowledge_ingested_total{result="added"} 1')
    expect(told).toContain('midwatch_knowledge_query_seconds_count{result="found"} 1')
  })
})

describe('another embedding model', () => {
  /** Holds back what it is asked to embed until it is let go. */
  function held(id: string): { model: EmbeddingModel; let: () => void } {
    const plain = hashEmbedding({ id })
    let go: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (go = resolve))
    const embedPassages: EmbeddingModel['embedPassages'] = async (texts, signal) => {
      await Promise.race([
        gate,
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      ])
      return plain.embedPassages(texts, signal)
    }
    return { model: { ...plain, embedPassages }, let: () => go() }
  }

  async function filled(): Promise<string> {
    const data = tempFolder()
    const knowledge = knowledgeIn(data)
    const open = await knowledge.open()
    const collection = await open.store.ensureCollection({ tenant: 'default', name: 'runbooks' }, 0)
    const lines = Array.from({ length: 149 }, (_, i) => JSON.stringify({ id: `d${i}`, text: `alpha${i}` }))
    const file = join(data, 'corpus.jsonl')
    writeFileSync(file, [...lines, JSON.stringify({ id: 'short', text: 'omega' })].join('\n'))
    const source = await open.sources.ofText(file, { include: [], exclude: [] })
    await open.ingest(collection, source, { by: 'cli', prune: 'auto' }, never)
    await knowledge.stop()
    return data
  }

  test('embeds anew in the background, while questions are asked by the old one, and then changes over', async () => {
    const data = await filled()
    const { model, let: go } = held('better')
    const openEmbedding = async (id?: string) => (id === 'words' ? hashEmbedding({ id: 'words' }) : model)
    const knowledge = knowledgeIn(data, { openEmbedding })
    knowledge.start()
    const { store } = await knowledge.open()
    const embedding = async () => (await store.findCollection('default', 'runbooks'))?.embedding?.model
    expect((await ask(knowledge, 'short omega', 'runbooks', 'vector'))[0]).toBe('short')
    expect(await embedding()).toBe('words')
    go()
    await expect.poll(embedding, { timeout: 15_000, interval: 20 }).toBe('better')
    expect((await ask(knowledge, 'short omega', 'runbooks', 'vector'))[0]).toBe('short')
    const collection = await store.findCollection('default', 'runbooks')
    await expect.poll(() => store.passagesWithout(collection!.id, 'better', 1)).toEqual([])
  })

  test('goes on where it was stopped', async () => {
    const data = await filled()
    let asked = 0
    const counting = (stopAfter: number): EmbeddingModel => {
      const plain = hashEmbedding({ id: 'better' })
      return {
        ...plain,
        embedPassages: (texts, signal) => {
          if (asked >= stopAfter) return Promise.reject(new Error('stopped'))
          asked += texts.length
          return plain.embedPassages(texts, signal)
        },
      }
    }
    const first = knowledgeIn(data, { openEmbedding: async () => counting(64) })
    const collection = (await (await first.open()).store.findCollection('default', 'runbooks'))!
    await expect((await first.open()).reembed(collection, () => undefined, never)).rejects.toThrow('stopped')
    await first.stop()
    const second = knowledgeIn(data, { openEmbedding: async () => counting(1000) })
    expect(await (await second.open()).reembed(collection, () => undefined, never)).toBe(150 - 64)
    expect(asked).toBe(150)
  })

  test('whose predecessor is not to be had has words searched until then, and says so', async () => {
    const data = await filled()
    const { model } = held('better')
    const knowledge = knowledgeIn(data, { openEmbedding: async (id) => (id === undefined ? model : null) })
    knowledge.start()
    expect(await ask(knowledge, 'omega')).toEqual(['short'])
    expect(Object.keys(knowledge.health().wordsOnly)).toEqual(['words'])
    expect(knowledge.health().embeddingAnew).toEqual({ runbooks: { done: 0, total: 150 } })
  })
})

test('an ingest that stored everything has succeeded, whatever becomes of the graph that makes searches quick', async () => {
  const folder = tempFolder()
  writeFileSync(join(folder, 'disk.md'), 'The disk is full.')
  const open = await knowledgeIn(tempFolder()).open()
  const { store, sources } = open
  const signals: AbortSignal[] = []
  store.settle = async (_, signal) => {
    signals.push(signal)
    throw new Error('no memory for a graph')
  }
  const collection = await store.ensureCollection({ tenant: 'default', name: 'runbooks' }, 1)
  const source = await sources.ofText(folder, { include: [], exclude: [] })
  const stop = new AbortController()
  const report = await open.ingest(collection, source, { by: 'cli', prune: 'auto' }, stop.signal)
  expect(report).toMatchObject({ documents: { added: 1 } })
  expect(signals).toEqual([stop.signal])
})
