import { appendFileSync, createReadStream, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../test/temp.ts'
import { Journal, settleFile } from './journal.ts'
import { type Line, linesOf } from './lines.ts'

const line = (id: string) => Buffer.from(`${JSON.stringify({ custom_id: id })}\n`)

test('what was written is known when it is opened again, and is not written twice', async () => {
  const path = join(tempFolder(), 'batch')
  const journal = await Journal.open(path)
  await Promise.all([journal.add('completed', 'a', line('a')), journal.add('failed', 'b', line('b'))])
  await journal.add('completed', 'a', line('a'))
  await journal.close()
  const again = await Journal.open(path)
  expect([again.has('a'), again.has('b'), again.has('c')]).toEqual([true, true, false])
  expect(again.counts).toEqual({ completed: 1, failed: 1 })
  await again.add('failed', 'a', line('a'))
  await again.close()
  expect(readFileSync(`${path}.output`, 'utf8')).toBe(line('a').toString())
  expect(readFileSync(`${path}.errors`, 'utf8')).toBe(line('b').toString())
})

test('wherever a crash cut it, the lines before are kept and the torn one is gone', async () => {
  const whole = Buffer.concat(['a', 'bb', 'c'].map(line))
  const ends = [0, ...['a', 'bb', 'c'].map((_, i) => Buffer.concat(['a', 'bb', 'c'].slice(0, i + 1).map(line)).length)]
  const folder = tempFolder()
  for (let at = 0; at <= whole.length; at++) {
    const path = join(folder, `batch${at}`)
    writeFileSync(`${path}.output`, whole.subarray(0, at))
    const journal = await Journal.open(path)
    const kept = ends.filter((end) => end <= at).length - 1
    expect(journal.counts.completed).toBe(kept)
    await journal.add('completed', 'next', line('next'))
    await journal.close()
    expect(readFileSync(`${path}.output`)).toEqual(Buffer.concat([whole.subarray(0, ends[kept]), line('next')]))
  }
})

test('what a crash of the machine left of no meaning is cut off', async () => {
  const path = join(tempFolder(), 'batch')
  appendFileSync(`${path}.output`, Buffer.concat([line('a'), Buffer.alloc(40), Buffer.from('\n'), line('b')]))
  const journal = await Journal.open(path)
  expect([journal.has('a'), journal.has('b')]).toEqual([true, false])
  await journal.close()
  expect(readFileSync(`${path}.output`)).toEqual(line('a'))
})

test('a file is moved to its place once, however often it is asked for; an empty one goes nowhere', async () => {
  const folder = tempFolder()
  const at = (name: string) => join(folder, name)
  writeFileSync(at('full'), 'abc')
  writeFileSync(at('empty'), '')
  expect(await settleFile(at('full'), at('done'))).toBe(3)
  expect(await settleFile(at('full'), at('done'))).toBe(3)
  expect(await settleFile(at('empty'), at('nothing'))).toBeUndefined()
  expect(await settleFile(at('empty'), at('nothing'))).toBeUndefined()
})

test('lines are told whole, in order, with where they end, and none longer than allowed', async () => {
  const path = join(tempFolder(), 'lines')
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('a', 'bc', '\n', '\r\n', '', 'ä'), { maxLength: 30 }), async (pieces) => {
      const text = pieces.join('')
      writeFileSync(path, text)
      const lines: Line[] = []
      for await (const one of linesOf(createReadStream(path, { highWaterMark: 3 }), 4)) lines.push(one)
      const expected = text.split('\n')
      if (expected.at(-1) === '') expected.pop()
      expect(lines.map(({ bytes }) => (bytes === 'too long' ? bytes : bytes.toString()))).toEqual(
        expected.map((one) => (Buffer.byteLength(one) > 4 ? 'too long' : one.replace(/\r$/, ''))),
      )
      expect(lines.map(({ number }) => number)).toEqual(expected.map((_, i) => i + 1))
      expect(lines.at(-1)?.endsAt ?? 0).toBe(Buffer.byteLength(text))
      expect(lines.every(({ whole }, i) => whole || i === lines.length - 1)).toBe(true)
    }),
  )
})
