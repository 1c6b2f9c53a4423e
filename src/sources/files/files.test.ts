import { execFileSync } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { LogQuery } from '../../core/telemetry.ts'
import { createFileLogSource } from './files.ts'
import type { LogFields } from '../log-line.ts'

const FIELDS: LogFields = {
  time: ['time', 'timestamp'],
  service: ['service'],
  level: ['level'],
  message: ['msg', 'message'],
  requestId: ['requestId'],
}
const START = Date.UTC(2026, 10, 1)
const never = new AbortController().signal

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'midwatch-logs-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const source = (paths = [folder]) => createFileLogSource({ paths, fields: FIELDS })
const all: LogQuery = { fromMs: START - 3_600_000, toMs: START + 86_400_000, limit: 1000 }
const json = (second: number, msg: string, more: object = {}) =>
  `${JSON.stringify({ time: new Date(START + second * 1000).toISOString(), service: 'cart', level: 'info', msg, ...more })}\n`
const put = (name: string, text: string) => writeFile(join(folder, name), text)
const messages = async (query: Partial<LogQuery> = {}, from = source()) =>
  (await from.read({ ...all, ...query }, never)).lines.map(({ message }) => message)

describe('reading a window', () => {
  test('lines of all files come in order of time with what they tell', async () => {
    await put('cart.log', json(1, 'one', { level: 50, requestId: 'r1' }) + json(3, 'three'))
    await put('pay.jsonl', json(2, 'two', { service: 'pay', level: 'WARN' }))
    const { lines, truncated, problems } = await source().read(all, never)
    expect(truncated).toBe(false)
    expect(problems).toBeUndefined()
    expect(lines.map((line) => ({ ...line, ref: undefined }))).toEqual([
      { at: START + 1000, service: 'cart', level: 'error', message: 'one', requestId: 'r1', ref: undefined },
      { at: START + 2000, service: 'pay', level: 'warn', message: 'two', ref: undefined },
      { at: START + 3000, service: 'cart', level: 'info', message: 'three', ref: undefined },
    ])
  })

  test('time, service and level narrow it, both ends of the time included', async () => {
    const levels = ['debug', 'info', 'warn', 'error', 'fatal']
    await put('a.log', levels.map((level, i) => json(i, level, { level })).join(''))
    expect(await messages({ fromMs: START + 1000, toMs: START + 3000 })).toEqual(['info', 'warn', 'error'])
    expect(await messages({ minLevel: 'error' })).toEqual(['error', 'fatal'])
    expect(await messages({ services: ['pay'] })).toEqual([])
  })

  test('a line longer than a block does not hide what is before it', async () => {
    const before = Array.from({ length: 5000 }, (_, i) => json(i, `m${i}`.padEnd(1000))).join('')
    await put('a.log', before + json(5000, 'x'.repeat(700_000)) + json(5001, 'last'))
    const { lines, problems } = await source().read({ ...all, limit: 10_000 }, never)
    expect(problems).toBeUndefined()
    expect(lines).toHaveLength(5002)
  })

  test('a message nested too deep to be written again does not hide the others', async () => {
    const deep = `{"time":${START + 2000},"msg":${'['.repeat(100_000)}${']'.repeat(100_000)}}\n`
    await put('a.log', json(1, 'one') + deep + json(3, 'three'))
    const found = await messages()
    expect([found.length, found[0], found[2]]).toEqual([3, 'one', 'three'])
  })

  test('the limit keeps the newest over all files and says so', async () => {
    for (const name of ['a', 'b', 'c']) {
      await put(`${name}.log`, Array.from({ length: 300 }, (_, i) => json(i, `${name}${i}`)).join(''))
    }
    const { lines, truncated } = await source().read({ ...all, limit: 6 }, never)
    expect(lines.map(({ message }) => message)).toEqual(['a298', 'b298', 'c298', 'a299', 'b299', 'c299'])
    expect(truncated).toBe(true)
    expect((await source().read({ ...all, limit: 900 }, never)).truncated).toBe(false)
  })

  test('a small window in a large file is found whole, wherever it lies', async () => {
    const padding = 'x'.repeat(150)
    const count = 20_000
    await put('big.log', Array.from({ length: count }, (_, i) => json(i, `${i} ${padding}`)).join(''))
    for (const second of [0, 1, 77, 9_999, 12_345, count - 2]) {
      const found = await messages({ fromMs: START + second * 1000, toMs: START + (second + 1) * 1000 })
      expect(found).toEqual([`${second} ${padding}`, `${second + 1} ${padding}`])
    }
    expect(await messages({ fromMs: START + count * 1000, toMs: START + 2 * count * 1000 })).toEqual([])
  })

  test('lines that are a little out of order, or far out of it by a wrong clock, lose no others', async () => {
    const order = Array.from({ length: 20_000 }, (_, i) => (i % 7 === 0 ? i + 5 : i))
    const wrong = (i: number) => (i % 1000 === 500 ? i + 500_000 : i % 1000 === 700 ? i - 500_000 : i)
    await put('a.log', order.map((second) => json(wrong(second), `${second}`)).join(''))
    const found = await messages({ fromMs: START + 10_000_000, toMs: START + 10_010_000 })
    expect(new Set(found)).toEqual(new Set(order.filter((s) => s >= 10_000 && s <= 10_010).map(String)))
  })

  test('new files and lines are seen by the next question', async () => {
    const from = source()
    await put('a.log', json(1, 'one'))
    expect(await messages({}, from)).toEqual(['one'])
    await appendFile(join(folder, 'a.log'), json(2, 'two'))
    await mkdir(join(folder, 'inner'))
    await put('inner/b.json', json(3, 'three'))
    expect(await messages({}, from)).toEqual(['one', 'two', 'three'])
  })
})

