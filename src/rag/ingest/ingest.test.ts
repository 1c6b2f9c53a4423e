import { mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/temp.ts'
import { ManualClock, systemClock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { EmbeddingModel } from '../../llm/embedding.ts'
import { silentLog } from '../../observe/log.ts'
import { openSqliteStore } from '../store/sqlite/open.ts'
import type { Collection, KnowledgeStore } from '../store/store.ts'
import { recipeOf } from './content-hash.ts'
import { documentsOf, ingestDocument, type IngestOptions, type IngestParts, ingestSource } from './ingest.ts'
import type { IngestReport } from './report.ts'
import type { Source, SourceItem } from './source.ts'
import { createFolderSource } from './sources/folder.ts'
import { createJsonLinesSource } from './sources/json-lines.ts'
import { plainReader } from './testing/plain-reader.ts'
import { hashEmbedding } from '../testing/hash-embedding.ts'

let store: KnowledgeStore
let collection: Collection
let folder: string
let parts: IngestParts

const place = mkdtempSync(join(tmpdir(), 'midwatch-ingest-'))
let tenants = 0

beforeAll(async () => {
  store = await openSqliteStore(join(place, 'knowledge.db'), { log: silentLog() })
}, 60_000)
afterAll(async () => {
  await store.stop()
  rmSync(place, { recursive: true, force: true })
})

beforeEach(async () => {
  collection = await store.ensureCollection({ tenant: `tenant${++tenants}`, name: 'runbooks' }, 0)
  folder = tempFolder()
  parts = { store, model: hashEmbedding(), reader: plainReader, recipe: recipeOf({ version: 1 }), clock: systemClock }
})

function write(files: Readonly<Record<string, string>>, into = folder): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(into, path)), { recursive: true })
    writeFileSync(join(into, path), text)
  }
}

const options: IngestOptions = { by: 'cli', prune: 'auto' }
const never = new AbortController().signal

const folderSource = (path = folder): Source => createFolderSource({ path, include: [], exclude: [] })

const ingest = (source: Source = folderSource(), more: Partial<IngestOptions> = {}, use: Partial<IngestParts> = {}) =>
  ingestSource({ ...parts, ...use }, collection, source, { ...options, ...more }, never)

/** Every passage there is, by document, with whatever distinguishes one ingest from another left out. */
async function stored(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for await (const { id } of documentsOf(store, collection.id)) {
    const document = await store.findDocument(collection.id, id)
    found[id] = document?.text.split('\n\n') ?? []
  }
  return found
}

const countsOf = ({ documents }: IngestReport) => documents

/** A source of exactly these items. */
const sourceOf = (items: SourceItem[], place = 'test:source'): Source => ({
  place,
  list: async () => ({ total: items.length, items }),
})

const text = (id: string, content: string, sizeBytes = content.length): SourceItem => ({
  kind: 'document',
  id,
  sizeBytes,
  read: async () => ({ kind: 'read', document: { id, source: null, bytes: Buffer.from(content), metadata: {} } }),
})

