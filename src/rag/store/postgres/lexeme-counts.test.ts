import { Client } from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { silentLog } from '../../../observe/log.ts'
import { documentWith, embedding } from '../testing/documents.ts'
import { startPostgres } from '../testing/postgres.ts'
import { openPostgresStore } from './open.ts'

test('words are counted alike while they wait and when they were added, and none stays of a document that is gone', async () => {
  const server = await startPostgres()
  const store = await openPostgresStore(server.url, { log: silentLog() })
  onTestFinished(async () => {
    await store.stop()
    await server.close()
  })
  const collection = await store.ensureCollection({ tenant: 'a', name: 'c' }, 1)
  const put = (id: string, text: string) => store.putDocument(collection.id, documentWith(id, [text]), embedding)
  const counts = async () =>
    (await store.wordCounts('pump valve zanzibar', [collection.id])).words.map(({ passages }) => passages)
  await put('one', 'The pump of zanzibar.')
  await put('two', 'The pump and the valve.')
  expect(await counts()).toEqual([2, 1, 1])
  await store.settle(collection.id, new AbortController().signal)
  expect(await counts()).toEqual([2, 1, 1])
  await put('one', 'The valve alone.')
  await put('three', 'Zanzibar again.')
  expect(await counts()).toEqual([1, 2, 1])
  await store.removeDocument(collection.id, 'three')
  expect(await counts()).toEqual([1, 2, 0])
  const client = new Client({ connectionString: server.url })
  client.on('error', () => undefined)
  await client.connect()
  // Sessions of this server share what is in the search path.
  const { rows } = await client.query<{ n: number }>(
    `select (select count(*) from lexemes where lexeme like 'zanz%')
       + (select count(*) from lexeme_changes where array_to_string(lexemes, ' ') like '%zanz%') as n`,
  )
  await client.end()
  expect(Number(rows[0]?.n)).toBe(0)
}, 60_000)
