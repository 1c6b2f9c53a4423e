import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { AppError } from '../../core/errors.ts'
import type { EmbeddingModel } from '../../llm/embedding.ts'
import type { RetrieveQuery } from '../../llm/retriever.ts'
import { silentLog } from '../../observe/log.ts'
import { openSqliteStore } from '../store/sqlite/open.ts'
import type { KnowledgeStore } from '../store/store.ts'
import { hashEmbedding } from '../testing/hash-embedding.ts'
import { createRetriever, type RetrieverParts } from './retriever.ts'

const signal = new AbortController().signal
const model = hashEmbedding()
let folder: string
let store: KnowledgeStore
let parts: RetrieverParts

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'midwatch-search-'))
  store = await openSqliteStore(join(folder, 'knowledge.db'), { log: silentLog() })
  parts = { store, modelOf: async () => model, log: silentLog() }
})
afterAll(async () => {
  await store.stop()
  rmSync(folder, { recursive: true, force: true })
})

let tenants = 0
const newTenant = () => `tenant-${++tenants}`

interface Page {
  readonly title?: string
  readonly passages: readonly string[]
  readonly metadata?: Readonly<Record<string, string>>
}

/** A collection of pages by their ids. */
async function library(
  pages: Readonly<Record<string, Page>>,
  of: { tenant?: string; name?: string; teams?: readonly string[] } = {},
): Promise<{ tenant: string; collections: readonly string[] }> {
  const { tenant = newTenant(), name = 'runbooks', teams } = of
  const collection = await store.ensureCollection({ tenant, name, ...(teams ? { teams } : {}) }, 1)
  for (const [id, { title = id, passages, metadata = {} }] of Object.entries(pages)) {
    const vectors = await model.embedPassages(passages, signal)
    let start = 0
    const cut = passages.map((text, ordinal) => {
      const passage = {
        ordinal,
        headings: [],
        start,
        end: start + text.length,
        page: null,
        text,
        vectors: vectors[ordinal] ?? [],
      }
      start += text.length + 1
      return passage
    })
    const document = { id, title, source: null, contentHash: 'x', metadata, owner: null, origin: null, ingestedAt: 1 }
    await store.putDocument(
      collection.id,
      { ...document, text: passages.join('\n'), passages: cut },
      { model: model.id, dimension: model.dimension },
    )
  }
  return { tenant, collections: [name] }
}

const find = (query: Pick<RetrieveQuery, 'tenant' | 'collections' | 'text'> & Partial<RetrieveQuery>, with_ = parts) =>
  createRetriever(with_).retrieve({ topK: 10, ...query }, signal)

const documents = (found: { passages: readonly { document: string }[] }) =>
  found.passages.map(({ document }) => document)

const RUNBOOKS = {
  'kubernetes/KubeletDown.md': { passages: ['No kubelet answers. Restart the service on the node.'] },
  'kubernetes/KubePodNotReady.md': { passages: ['A pod is not ready. See its readiness probe and events.'] },
  'node/NodeClockSkew.md': { passages: ['The clock of a node drifts. Check chrony and its servers.'] },
  'etcd/etcdNoLeader.md': { passages: ['The members of etcd have no leader. Check the disks and the network.'] },
}

describe('what fits', () => {
  it('is first by words, by vectors and by both', async () => {
    const where = await library(RUNBOOKS)
    for (const mode of ['bm25', 'vector', 'hybrid'] as const) {
      const found = await find({ ...where, text: 'clock drifts chrony', mode })
      expect(documents(found)[0]).toBe('node/NodeClockSkew.md')
      expect(found.none).toBe(false)
    }
  })

  it('goes by its name before all that speaks of it', async () => {
    const where = await library({
      ...RUNBOOKS,
      'a.md': { passages: ['KubeletDown KubeletDown: kubelet down, kubelet down; see KubeletDown.'] },
      'b.md': { passages: ['When KubeletDown fires the kubelet is down.'] },
    })
    expect(documents(await find({ ...where, text: 'KubeletDown: the kubelet is down' }))[0]).toBe(
      'kubernetes/KubeletDown.md',
    )
  })

  it('is told with the place where it stands', async () => {
    const where = await library({
      x: { title: 'A page', passages: ['First.', 'The disk is full.'], metadata: { a: 'b' } },
    })
    const [best] = (await find({ ...where, text: 'disk full' })).passages
    expect(best).toMatchObject({
      collection: 'runbooks',
      document: 'x',
      title: 'A page',
      text: 'The disk is full.',
      start: 7,
      end: 24,
      metadata: { a: 'b' },
    })
  })

  it('has what the filter asks, however much nearer others are', async () => {
    const where = await library({
      near: { passages: ['disk full disk full'], metadata: { team: 'a' } },
      far: { passages: ['the disk of another'], metadata: { team: 'b' } },
    })
    expect(documents(await find({ ...where, text: 'disk full', filter: { team: 'b' } }))).toEqual(['far'])
    expect(documents(await find({ ...where, text: 'disk full', filter: { team: 'c' } }))).toEqual([])
  })
})