describe('a folder that is ingested', () => {
  test('is found by its words and by its meaning, with the place of every passage', async () => {
    write({ 'etcd/slow.md': 'etcd is slow.\n\nDefragment it.' })
    const report = await ingest()
    expect(report).toMatchObject({ documents: { added: 1 }, passages: 2, failures: [], gaps: [] })
    const query = { collections: [collection.id], filter: {}, limit: 5 }
    const byWords = await store.byWords('defragment', query)
    const byVector = await store.byVector(
      await parts.model.embedQuery('slow.md defragment', never),
      parts.model.id,
      query,
    )
    const [passage] = await store.passages([byWords[0]?.passage ?? ''])
    expect(passage).toMatchObject({
      document: 'etcd/slow.md',
      source: join(folder, 'etcd/slow.md'),
      text: 'Defragment it.',
      start: 15,
    })
    expect(byVector[0]?.passage).toBe(byWords[0]?.passage)
  })

  test('again is read and passed over: nothing is embedded twice', async () => {
    write({ 'a.md': 'a', 'b.md': 'b' })
    await ingest()
    const model = { ...hashEmbedding(), embedPassages: () => Promise.reject(new Error('asked')) }
    expect(countsOf(await ingest(undefined, {}, { model }))).toMatchObject({ unchanged: 2, added: 0, changed: 0 })
  })

  test('has what changed replaced, and what is gone removed', async () => {
    write({ 'a.md': 'old', 'b.md': 'b', 'c.md': 'c' })
    await ingest()
    write({ 'a.md': 'new' })
    unlinkSync(join(folder, 'b.md'))
    expect(countsOf(await ingest())).toEqual({ added: 0, changed: 1, unchanged: 1, removed: 1, failed: 0 })
    expect(await stored()).toEqual({ 'a.md': ['new'], 'c.md': ['c'] })
  })

  test('is parsed and cut anew when that is done another way', async () => {
    write({ 'a.md': 'a' })
    await ingest()
    expect(countsOf(await ingest(undefined, {}, { recipe: recipeOf({ version: 2 }) }))).toMatchObject({ changed: 1 })
  })

  test('has bad files told by name and reason; the rest goes on, and what was good of them stays', async () => {
    write({ 'a.md': 'fine', 'b.md': 'was fine' })
    await ingest()
    write({ 'b.md': 'BROKEN', 'c.md': 'BROKEN', 'd.md': 'new' })
    const report = await ingest()
    expect(report.failures.toSorted((x, y) => (x.document < y.document ? -1 : 1))).toEqual([
      { document: 'b.md', reason: 'It is broken.' },
      { document: 'c.md', reason: 'It is broken.' },
    ])
    expect(await stored()).toEqual({ 'a.md': ['fine'], 'b.md': ['was fine'], 'd.md': ['new'] })
  })

  test('is not read at all where every file looks as it did, nor is a bad one tried again', async () => {
    write({ 'a.md': 'a', 'b.md': 'BROKEN' })
    const clock = new ManualClock(Date.now() + 60_000)
    let reads = 0
    const reader = {
      ...plainReader,
      read: (...of: Parameters<typeof plainReader.read>) => (reads++, plainReader.read(...of)),
    }
    const seen = new Map()
    await ingest(undefined, { seen }, { clock, reader })
    const second = await ingest(undefined, { seen }, { clock, reader })
    expect(reads).toBe(2)
    expect(second).toMatchObject({ documents: { unchanged: 1, failed: 1 }, failures: [{ document: 'b.md' }] })
    // Somebody else's removal is noticed all the same.
    await store.removeDocument(collection.id, 'a.md')
    expect(countsOf(await ingest(undefined, { seen }, { clock, reader }))).toMatchObject({ added: 1 })
  })
})

describe('what is gone from a source', () => {
  test('is kept where the source could not be read, or not all of it', async () => {
    write({ 'a.md': 'a', 'b.md': 'b' })
    await ingest()
    rmSync(folder, { recursive: true })
    await expect(ingest()).rejects.toThrow('it is not there')
    mkdirSync(folder)
    // A disk that is not mounted is an empty folder.
    expect((await ingest()).gaps).toEqual([expect.stringContaining('2 documents are kept')])
    expect(Object.keys(await stored())).toEqual(['a.md', 'b.md'])
    expect(countsOf(await ingest(undefined, { prune: 'always' }))).toMatchObject({ removed: 2 })
    expect(await stored()).toEqual({})
  })

  test('is kept behind a gap', async () => {
    await ingest(sourceOf([text('a', 'a'), text('b', 'b')]))
    const report = await ingest(sourceOf([text('a', 'a'), { kind: 'gap', reason: 'deep: permission denied' }]))
    expect(report).toMatchObject({ documents: { removed: 0 }, gaps: ['deep: permission denied'] })
    expect(Object.keys(await stored())).toEqual(['a', 'b'])
  })

  test('is kept where its listing broke off', async () => {
    await ingest(sourceOf([text('a', 'a'), text('b', 'b')]))
    const breaking: Source = {
      place: 'test:source',
      list: async () => ({
        total: null,
        items: (async function* () {
          yield text('a', 'changed')
          throw new AppError('unavailable', 'the disk failed')
        })(),
      }),
    }
    await expect(ingest(breaking)).rejects.toThrow('the disk failed')
    expect(await stored()).toEqual({ a: ['changed'], b: ['b'] })
  })

  test('goes where the source says so itself, and that is told', async () => {
    await ingest(sourceOf([text('a', 'a'), text('b', 'b')]))
    const gone: SourceItem = {
      kind: 'document',
      id: 'b',
      sizeBytes: 1,
      read: async () => ({ kind: 'gone', reason: '404' }),
    }
    const report = await ingest(sourceOf([text('a', 'a'), gone]))
    expect(report).toMatchObject({ documents: { removed: 1 }, failures: [{ document: 'b', reason: '404' }] })
  })

  test('is only what that source brought, and only where it was asked to', async () => {
    const other = tempFolder()
    write({ 'a.md': 'a' })
    write({ 'b.md': 'b' }, other)
    await ingest()
    await ingest(folderSource(other))
    await ingestDocument(parts, collection, { id: 'c', source: null, bytes: Buffer.from('c'), metadata: {} }, never)
    unlinkSync(join(folder, 'a.md'))
    write({ 'd.md': 'd' })
    await ingest(undefined, { prune: 'never' })
    expect(Object.keys(await stored())).toEqual(['a.md', 'b.md', 'c', 'd.md'])
    await ingest()
    expect(Object.keys(await stored())).toEqual(['b.md', 'c', 'd.md'])
  })
})

