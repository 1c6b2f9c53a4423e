import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { readLogLines } from './log-lines.ts'
import { printTemplates } from './logs.ts'

const MAIN = join(import.meta.dirname, '../main.ts')

async function printed(input: string, json: boolean) {
  let out = ''
  for await (const text of printTemplates(Readable.from([Buffer.from(input)]), json)) out += text
  return out.split('\n').filter((line) => line !== '')
}

async function linesOf(...chunks: readonly Buffer[]) {
  const lines: string[] = []
  for await (const line of readLogLines(Readable.from(chunks))) lines.push(line)
  return lines
}

test('one JSON line for each line of the input, empty ones too, with its number, id and template', async () => {
  expect(await printed('took 3 ms\r\n\ntook 4 ms\nstopped', true)).toEqual([
    '{"line":1,"id":1,"template":"took <*>"}',
    '{"line":2,"id":2,"template":""}',
    '{"line":3,"id":1,"template":"took <*>"}',
    '{"line":4,"id":3,"template":"stopped"}',
  ])
})

test('for people, the templates with how often they came, the most frequent first', async () => {
  expect(await printed('stopped\ntook 3 ms\ntook 4 ms\n', false)).toEqual(['2 × took <*>', '1 × stopped'])
})

test('for people, what later lines show to be one template is one row, however many lines lie between', async () => {
  const name = (word: string) => `worker ${word} has started its shift`
  const between = Array.from({ length: 120_000 }, () => 'took 3 ms')
  const lines = [...['red', 'blue', 'pink'].map(name), ...between, ...['grey', 'black', 'white'].map(name)]
  expect(await printed(lines.join('\n'), false)).toEqual([
    '120000 × took <*>',
    '     6 × worker <*> has started its shift',
  ])
})

test('a file that is not there is told, and fails', async () => {
  const child = spawn(process.execPath, [MAIN, 'logs', 'templates', '/nowhere/app.log', '--json'])
  let told = ''
  child.stderr.on('data', (data: Buffer) => (told += data.toString()))
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(1)
  expect(told).toContain('The log cannot be read: ENOENT')
}, 60_000)

test('lines in JSON are read for their message, and what only looks like JSON is a line', async () => {
  const text = '{"message":"a 1","event":"E1"}\n{"log":"b"}\n{"level":3}\n{broken\n'
  expect(await linesOf(Buffer.from(text))).toEqual(['a 1', 'b', '{"level":3}', '{broken'])
})

test('a file is the same packed and plain, however its bytes are cut', async () => {
  const plain = Buffer.from('\uFEFFgrün 1\r\nrot 2\n\nblau')
  const packed = gzipSync(plain)
  for (const bytes of [plain, packed])
    for (let at = 0; at <= bytes.length; at++)
      expect(await linesOf(bytes.subarray(0, at), bytes.subarray(at))).toEqual(['grün 1', 'rot 2', '', 'blau'])
})

test('of a line without an end only the beginning is read', async () => {
  const chunk = Buffer.alloc(1_000_000, 'x')
  const [line = '', next] = await linesOf(...Array.from({ length: 20 }, () => chunk), Buffer.from('\nnext'))
  expect(line.length).toBeLessThan(1_200_000)
  expect(next).toBe('next')
})

test('a packed file that is cut off is told', async () => {
  const packed = gzipSync(Buffer.from('line\n'.repeat(1000)))
  await expect(linesOf(packed.subarray(0, 20))).rejects.toThrow('The log cannot be read')
})