describe('one page', () => {
  const page = { passages: Array.from({ length: 8 }, (_, i) => `The disk is full, case ${i}.`) }

  it('gives no more than its share, so that others are seen', async () => {
    const where = await library({ page, other: { passages: ['Another disk.'] } })
    const found = documents(await find({ ...where, text: 'the disk is full', topK: 5 }))
    expect(found.filter((id) => id === 'page')).toHaveLength(2)
    expect(found).toContain('other')
  })

  it('comes once when documents are looked for', async () => {
    const where = await library({ page, other: { passages: ['Another disk.'] } })
    expect(documents(await find({ ...where, text: 'the disk is full', perDocument: 1 }))).toEqual(['page', 'other'])
  })
})

describe('what may not be read', () => {
  it('is never found by another tenant, whatever is asked', async () => {
    const mine = await library({ mine: { passages: ['alpha beta gamma'] } })
    const theirs = await library({ theirs: { passages: ['alpha beta gamma'] } })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('alpha', 'alpha beta', 'gamma "theirs"', 'x'),
        fc.constantFrom('bm25', 'vector', 'hybrid'),
        async (text, mode) => {
          const found = await find({ ...mine, collections: [...mine.collections, ...theirs.collections], text, mode })
          expect(documents(found)).not.toContain('theirs')
        },
      ),
      { numRuns: 20 },
    )
  })

  it('is what belongs to other teams; where there is nothing else, nothing fits', async () => {
    const where = await library(RUNBOOKS, { teams: ['sre'] })
    expect(await find({ ...where, text: 'KubeletDown' })).toEqual({ passages: [], none: true, confidence: 0 })
    expect((await find({ ...where, text: 'KubeletDown', team: 'shop' })).passages).toEqual([])
    expect((await find({ ...where, text: 'KubeletDown', team: 'sre' })).passages).not.toEqual([])
  })

  it('looks like what is not there', async () => {
    const where = await library(RUNBOOKS)
    expect(await find({ ...where, collections: ['elsewhere'], text: 'x' })).toMatchObject({ passages: [], none: true })
  })
})

describe('nothing fits', () => {
  it('where the question is about something else, and it is surer of what goes by its name', async () => {
    const where = await library(RUNBOOKS)
    const other = await find({ ...where, text: 'How do I cook a risotto with saffron and parmesan?' })
    expect(other.none).toBe(true)
    const named = await find({ ...where, text: 'etcdNoLeader' })
    expect(named.none).toBe(false)
    expect(named.confidence).toBeGreaterThan(other.confidence)
  })

  it('in an empty collection', async () => {
    expect(await find({ ...(await library({})), text: 'anything' })).toMatchObject({
      passages: [],
      none: true,
      confidence: 0,
    })
  })
})

describe('a half that fails', () => {
  const dead: EmbeddingModel = {
    ...model,
    embedQuery: () => Promise.reject(new AppError('unavailable', 'The embedding thread ended.')),
  }

  it('leaves the other, and is told', async () => {
    const where = await library(RUNBOOKS)
    const found = await find({ ...where, text: 'etcdNoLeader leader' }, { ...parts, modelOf: async () => dead })
    expect(documents(found)[0]).toBe('etcd/etcdNoLeader.md')
    expect(found.missing).toEqual([{ half: 'vectors', reason: 'The embedding thread ended.' }])
  })

  it('is an error where it was all that was asked', async () => {
    const where = await library(RUNBOOKS)
    await expect(
      find({ ...where, text: 'x', mode: 'vector' }, { ...parts, modelOf: async () => dead }),
    ).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('may be the words too', async () => {
    const where = await library(RUNBOOKS)
    const broken = new Proxy(store, {
      get: (target, key) =>
        key === 'byWords'
          ? () => Promise.reject(new Error('SQLITE_CORRUPT at /secret/path'))
          : Reflect.get(target, key).bind(target),
    })
    const found = await find({ ...where, text: 'clock drifts chrony' }, { ...parts, store: broken })
    expect(documents(found)[0]).toBe('node/NodeClockSkew.md')
    expect(found.missing).toMatchObject([{ half: 'words' }])
    expect(JSON.stringify(found.missing)).not.toContain('secret')
  })

  it('ends with its caller', async () => {
    const where = await library(RUNBOOKS)
    const stop = new AbortController()
    const slow: EmbeddingModel = {
      ...model,
      embedQuery: (_, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error))
          stop.abort(new AppError('client_gone'))
        }),
    }
    const asked = createRetriever({ ...parts, modelOf: async () => slow }).retrieve(
      { ...where, text: 'x', topK: 1 },
      stop.signal,
    )
    await expect(asked).rejects.toMatchObject({ code: 'client_gone' })
  })
})

it('a question that is none, or asks for too much, is refused with what to do', async () => {
  const where = await library({})
  for (const wrong of [{ text: ' \n' }, { topK: 0 }, { topK: 101 }, { topK: 1.5 }, { perDocument: 0 }])
    await expect(find({ ...where, text: 'x', ...wrong })).rejects.toMatchObject({ code: 'malformed' })
})

it('whatever is asked is answered, never as a query language', async () => {
  const where = await library(RUNBOOKS)
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 1, unit: 'binary' }), async (text) => {
      if (text.trim() === '') return
      const { passages, confidence } = await find({ ...where, text })
      expect(confidence).toBeGreaterThanOrEqual(0)
      expect(confidence).toBeLessThanOrEqual(1)
      expect(passages.every(({ score }) => Number.isFinite(score))).toBe(true)
    }),
    { numRuns: 60 },
  )
})