describe('two sources with a document of one name', () => {
  test('do not take it from one another: the second is told', async () => {
    const other = tempFolder()
    write({ 'README.md': 'first' })
    write({ 'README.md': 'second' }, other)
    await ingest()
    const { failures } = await ingest(folderSource(other))
    expect(failures).toEqual([
      { document: 'README.md', reason: expect.stringContaining(`came from ${folder} already`) },
    ])
    expect(await stored()).toEqual({ 'README.md': ['first'] })
  })

  test('change over once the first does not have it any more', async () => {
    const other = tempFolder()
    write({ 'README.md': 'first' })
    write({ 'README.md': 'second' }, other)
    await ingest()
    rmSync(folder, { recursive: true })
    expect(countsOf(await ingest(folderSource(other)))).toMatchObject({ changed: 1, failed: 0 })
  })

  test('that are one folder, asked for by a command and by the config, do not embed it in turn', async () => {
    write({ 'a.md': 'a', 'b.md': 'b' })
    await ingest()
    expect(countsOf(await ingest(undefined, { by: 'config' }))).toMatchObject({ changed: 2 })
    expect(countsOf(await ingest())).toMatchObject({ unchanged: 2 })
    expect(countsOf(await ingest(undefined, { by: 'config' }))).toMatchObject({ unchanged: 2 })
    unlinkSync(join(folder, 'b.md'))
    expect(countsOf(await ingest())).toMatchObject({ removed: 1 })
  })
})

