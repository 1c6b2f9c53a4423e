// Against the git program itself. A repository in a folder stands in for one on a server.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../../test/temp.ts'
import type { SourceItem } from '../source.ts'
import { createAddressRules } from './addresses.ts'
import { createGitSource, type GitOptions } from './git.ts'

const signal = new AbortController().signal

function git(cwd: string, ...args: string[]): void {
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd, stdio: 'ignore' })
}

function repository(files: Readonly<Record<string, string>>): string {
  const folder = tempFolder()
  git(folder, 'init', '--initial-branch=main')
  commit(folder, files)
  return folder
}

function commit(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  git(folder, 'add', '.')
  git(folder, 'commit', '-m', 'x')
}

const sourceOf = (url: string, more: Partial<GitOptions> = {}) =>
  createGitSource({
    url,
    include: [],
    exclude: [],
    folder: more.folder ?? tempFolder(),
    rules: createAddressRules([]),
    ...more,
  })

async function read(source: ReturnType<typeof sourceOf>): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const item of (await source.list(signal)).items as SourceItem[]) {
    if (item.kind !== 'document') continue
    const result = await item.read(undefined, signal)
    if (result.kind === 'read')
      found[`${item.id} from ${result.document.source}`] = Buffer.from(result.document.bytes).toString()
  }
  return found
}

describe('a git repository', () => {
  test('is read as it is now, and again when it moved on', async () => {
    const origin = repository({ 'docs/a.md': 'one', 'b.md': 'b' })
    const url = `file://${origin}`
    const source = sourceOf(url, { path: 'docs' })
    expect(await read(source)).toEqual({ [`a.md from ${url}#docs/a.md`]: 'one' })
    commit(origin, { 'docs/a.md': 'two' })
    expect(await read(source)).toEqual({ [`a.md from ${url}#docs/a.md`]: 'two' })
  })

  test('is read at a branch or a tag where one is named', async () => {
    const origin = repository({ 'a.md': 'one' })
    git(origin, 'tag', 'v1')
    git(origin, 'branch', 'old')
    commit(origin, { 'a.md': 'two' })
    const url = `file://${origin}`
    for (const ref of ['v1', 'old']) expect(Object.values(await read(sourceOf(url, { ref })))).toEqual(['one'])
  })

  test('that cannot be reached throws, and leaves nothing half made', async () => {
    const origin = repository({ 'a.md': 'one' })
    const folder = tempFolder()
    const source = sourceOf(`file://${origin}`, { folder })
    await read(source)
    rmSync(origin, { recursive: true })
    await expect(read(source)).rejects.toThrow('cannot be cloned')
    expect(readdirSync(folder)).toHaveLength(1)
  })

  test('runs nothing of what it holds, and follows no link out of itself', async () => {
    const origin = repository({ 'a.md': 'one', '.gitattributes': '*.md filter=evil\n' })
    const proof = join(tempFolder(), 'ran')
    const hooks = join(origin, '.git/hooks')
    mkdirSync(hooks, { recursive: true })
    for (const hook of ['post-checkout', 'upload-pack'])
      writeFileSync(join(hooks, hook), `#!/bin/sh\ntouch ${proof}\n`, { mode: 0o755 })
    symlinkSync('/etc/hostname', join(origin, 'link.md'))
    commit(origin, {})
    const found = await read(sourceOf(`file://${origin}`))
    expect(Object.values(found).sort()).toEqual(['/etc/hostname', 'one'])
    expect(existsSync(proof)).toBe(false)
  })

  test.each([
    'ext::sh -c touch% /tmp/x',
    '--upload-pack=touch /tmp/x',
    '-c',
    '/srv/repository',
    'file://-x',
    'ssh://-oProxyCommand=x/y',
    'git@host::path',
    '-x@host:path',
    'fd::17',
  ])('%s is no address', (url) => {
    expect(() => sourceOf(url)).toThrow('is no address of a git repository')
  })

  test('names of branches and paths cannot be options, nor lead elsewhere', () => {
    for (const ref of ['--upload-pack=x', 'a..b', 'a b', ''])
      expect(() => sourceOf('https://a/b', { ref }), ref).toThrow('is no name')
    for (const path of ['../x', 'a/../..', '/etc', '.git', 'a/.git/b'])
      expect(() => sourceOf('https://a/b', { path }), path).toThrow('inside')
  })

  test('is not asked for in the own network', async () => {
    await expect(read(sourceOf('http://127.0.0.1:1/x.git'))).rejects.toThrow('not public')
    await expect(read(sourceOf('http://localhost:1/x.git'))).rejects.toThrow('not public')
  })
})

test('a server that leads on to another is not followed: only the named host was judged', async () => {
  const asked: string[] = []
  const inside = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(404).end()
  }).listen(0, '127.0.0.2')
  await once(inside, 'listening')
  const target = inside.address() as AddressInfo
  const outside = createServer((request, response) => {
    response.writeHead(302, { location: `http://127.0.0.2:${target.port}${request.url}` }).end()
  }).listen(0, '127.0.0.1')
  await once(outside, 'listening')
  const { port } = outside.address() as AddressInfo
  try {
    const source = sourceOf(`http://127.0.0.1:${port}/x.git`, { rules: createAddressRules(['127.0.0.1']) })
    await expect(source.list(signal)).rejects.toThrow('cannot be cloned')
    expect(asked).toEqual([])
  } finally {
    inside.close()
    outside.close()
  }
})

test('a host by its name is asked at the address that was judged, and one without an address is not asked at all', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.headers.host ?? '')
    response.writeHead(404).end()
  }).listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    const allowed = sourceOf(`http://localhost:${port}/x.git`, { rules: createAddressRules(['localhost']) })
    await expect(allowed.list(signal)).rejects.toThrow('cannot be cloned')
    expect(asked).toContain(`localhost:${port}`)
    asked.length = 0
    await expect(sourceOf(`http://localhost:${port}/x.git`).list(signal)).rejects.toThrow('rag.fetch.allow')
    expect(asked).toEqual([])
    await expect(sourceOf('http://nowhere.invalid/x.git').list(signal)).rejects.toThrow('has no address')
  } finally {
    server.close()
  }
})
