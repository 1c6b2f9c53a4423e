import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { Secret } from '../core/secret.ts'
import { connectHttpApi, readAnswer } from './http-api.ts'
import { startAnswering } from './testing/answering-server.ts'

const never = new AbortController().signal
const connect = (url: string, timeoutMs = 20_000) => connectHttpApi({ kind: 'Store', url, timeoutMs, maxBytes: 4000 })
const limits = { timeoutMs: 2000, maxBytes: 4000 }
const readOk = (json: unknown) => {
  if (!(json as { ok: boolean }).ok) throw new Error('not ok')
  return json
}

describe('a failure names the source and says what is wrong', () => {
  const failing: [string, (response: ServerResponse) => unknown, object, RegExp][] = [
    ['an error', (response) => void response.writeHead(500).end('oops'), { code: 'upstream' }, /answered 500\.$/],
    ['no right', (response) => void response.writeHead(403).end('{}'), {}, /403: its credentials are not accepted\.$/],
    ['a web page', (response) => void response.end('<html>'), { code: 'upstream' }, /not JSON/],
    ['another shape', () => ({ ok: false }), { cause: { message: 'not ok' } }, /a shape that is not its API/],
    ['too much', () => 'x'.repeat(5000), { code: 'upstream' }, /more than 4000 bytes/],
    ['nothing', () => undefined, { code: 'deadline' }, /within 300 ms/],
    ['a drop', (response) => void response.write('{'), { code: 'deadline' }, /within 300 ms/],
    ['a cut', (response) => void response.destroy(), { code: 'upstream' }, /cannot be reached/],
  ]
  test.each(failing)('when it gets %s', async (_kind, answer, expected, message) => {
    await using server = await startAnswering((_asked, response) => answer(response))
    const api = connect(`${server.url}/prefix/`, 'code' in expected && expected.code === 'deadline' ? 300 : undefined)
    const failure = api.ask({ path: '/x' }, never).then((reply) => readAnswer(api, reply, readOk))
    await expect(failure).rejects.toMatchObject(expected)
    await expect(failure).rejects.toThrow(/^Store at http:\/\/127\.0\.0\.1:\d+\/prefix /)
    await expect(failure).rejects.toThrow(message)
  })

  test('and shows no password of its address', async () => {
    await expect(connect('http://me:secret@127.0.0.1:1').ask({ path: '' }, never)).rejects.toThrow(
      'Store at http://127.0.0.1:1 cannot be reached.',
    )
  })
})

test('keys that the source repeats are not in what it is said to have said', async () => {
  await using server = await startAnswering(({ headers }, response) => {
    response.writeHead(401).end(`bad ${JSON.stringify(headers)}`)
  })
  const api = connectHttpApi({
    ...limits,
    kind: 'Store',
    url: server.url,
    headers: { 'dd-api-key': 'k-12345' },
    bearerToken: new Secret('t-67890'),
  })
  const refused = api.ask({ path: '/x' }, never).then((reply) => readAnswer(api, reply, readOk))
  const said = await refused.catch((error: unknown) => (error as { cause: Error }).cause.message)
  expect(said).toContain('"dd-api-key":"***"')
  expect(said).not.toMatch(/k-12345|t-67890/)
})

test('no key and no question goes where a redirect leads', async () => {
  await using other = await startAnswering(() => ({ ok: true }))
  await using server = await startAnswering((_asked, response) => {
    response.writeHead(307, { location: `${other.url}/x` }).end()
  })
  const api = connectHttpApi({ ...limits, kind: 'Store', url: server.url, headers: { 'x-api-key': 'k' } })
  const answer = await api.ask({ path: '/x', body: { q: 'what' } }, never)
  expect(() => readAnswer(api, answer, readOk)).toThrow('answered 307: it sends us elsewhere, which is not followed.')
  expect(other.asked).toEqual([])
})

test('an abort in the middle ends it with its own reason', async () => {
  const stop = new AbortController()
  await using server = await startAnswering(() => stop.abort(new Error('enough')))
  await expect(connect(server.url).ask({ path: '' }, stop.signal)).rejects.toThrow('enough')
})

test('who asks is told by a token, a user, or the address', async () => {
  await using server = await startAnswering(() => ({}))
  const base = { kind: 'Store', ...limits }
  await connectHttpApi({ ...base, url: server.url, bearerToken: new Secret('t') }).ask({ path: '' }, never)
  await connectHttpApi({ ...base, url: server.url, user: 'u', password: new Secret('p') }).ask({ path: '' }, never)
  await connectHttpApi({ ...base, url: server.url.replace('//', '//a:b@') }).ask({ path: '' }, never)
  expect(server.asked.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer t',
    `Basic ${btoa('u:p')}`,
    `Basic ${btoa('a:b')}`,
  ])
})