describe('a run', () => {
  test('holds no more at once than the bound, however much there is, and embeds documents together', async () => {
    const underWay = new Set<string>()
    let most = 0
    let heaviest = 0
    const batches: number[] = []
    const items = Array.from({ length: 100 }, (_, i) => text(`d${i}`, `text ${i}`, i % 10 === 0 ? 3 * 1024 * 1024 : 10))
    const sizes = new Map(
      items.map((item) => [item.kind === 'document' ? item.id : '', item.kind === 'document' ? item.sizeBytes : 0]),
    )
    const reader = {
      ...plainReader,
      read: async (...of: Parameters<typeof plainReader.read>) => {
        underWay.add(of[0].id)
        most = Math.max(most, underWay.size)
        heaviest = Math.max(
          heaviest,
          [...underWay].reduce((sum, id) => sum + (sizes.get(id) ?? 0), 0),
        )
        return plainReader.read(...of)
      },
    }
    const plain = hashEmbedding()
    const model: EmbeddingModel = {
      ...plain,
      embedPassages: async (texts, signal) => {
        batches.push(texts.length)
        await systemClock.sleep(20)
        return plain.embedPassages(texts, signal)
      },
    }
    const watched = new Proxy(store, {
      get: (_, method: keyof KnowledgeStore) =>
        method === 'putDocument'
          ? async (...of: Parameters<KnowledgeStore['putDocument']>) => {
              await store.putDocument(...of)
              underWay.delete(of[1].id)
            }
          : (store[method] as () => unknown).bind(store),
    })
    const report = await ingest(sourceOf(items), {}, { reader, model, store: watched })
    expect(report).toMatchObject({ documents: { added: 100 }, passages: 100 })
    expect(most).toBeLessThanOrEqual(32)
    expect(heaviest).toBeLessThanOrEqual(8 * 1024 * 1024)
    expect(Math.max(...batches)).toBeGreaterThan(4)
  })

  test('goes on after a model that did not answer for a moment', async () => {
    const clock = new ManualClock()
    const plain = hashEmbedding()
    let asked = 0
    const model: EmbeddingModel = {
      ...plain,
      embedPassages: (texts, signal) =>
        ++asked < 3 ? Promise.reject(new AppError('upstream', 'down')) : plain.embedPassages(texts, signal),
    }
    const running = ingest(sourceOf([text('a', 'a')]), {}, { model, clock })
    for (let i = 0; i < 20; i++) {
      await clock.advance(1000)
      await systemClock.sleep(5)
    }
    expect(countsOf(await running)).toMatchObject({ added: 1 })
    expect(asked).toBe(3)
  })

  test('ends where the model stays away, with whole documents and a way on', async () => {
    const plain = hashEmbedding()
    let asked = 0
    const model: EmbeddingModel = {
      ...plain,
      embedPassages: (texts, signal) =>
        ++asked > 1 ? Promise.reject(new AppError('forbidden', 'no key')) : plain.embedPassages(texts, signal),
    }
    const items = Array.from({ length: 100 }, (_, i) => text(`d${i}`, 'x\n\ny'))
    await expect(ingest(sourceOf(items), {}, { model })).rejects.toThrow('Run it again to go on')
    const there = Object.entries(await stored())
    for (const [, passages] of there) expect(passages).toEqual(['x', 'y'])
    expect(countsOf(await ingest(sourceOf(items)))).toMatchObject({
      unchanged: there.length,
      added: 100 - there.length,
    })
  })

  test('has one text that the model does not take cost no other document', async () => {
    const plain = hashEmbedding()
    const model: EmbeddingModel = {
      ...plain,
      embedPassages: (texts, signal) =>
        texts.some((one) => one.includes('poison'))
          ? Promise.reject(new AppError('malformed', 'too long'))
          : plain.embedPassages(texts, signal),
    }
    const report = await ingest(sourceOf([text('a', 'a'), text('b', 'poison'), text('c', 'c')]), {}, { model })
    expect(report).toMatchObject({ documents: { added: 2, failed: 1 }, failures: [{ document: 'b' }] })
  })

  test('that is aborted leaves whole documents, and the next one the rest', async () => {
    const stop = new AbortController()
    const items = Array.from({ length: 200 }, (_, i) => text(`d${i}`, 'x\n\ny'))
    const onProgress = ({ done }: { done: number }) => {
      if (done === 50) stop.abort(new Error('Ctrl-C'))
    }
    await expect(
      ingestSource(parts, collection, sourceOf(items), { ...options, onProgress }, stop.signal),
    ).rejects.toThrow('Ctrl-C')
    const there = Object.values(await stored())
    expect(there.length).toBeLessThan(200)
    for (const passages of there) expect(passages).toEqual(['x', 'y'])
    await ingest(sourceOf(items))
    expect(Object.keys(await stored())).toHaveLength(200)
  })

  test('beside another one over the same source leaves what one alone would', async () => {
    const items = Array.from({ length: 60 }, (_, i) => text(`d${i}`, `x${i}\n\ny`))
    const more = [...items, text('new', 'new')]
    await Promise.all([ingest(sourceOf(items)), ingest(sourceOf(more)), ingest(sourceOf(items))])
    expect(Object.keys(await stored())).toHaveLength(61)
  })

  test('tells of a name that comes twice in one source', async () => {
    expect((await ingest(sourceOf([text('a', '1'), text('a', '2')]))).failures).toHaveLength(1)
    expect(await stored()).toEqual({ a: ['1'] })
  })

  test('tells how far it is', async () => {
    const file = join(folder, 'corpus.jsonl')
    writeFileSync(file, '{"id":"a","text":"x"}\n{"id":"b","text":"BROKEN"}\n')
    const seen: (readonly [number, number | null])[] = []
    await ingest(createJsonLinesSource(file), { onProgress: ({ done, total }) => void seen.push([done, total]) })
    expect(seen.at(-1)).toEqual([2, 2])
  })
})

test('a document that was sent is stored once, replaced when it changed, and told what is wrong with it', async () => {
  const raw = (content: string) => ({ id: 'a', source: null, bytes: Buffer.from(content), metadata: {}, owner: 'ann' })
  expect(await ingestDocument(parts, collection, raw('x'), never)).toEqual({ kind: 'stored', passages: 1 })
  expect(await ingestDocument(parts, collection, raw('x'), never)).toEqual({ kind: 'unchanged' })
  expect(await ingestDocument(parts, collection, raw('x\n\ny'), never)).toEqual({ kind: 'stored', passages: 2 })
  await expect(ingestDocument(parts, collection, raw('BROKEN'), never)).rejects.toMatchObject({
    code: 'malformed',
    message: 'It is broken.',
  })
  expect(await store.eraseOwner(collection.tenant, 'ann')).toBe(1)
  expect(await stored()).toEqual({})
})
