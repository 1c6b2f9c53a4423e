// An ingest that is killed again and again at any moment, and run again each time, leaves the same passages as one that was
// never disturbed; and while it goes on nobody ever sees half of a document.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { silentLog } from '../../src/observe/log.ts'
import { openSqliteStore } from '../../src/rag/store/sqlite/open.ts'
import { tempFolder } from '../temp.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const DOCUMENTS = 30
const KILLS = 3

const databaseOf = (data: string): string => join(data, 'knowledge/knowledge.db')

function ingest(data: string, paths: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, 'ingest', ...paths, '--collection', 'runbooks', '--data', data, '--json'], {
    cwd: data,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function ended(child: ChildProcess): Promise<{ code: number | null; out: string; said: string }> {
  let out = ''
  let said = ''
  child.stdout?.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr?.on('data', (data: Buffer) => (said += data.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, out, said }
}

/** How many documents are stored, as another process sees it. */
function countIn(data: string): number {
  if (!existsSync(databaseOf(data))) return 0
  const database = new DatabaseSync(databaseOf(data), { readOnly: true, timeout: 5_000 })
  try {
    const row = database.prepare('select count(*) as n from documents').get() as { n: number }
    return row.n
  } catch {
    // It is being made.
    return 0
  } finally {
    database.close()
  }
}

/** Everything that is stored but for its numbers and times. */
async function storedIn(data: string) {
  const store = await openSqliteStore(databaseOf(data), { log: silentLog() })
  try {
    const collection = (await store.findCollection('default', 'runbooks'))!
    const passages = await store.passagesWithout(collection.id, 'no model', 100_000)
    const documents = await store.listDocuments(collection.id, { limit: 1_000 })
    const unembedded = await store.passagesWithout(collection.id, collection.embedding!.model, 1)
    return {
      unembedded,
      documents: documents.map((document) => ({ ...document, ingestedAt: 0 })),
      passages: passages
        .map((passage) => ({ ...passage, id: '', collection: '' }))
        .sort((a, b) => (a.document < b.document ? -1 : a.document > b.document ? 1 : a.ordinal - b.ordinal)),
    }
  } finally {
    await store.stop()
  }
}

function corpus(): { readonly paths: readonly string[]; readonly folder: string } {
  const folder = join(tempFolder(), 'docs')
  mkdirSync(folder)
  for (let i = 0; i < DOCUMENTS; i++) {
    const text = `# Runbook ${i}\n\nService number ${i} is slow.\n\n## Mitigation\n\nRestart shard ${i}, then look at queue ${i * 7}.\n`
    writeFileSync(join(folder, `${i}.md`), text)
  }
  const lines = join(tempFolder(), 'more.jsonl')
  const more = Array.from({ length: DOCUMENTS / 2 }, (_, i) => ({
    id: `line-${i}`,
    title: `T${i}`,
    text: `Abstract ${i}.`,
    metadata: { i },
  }))
  writeFileSync(lines, more.map((one) => JSON.stringify(one)).join('\n'))
  return { paths: [folder, lines], folder }
}

test('killed anywhere and run again, it leaves what an undisturbed run leaves', async () => {
  const { paths, folder } = corpus()
  const total = DOCUMENTS * 1.5
  const [disturbed, quiet] = [tempFolder(), tempFolder()]
  for (let kill = 1; kill <= KILLS; kill++) {
    const child = ingest(disturbed, paths)
    const end = ended(child)
    const before = countIn(disturbed)
    // The first time while it is only beginning, then further and further in.
    const target = Math.min(total - 1, kill === 1 ? 1 : before + Math.floor(total / (KILLS + 1)))
    while (countIn(disturbed) < target && child.exitCode === null) await wait(15)
    await wait(Math.random() * 20)
    child.kill('SIGKILL')
    await end
  }
  const counted = countIn(disturbed)
  const last = await ended(ingest(disturbed, paths))
  expect(last.code, last.said).toBe(0)
  const undisturbed = await ended(ingest(quiet, paths))
  expect(undisturbed.code, undisturbed.said).toBe(0)
  const [a, b] = [await storedIn(disturbed), await storedIn(quiet)]
  expect(a.documents).toHaveLength(total)
  expect(a.unembedded).toEqual([])
  expect(a).toEqual(b)
  // The last one only did what was missing.
  const { sources } = JSON.parse(last.out) as { sources: { documents: { added: number; unchanged: number } }[] }
  expect(sources.reduce((sum, { documents }) => sum + documents.unchanged, 0)).toBeGreaterThanOrEqual(counted)
  console.log(`${counted} of ${total} documents stood after ${KILLS} kills.`)
  // And two of them at once, over what changed meanwhile, leave the same again.
  writeFileSync(join(folder, '0.md'), '# Runbook 0\n\nIt is well now.\n')
  const both = await Promise.all([
    ended(ingest(disturbed, paths)),
    ended(ingest(disturbed, paths)),
    ended(ingest(quiet, paths)),
  ])
  expect(both.map(({ code, said }) => [code, said])).toEqual([
    [0, ''],
    [0, ''],
    [0, ''],
  ])
  expect(await storedIn(disturbed)).toEqual(await storedIn(quiet))
})

test('Ctrl-C leaves whole documents and says how to go on', async () => {
  const { paths } = corpus()
  const data = tempFolder()
  const child = ingest(data, paths)
  const end = ended(child)
  while (countIn(data) < 3 && child.exitCode === null) await wait(15)
  child.kill('SIGINT')
  const { code, said } = await end
  // It may have been through already.
  if (code !== 0) expect(said).toContain('run it again to go on')
  const { documents, passages } = await storedIn(data)
  for (const { id, passages: count } of documents)
    expect(passages.filter(({ document }) => document === id)).toHaveLength(count)
})