describe('lines that are not as they should be', () => {
  test('a torn last line is left out until it is whole', async () => {
    const second = json(2, 'two')
    await put('a.log', json(1, 'one') + second.slice(0, 30))
    expect(await messages()).toEqual(['one'])
    await appendFile(join(folder, 'a.log'), second.slice(30).trimEnd())
    expect(await messages()).toEqual(['one', 'two'])
  })

  test('text that is no JSON is a message at the time of the line before it', async () => {
    await put('cart.log', `too early\n${json(1, 'one')}Error: broken\n    at main.ts:1\n\n${json(5, 'five')}`)
    const { lines } = await source().read(all, never)
    expect(lines.map(({ at, level, message, service }) => [at - START, level, message, service])).toEqual([
      [1000, 'info', 'one', 'cart'],
      [1000, 'error', 'Error: broken', 'cart'],
      [1000, 'info', '    at main.ts:1', 'cart'],
      [5000, 'info', 'five', 'cart'],
    ])
  })

  test('a long stretch without times keeps the time before it, across blocks', async () => {
    const noise = Array.from({ length: 9000 }, (_, i) => `${' '.repeat(80)}frame ${i}\n`).join('')
    await put('a.log', json(1, 'one') + noise + json(9, 'nine'))
    const { lines } = await source().read({ ...all, limit: 20_000 }, never)
    expect(lines).toHaveLength(9002)
    expect(new Set(lines.slice(0, -1).map(({ at }) => at))).toEqual(new Set([START + 1000]))
    expect(lines[1]?.message.trim()).toBe('frame 0')
    expect(lines[9000]?.message.trim()).toBe('frame 8999')
  })

  test('a line of megabytes is clipped and costs its neighbours nothing', async () => {
    await put('a.log', json(1, 'one') + json(2, 'y'.repeat(3_000_000)) + json(3, 'three'))
    const found = await messages()
    expect(found.map((message) => message.length > 9000)).toEqual([false, false, false])
    expect([found[0], found[2]]).toEqual(['one', 'three'])
    expect((await source().read(all, never)).lines[1]).toMatchObject({
      at: START + 2000,
      service: 'cart',
      level: 'info',
    })
  })

  test('bytes of any kind never throw', async () => {
    const noise = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919 + (i >> 3)) % 256))
    await writeFile(
      join(folder, 'a.log'),
      Buffer.concat([Buffer.alloc(70_000), noise, Buffer.from(`\n${json(1, 'one')}`)]),
    )
    expect(await messages()).toEqual(['one'])
  })

  test('a file that never tells a time is named, not searched for ever', async () => {
    await put('a.log', 'no time here, and there never was\n'.repeat(200_000))
    const { lines, problems } = await source().read(all, never)
    expect(lines).toEqual([])
    expect(problems).toEqual(['a.log tells no times that can be read'])
  })
})

