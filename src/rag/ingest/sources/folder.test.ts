import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../../test/temp.ts'
import type { SourceItem } from '../source.ts'
import { createFileSource, createFolderSource, type FolderOptions } from './folder.ts'

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

async function itemsIn(path: string, options: Partial<FolderOptions> = {}): Promise<SourceItem[]> {
  const source = createFolderSource({ path, include: [], exclude: [], ...options })
  return [...((await source.list(new AbortController().signal)).items as SourceItem[])]
}

const idsIn = async (path: string, options: Partial<FolderOptions> = {}): Promise<string[]> =>
  (await itemsIn(path, options)).flatMap((item) => (item.kind === 'document' ? [item.id] : []))

async function textOf(item: SourceItem | undefined): Promise<string> {
  if (item?.kind !== 'document') throw new Error(`no document but ${item?.kind}`)
  const result = await item.read(undefined, new AbortController().signal)
  if (result.kind !== 'read') throw new Error(result.kind)
  return Buffer.from(result.document.bytes).toString()
}

describe('a folder', () => {
  test('holds what people write, by paths relative to it, and nothing that tools made', async () => {
    const folder = tempFolder()
    write(folder, {
      'a.md': '',
      'deep/er/b.HTML': '',
      'deep/README': '',
      'picture.png': '',
      'main.ts': '',
      '.git/description.md': '',
      '.hidden.md': '',
      'node_modules/x/README.md': '',
    })
    expect(await idsIn(folder)).toEqual(['a.md', 'deep/README', 'deep/er/b.HTML'])
  })

  test('holds what include and exclude say: names at any depth, paths, and whole folders', async () => {
    const folder = tempFolder()
    write(folder, { 'a.yaml': '', 'x/b.yaml': '', 'x/c.md': '', 'drafts/d.yaml': '', 'x/drafts/e.yaml': '' })
    expect(await idsIn(folder, { include: ['*.yaml'] })).toEqual([
      'a.yaml',
      'drafts/d.yaml',
      'x/b.yaml',
      'x/drafts/e.yaml',
    ])
    expect(await idsIn(folder, { include: ['*.yaml'], exclude: ['drafts'] })).toEqual(['a.yaml', 'x/b.yaml'])
    expect(await idsIn(folder, { include: ['x/**'], exclude: ['x/drafts/'] })).toEqual(['x/b.yaml', 'x/c.md'])
    expect(await idsIn(folder, { include: ['x'] })).toEqual(['x/b.yaml', 'x/c.md', 'x/drafts/e.yaml'])
  })

  test('links lead to what is inside, once, and never out of it or in a circle', async () => {
    const outside = tempFolder()
    const folder = tempFolder()
    write(outside, { 'secret.md': 'secret', 'more/secret.md': 'secret' })
    // As Kubernetes mounts a ConfigMap.
    write(folder, { '..2026/a.md': 'inside' })
    symlinkSync('..2026', join(folder, '..data'))
    symlinkSync('..data/a.md', join(folder, 'a.md'))
    symlinkSync('.', join(folder, 'circle'))
    symlinkSync(join(outside, 'secret.md'), join(folder, 'secret.md'))
    symlinkSync(join(outside, 'more'), join(folder, 'more'))
    const items = await itemsIn(folder)
    expect(items.map(({ kind, ...rest }) => [kind, 'id' in rest ? rest.id : rest.reason])).toEqual([
      ['document', 'a.md'],
      ['bad', 'secret.md'],
    ])
    expect(await textOf(items[0])).toBe('inside')
  })

  test('a file that became a link or a pipe since it was listed is not read', async () => {
    const outside = tempFolder()
    const folder = tempFolder()
    write(outside, { 'secret.md': 'secret' })
    write(folder, { 'a.md': 'a', 'b.md': 'b' })
    const [a, b] = await itemsIn(folder)
    rmSync(join(folder, 'a.md'))
    symlinkSync(join(outside, 'secret.md'), join(folder, 'a.md'))
    rmSync(join(folder, 'b.md'))
    execFileSync('mkfifo', [join(folder, 'b.md')])
    await expect(textOf(a)).rejects.toThrow('it is a link')
    await expect(textOf(b)).rejects.toThrow('It is no file')
  })

  test('a folder in it that cannot be looked into is a gap', async () => {
    const folder = tempFolder()
    write(folder, { 'a.md': '', [`${'deep/'.repeat(70)}b.md`]: '' })
    expect((await itemsIn(folder)).map(({ kind }) => kind)).toEqual(['document', 'gap'])
  })

  test('that is not there is told, and never taken for an empty one', async () => {
    await expect(itemsIn(join(tempFolder(), 'nowhere'))).rejects.toThrow('it is not there')
  })

  test('one that grew too large is refused before it is read', async () => {
    const folder = tempFolder()
    write(folder, { 'a.md': '' })
    truncateSync(join(folder, 'a.md'), 40 * 1024 * 1024)
    const [item] = await itemsIn(folder)
    await expect(textOf(item)).rejects.toThrow('larger than a document may be (40 MB of 32 MB)')
  })

  test('looks different once a file changed, and the same while it did not', async () => {
    const folder = tempFolder()
    write(folder, { 'a.md': 'one' })
    const looks = async () => (await itemsIn(folder)).map((item) => item.kind === 'document' && item.looks)
    const before = await looks()
    expect(await looks()).toEqual(before)
    write(folder, { 'a.md': 'two' })
    expect(await looks()).not.toEqual(before)
  })
})

test('a file by itself is called by its name', async () => {
  const folder = tempFolder()
  write(folder, { 'deep/notes.log': 'text' })
  const { items } = await createFileSource(join(folder, 'deep/notes.log')).list(new AbortController().signal)
  const [item] = items as SourceItem[]
  expect(item).toMatchObject({ kind: 'document', id: 'notes.log' })
  expect(await textOf(item)).toBe('text')
})
