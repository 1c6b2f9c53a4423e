import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempFolder } from '../../test/temp.ts'

const MAIN = join(import.meta.dirname, '../main.ts')

async function detect(args: readonly string[], input = '', cwd = tempFolder()) {
  const child = spawn(process.execPath, [MAIN, 'detect', ...args], { cwd, env: { PATH: process.env['PATH'] } })
  let [out, told] = ['', '']
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (told += data.toString()))
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, told, lines: out.split('\n').filter((line) => line !== '') }
}

test('one line a text, in order, with offsets in UTF-16 units', async () => {
  const file = join(tempFolder(), 'texts.jsonl')
  writeFileSync(file, '\uFEFF{"id":"a","text":"😀 jo@x.com"}\r\n\n{"id":2,"text":"nothing"}')
  const { code, lines } = await detect([file, '--json'])
  expect(code).toBe(0)
  expect(lines).toEqual([
    '{"id":"a","spans":[{"start":3,"end":11,"type":"email"}],"verdict":{"action":"allow","rule":null}}',
    '{"id":2,"spans":[],"verdict":{"action":"allow","rule":null}}',
  ])
})

test('the verdict and the kinds are those of the config', async () => {
  const folder = tempFolder()
  writeFileSync(join(folder, 'midwatch.yaml'), 'privacy: { pii: { action: block, types: [ip] } }')
  const { lines } = await detect(['-', '--json'], '{"id":1,"text":"jo@x.com 203.0.113.7"}\n', folder)
  expect(lines).toEqual([
    '{"id":1,"spans":[{"start":9,"end":20,"type":"ip"}],"verdict":{"action":"block","rule":"pii.ip"}}',
  ])
})

test('lines that are not right are told by number, the others answered, and the exit code is 1', async () => {
  const { code, told, lines } = await detect(['-', '--json'], 'no\n{"id":1}\n[]\n{"id":2,"text":"x"}\n')
  expect(code).toBe(1)
  expect(told).toMatch(/Line 1 is not JSON.*\nLine 2 has no right text.*\nLine 3 is not an object/)
  expect(lines).toHaveLength(1)
})

test('a file that is not there is told in a sentence', async () => {
  const { code, told } = await detect(['nowhere.jsonl', '--json'])
  expect([code, told]).toEqual([1, expect.stringMatching(/^midwatch: The texts cannot be read: ENOENT[^\n]*\n$/)])
})
