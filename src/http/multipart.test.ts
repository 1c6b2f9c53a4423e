import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '../core/errors.ts'
import { readMultipart } from './multipart.ts'

const TYPE = 'multipart/form-data; boundary=xyz'

async function* inPieces(body: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (body.length + 1)), body.length])].sort((a, b) => a - b)
  for (const [i, from] of at.slice(0, -1).entries()) yield body.subarray(from, at[i + 1])
}

async function partsOf(body: Buffer | string, cuts: readonly number[] = [], type: string | undefined = TYPE) {
  const parts: { name: string; filename: string | undefined; body: string }[] = []
  for await (const { name, filename, body: pieces } of readMultipart(inPieces(Buffer.from(body), cuts), type)) {
    const read: Buffer[] = []
    for await (const piece of pieces) read.push(piece)
    parts.push({ name, filename, body: Buffer.concat(read).toString('latin1') })
  }
  return parts
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'fine',
    (error: unknown) => (error instanceof AppError ? error.code : error),
  )

const part = (headers: string, body: string) => `--xyz\r\n${headers}\r\n\r\n${body}\r\n`
const field = (name: string, body: string) => part(`Content-Disposition: form-data; name="${name}"`, body)

describe('a form', () => {
  const body = `what precedes\r\n${field('purpose', 'batch')}${part(
    'Content-Disposition: form-data; name="file"; filename="a;\\"b\\".jsonl"\r\nContent-Type: text/plain',
    '--xy\r\n--xy\r\n\r\n-',
  )}--xyz--\r\nwhat follows`
  const parts = [
    { name: 'purpose', filename: undefined, body: 'batch' },
    { name: 'file', filename: 'a;"b".jsonl', body: '--xy\r\n--xy\r\n\r\n-' },
  ]

  test('is read the same wherever it is cut', async () => {
    for (let at = 0; at <= body.length; at++) expect(await partsOf(body, [at])).toEqual(parts)
    expect(
      await partsOf(
        body,
        Array.from(body, (_, i) => i),
      ),
    ).toEqual(parts)
  })

  test('gives back whatever bytes were put in', async () => {
    const pieces = fc.constantFrom('\r', '\n', '-', '--', '--xy', 'z', '\r\n--xy', 'a')
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.array(pieces, { maxLength: 20 }).map((all) => all.join('')),
          { maxLength: 4 },
        ),
        fc.array(fc.nat(500), { maxLength: 20 }),
        async (bodies, cuts) => {
          const fit = bodies.filter((one) => !`\r\n${one}\r\n`.includes('\r\n--xyz'))
          const whole = `${fit.map((one, i) => field(`f${i}`, one)).join('')}--xyz--`
          expect((await partsOf(whole, cuts)).map(({ body }) => body)).toEqual(fit)
        },
      ),
    )
  })

  test('skips what is not read of a part', async () => {
    const names: string[] = []
    for await (const { name } of readMultipart(inPieces(Buffer.from(body), [70, 90, 130]), TYPE)) names.push(name)
    expect(names).toEqual(['purpose', 'file'])
  })

  test('may quote its boundary, and pad the lines of it', async () => {
    expect(
      await partsOf(
        '--x y \t\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--x y--',
        [],
        'Multipart/Form-Data; boundary="x y"; charset=utf-8',
      ),
    ).toEqual([{ name: 'a', filename: undefined, body: 'b' }])
  })
})

test.each([
  ['of another type', '', 'application/json', 'unsupported_media'],
  ['without a boundary', '', 'multipart/form-data', 'malformed'],
  ['without an end', field('a', 'b'), TYPE, 'malformed'],
  ['that breaks off in its headers', '--xyz\r\nContent-Dispo', TYPE, 'malformed'],
  ['without any part', '', TYPE, 'malformed'],
  ['with a part that has no name', part('Content-Type: text/plain', 'x'), TYPE, 'malformed'],
  ['with words behind a boundary', '--xyz hello\r\n', TYPE, 'malformed'],
  ['with endless headers', `--xyz\r\n${'x'.repeat(20_000)}`, TYPE, 'malformed'],
  ['with too many parts', `${field('a', '').repeat(101)}--xyz--`, TYPE, 'malformed'],
])('a body %s is refused', async (_name, body, type, code) => {
  expect(await codeOf(partsOf(body, [], type))).toBe(code)
})
