import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../../test/temp.ts'
import type { SourceItem } from '../source.ts'
import { createJsonLinesSource } from './json-lines.ts'

async function read(text: string | Buffer): Promise<{ total: number | null; items: SourceItem[] }> {
  const file = join(tempFolder(), 'corpus.jsonl')
  writeFileSync(file, text)
  const { total, items } = await createJsonLinesSource(file).list(new AbortController().signal)
  const all: SourceItem[] = []
  for await (const item of items) all.push(item)
  return { total, items: all }
}

async function documentOf(item: SourceItem | undefined) {
  const result = item?.kind === 'document' ? await item.read(undefined, new AbortController().signal) : undefined
  if (result?.kind !== 'read') throw new Error('no document')
  return { ...result.document, bytes: Buffer.from(result.document.bytes).toString() }
}

test('a line is a document with its title and its metadata; a number is taken as an id', async () => {
  const { total, items } = await read(
    '\uFEFF{"id":"a","title":"A","text":"Ünïcode","metadata":{"team":"sre","n":1,"b":true}}\r\n\n{"id":7,"text":""}',
  )
  expect(total).toBe(3)
  expect(await Promise.all(items.map(documentOf))).toEqual([
    {
      id: 'a',
      title: 'A',
      source: null,
      bytes: 'Ünïcode',
      mediaType: 'text/plain',
      metadata: { team: 'sre', n: 1, b: true },
    },
    { id: '7', source: null, bytes: '', mediaType: 'text/plain', metadata: {} },
  ])
})

test('a line that is wrong is told with its number and does not end the reading', async () => {
  const { items } = await read(
    '{"id":"a","text":"x"}\n{"id":"b"}\nno JSON\n{"id":"c","text":"x","metadata":{"deep":{}}}\n{"id":"d","text":"x"}',
  )
  expect(items.map((item) => ('id' in item ? `${item.kind} ${item.id}` : item.kind))).toEqual([
    'document a',
    'bad b',
    'bad line 3',
    // It may have been any document, so that none counts as deleted.
    'gap',
    'bad c',
    'document d',
  ])
})

test('a line without an end does not fill the memory, and those behind it are read', async () => {
  const { items } = await read(
    Buffer.concat([Buffer.alloc(40 * 1024 * 1024, 'x'), Buffer.from('\n{"id":"a","text":"x"}\n')]),
  )
  expect(items.map(({ kind }) => kind)).toEqual(['bad', 'gap', 'document'])
})
