import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ensureWebBuilt } from './web-build.ts'

let webDir: string
let said: string[]

beforeEach(async () => {
  webDir = await mkdtemp(join(tmpdir(), 'midwatch-web-'))
  said = []
  await writeFile(join(webDir, 'index.html'), '<!doctype html><script type="module" src="/main.js"></script>')
  await writeFile(join(webDir, 'main.js'), 'document.title = "first"')
})

afterEach(async () => {
  await chmod(webDir, 0o755)
  await rm(webDir, { recursive: true, force: true })
})

const ensure = () => ensureWebBuilt({ webDir, say: (line) => said.push(line) })
const scripts = async (): Promise<string> => {
  const assets = join(webDir, 'dist', 'assets')
  const names = await readdir(assets)
  return (await Promise.all(names.map((name) => readFile(join(assets, name), 'utf8')))).join('\n')
}

test('a missing page is built once, with one line that says so, and then left alone', async () => {
  await ensure()
  expect(said).toEqual([expect.stringContaining('Building the page')])
  expect(await scripts()).toContain('first')
  expect(await readdir(join(webDir, 'dist'))).toEqual(['assets', 'index.html'])
  await ensure()
  expect(said.length).toBe(1)
})

test('a source that is newer than the page builds it again, and nothing old stays', async () => {
  await ensure()
  await writeFile(join(webDir, 'main.js'), 'document.title = "second"')
  const later = new Date(Date.now() + 5000)
  await utimes(join(webDir, 'main.js'), later, later)
  await ensure()
  expect(said.length).toBe(2)
  expect(await scripts()).toContain('second')
  expect(await scripts()).not.toContain('first')
})

test('a page that cannot be built leaves the old one in place and says why', async () => {
  await ensure()
  await writeFile(join(webDir, 'main.js'), 'import "./missing.js"')
  const later = new Date(Date.now() + 5000)
  await utimes(join(webDir, 'main.js'), later, later)
  await ensure()
  expect(said.at(-1)).toMatch(/could not be built[\s\S]*missing\.js[\s\S]*The page is an old one/)
  expect(await scripts()).toContain('first')
  expect(await readdir(join(webDir, 'dist'))).toEqual(['assets', 'index.html'])
})

// Root writes anywhere.
test.skipIf(process.getuid?.() === 0)('a folder that cannot be written is told, and nothing is thrown', async () => {
  await chmod(webDir, 0o555)
  await ensure()
  expect(said.at(-1)).toContain('cannot be written')
})

test('a folder that is in the way is told, and nothing is thrown', async () => {
  await writeFile(join(webDir, 'dist'), 'a file where the folder should be')
  await ensure()
  expect(said.at(-1)).toContain('could not be built')
  await rm(join(webDir, 'dist'))
  await mkdir(join(webDir, 'dist'))
  await ensure()
  expect(await scripts()).toContain('first')
})