describe('files that come and go', () => {
  test('a folder that is missing is said in words, and the others are read', async () => {
    await put('a.log', json(1, 'one'))
    const missing = join(folder, 'nowhere')
    const { lines, problems } = await source([missing, folder]).read(all, never)
    expect(lines).toHaveLength(1)
    expect(problems).toEqual([`${missing} cannot be read: it does not exist`])
  })

  // Nothing is forbidden to root.
  test.skipIf(process.getuid?.() === 0)('a folder inside that may not be read hides only itself', async () => {
    await mkdir(join(folder, 'private'), { mode: 0 })
    await put('a.log', json(1, 'one'))
    const { lines, problems } = await source().read(all, never)
    expect(lines).toHaveLength(1)
    expect(problems).toEqual([`${join(folder, 'private')} cannot be read: permission denied`])
  })

  test('a named pipe behind a link is passed over', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')])
    await symlink(join(folder, 'pipe'), join(folder, 'a.log'))
    await put('b.log', json(1, 'one'))
    const { lines, problems } = await source().read(all, never)
    expect(lines).toHaveLength(1)
    expect(problems).toEqual(['a.log cannot be read: it is not a file'])
  })

  test('a rotated file is still read, and its lines still found', async () => {
    await put('a.log', json(1, 'one'))
    const [line] = (await source().read(all, never)).lines
    await rename(join(folder, 'a.log'), join(folder, 'a.log.1'))
    await put('a.log', json(2, 'two'))
    expect(await messages()).toEqual(['one', 'two'])
    expect(await source().findLine(line?.ref ?? '', never)).toEqual(line)
  })

  test('a truncated file has what is left in it', async () => {
    await put('a.log', json(1, 'one') + json(2, 'two'))
    await truncate(join(folder, 'a.log'), json(1, 'one').length)
    expect(await messages()).toEqual(['one'])
  })

  test('an abort ends the reading', async () => {
    await put('a.log', json(1, 'one'))
    await expect(source().read(all, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  })
})

describe('finding a line again', () => {
  test('every line that was read is found by its ref, as it was', async () => {
    await mkdir(join(folder, 'deep'))
    await put('deep/a.log', `${json(1, 'one')}plain text\n${json(2, 'zwölf')}${json(3, 'z'.repeat(400_000))}{"tim`)
    const { lines } = await source().read(all, never)
    expect(lines).toHaveLength(4)
    for (const line of lines) expect(await source().findLine(line.ref, never)).toEqual(line)
  })

  test('a line that changed, moved or went is not found', async () => {
    await put('a.log', json(1, 'one'))
    const ref = (await source().read(all, never)).lines[0]?.ref ?? ''
    await put('a.log', json(1, 'eno'))
    expect(await source().findLine(ref, never)).toBeUndefined()
    await rm(join(folder, 'a.log'))
    expect(await source().findLine(ref, never)).toBeUndefined()
  })

  test('no ref reaches outside the configured paths', async () => {
    await mkdir(join(folder, 'logs'))
    await put('secret.log', json(1, 'secret'))
    const outside = (await source().read(all, never)).lines[0]?.ref ?? ''
    const inside = source([join(folder, 'logs')])
    const [, rest = ''] = /^secret\.log(:.+)$/.exec(outside) ?? []
    expect(rest).not.toBe('')
    for (const name of [
      '../secret.log',
      'x/../../secret.log',
      join(folder, 'secret.log'),
      '..\\secret.log',
      'secret.log',
    ]) {
      expect(await inside.findLine(`${name}${rest}`, never)).toBeUndefined()
    }
  })

  test.each(['', 'a.log', 'a.log:1', 'a.log:x:000000000000', 'a.log:999999999999999:0123456789ab', '::'])(
    'the ref %j finds nothing',
    async (ref) => {
      await put('a.log', json(1, 'one'))
      expect(await source().findLine(ref, never)).toBeUndefined()
    },
  )
})
