import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { tempFolder } from '../../../../test/temp.ts'
import { silentLog } from '../../../observe/log.ts'
import { clusteredVectors, documentWith, embedding } from '../testing/documents.ts'
import { openSqliteStore, SqliteStore } from './open.ts'

const query = { filter: {}, limit: 1000 }

async function openAt(file: string): Promise<SqliteStore> {
  const store = await openSqliteStore(file, { log: silentLog() })
  onTestFinished(() => store.stop())
  if (!(store instanceof SqliteStore)) throw new Error('it is another store')
  return store
}

test('kill -9 in the midst of writing leaves whole documents only, in every index', async () => {
  const file = join(tempFolder(), 'knowledge.db')
  for (let kill = 0; kill < 3; kill++) {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../testing/writer.ts'), file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    await once(child.stdout, 'data')
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 150))
    child.kill('SIGKILL')
    expect(await exited).toEqual([null, 'SIGKILL'])

    const store = await openSqliteStore(file, { log: silentLog() })
    const collection = await store.findCollection('killed', 'c')
    const collections = [collection?.id ?? '']
    const documents = await store.listDocuments(collections[0]!, { limit: 100 })
    const total = documents.reduce((sum, { passages }) => sum + passages, 0)
    expect(total).toBeGreaterThan(0)
    const words = await store.byWords('passage', { ...query, collections })
    const nearest = await store.byVector(clusteredVectors(1, 1)[0]!, embedding.model, { ...query, collections })
    expect(words.length).toBe(Math.min(1000, total))
    expect(nearest.length).toBe(Math.min(1000, total))
    for (const { id, contentHash, passages } of documents) {
      const [version, count] = contentHash.split(' ')
      expect(passages).toBe(Number(count))
      const hits = words.concat(nearest).filter(({ document }) => document === id)
      for (const { text } of await store.passages(hits.map(({ passage }) => passage)))
        expect(text).toMatch(new RegExp(`^version${version} of ${count} `))
    }
    await store.stop()
  }
}, 60_000)

test('a thread that dies is told of, started again, and loses nothing that was acknowledged', async () => {
  const store = await openAt(join(tempFolder(), 'knowledge.db'))
  const { id } = await store.ensureCollection({ tenant: 't', name: 'c' }, 1)
  await store.putDocument(id, documentWith('kept', ['disk']), embedding)
  const underWay = Promise.allSettled(
    Array.from({ length: 50 }, (_, i) => store.putDocument(id, documentWith(`d${i}`, ['disk', 'disk']), embedding)),
  )
  const asked = Promise.allSettled(
    Array.from({ length: 50 }, () => store.byWords('disk', { ...query, collections: [id] })),
  )
  await Promise.all([store.writer.kill(), store.reader.kill()])
  const outcomes = [...(await underWay), ...(await asked)]
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: 'AppError', code: 'unavailable' })
  expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0)
  // Asked while there is no thread: it waits for the next.
  await store.putDocument(id, documentWith('after', ['disk']), embedding)
  const hits = await store.byWords('disk', { ...query, collections: [id] })
  const there = new Set(hits.map(({ document }) => document))
  expect([...there]).toEqual(expect.arrayContaining(['kept', 'after']))
  const acknowledged = (await underWay).filter(({ status }) => status === 'fulfilled').length
  expect(there.size).toBeGreaterThanOrEqual(2 + acknowledged)
})

test('stopping waits for what was asked before, and refuses what is asked after', async () => {
  const file = join(tempFolder(), 'knowledge.db')
  const store = await openAt(file)
  const { id } = await store.ensureCollection({ tenant: 't', name: 'c' }, 1)
  const texts = Array.from({ length: 200 }, (_, i) => `disk ${i}`)
  const asked = [
    store.putDocument(id, documentWith('a', texts.slice(0, 60)), embedding),
    store.byWords('disk', { ...query, collections: [id] }),
  ]
  await store.stop()
  await Promise.all(asked)
  await expect(store.findCollection('t', 'c')).rejects.toMatchObject({ code: 'unavailable' })
  await store.stop()
  const again = await openAt(file)
  expect((await again.findCollection('t', 'c'))?.passages).toBe(60)
})

test('what was erased is nowhere in the files any more', async () => {
  const folder = tempFolder()
  const store = await openAt(join(folder, 'knowledge.db'))
  const { id } = await store.ensureCollection({ tenant: 't', name: 'c' }, 1)
  const secret = 'zanzibarquux'
  for (let i = 0; i < 30; i++) {
    const texts = [`it says ${secret} number ${i}`, 'and more']
    const owner = i % 3 === 0 ? 'ann' : 'bob'
    await store.putDocument(id, documentWith(`d${i}`, owner === 'ann' ? texts : ['other'], { owner }), embedding)
  }
  expect(bytesIn(folder)).toContain(secret)
  expect(await store.eraseOwner('t', 'ann')).toBe(10)
  expect(bytesIn(folder)).not.toContain(secret)
  expect(await store.byWords(secret, { ...query, collections: [id] })).toEqual([])
})

test('a file that is no database, or one of a newer version, is refused with what to do', async () => {
  const folder = tempFolder()
  writeFileSync(join(folder, 'broken.db'), 'x'.repeat(5000))
  await expect(openSqliteStore(join(folder, 'broken.db'), { log: silentLog() })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('broken.db') as string,
  })
  const file = join(folder, 'newer.db')
  await (await openSqliteStore(file, { log: silentLog() })).stop()
  const db = new DatabaseSync(file)
  db.exec(`insert into migrations values ('2999-01-01-future', 1)`)
  db.close()
  await expect(openSqliteStore(file, { log: silentLog() })).rejects.toThrow(/newer Midwatch/)
})

const bytesIn = (folder: string): string =>
  readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'latin1'))
    .join('')
