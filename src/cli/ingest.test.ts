// `midwatch ingest` and `midwatch collections` as a shell sees them.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempFolder } from '../../test/temp.ts'

const MAIN = join(import.meta.dirname, '../main.ts')

function midwatch(cwd: string, ...args: string[]): Promise<{ code: number | null; out: string; said: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env['PATH'] }, cwd })
  let [out, said] = ['', '']
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (said += data.toString()))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, said })))
}

test('documents go into a collection of their tenant and team; what is bad is told by name, with exit code 1', async () => {
  const cwd = tempFolder()
  mkdirSync(join(cwd, 'docs'))
  writeFileSync(join(cwd, 'docs/good.md'), '# Good\n\nRead me.')
  writeFileSync(join(cwd, 'docs/bad.pdf'), '%PDF-1.7 and then nothing of the kind')
  const ingest = ['ingest', 'docs', '--collection', 'runbooks', '--tenant', 'acme', '--team', 'sre']
  const first = await midwatch(cwd, ...ingest)
  expect(first.code, first.said).toBe(1)
  expect(first.out).toBe('')
  expect(first.said).toMatch(/1 added, 0 changed, 0 unchanged, 0 removed, 1 failed[^]*\n {2}bad\.pdf: ./)
  const again = JSON.parse((await midwatch(cwd, ...ingest, '--json')).out) as unknown
  expect(again).toMatchObject({
    collection: { name: 'runbooks', tenant: 'acme', documents: 1, passages: 1 },
    sources: [{ documents: { unchanged: 1, failed: 1 }, failures: [{ document: 'bad.pdf' }] }],
  })
  const listed = JSON.parse((await midwatch(cwd, 'collections', 'list', '--tenant', 'acme', '--json')).out) as unknown
  expect(listed).toMatchObject([{ name: 'runbooks', teams: ['sre'], documents: 1 }])
  expect((await midwatch(cwd, 'collections')).out).toContain('No collections yet')
}, 120_000)

test('a wrong name and a path that is not there are told in a sentence', async () => {
  const cwd = tempFolder()
  const wrong = await midwatch(cwd, 'ingest', 'x', '--collection', 'a/b')
  expect(wrong).toMatchObject({ code: 2, said: expect.stringContaining('A name is letters') as string })
  const missing = await midwatch(cwd, 'ingest', 'nowhere', '--collection', 'runbooks')
  expect(missing).toMatchObject({
    code: 1,
    said: expect.stringContaining('nowhere cannot be read: it is not there') as string,
  })
}, 120_000)
