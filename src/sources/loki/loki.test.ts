import { expect, test } from 'vitest'
import { Secret } from '../../core/secret.ts'
import type { LogFields } from '../log-line.ts'
import { type Asked, startAnswering } from '../testing/answering-server.ts'
import { createLokiSource, type LokiOptions } from './loki.ts'

const never = new AbortController().signal
const FIELDS: LogFields = {
  time: ['ts'],
  service: ['app'],
  level: ['level'],
  message: ['msg'],
  requestId: ['trace_id'],
}
const QUERY = { fromMs: 1_569_266_000_000, toMs: 1_569_267_000_000, limit: 100 }

const source = (url: string, more: Partial<LokiOptions> = {}) =>
  createLokiSource({ url, serviceLabel: 'job', fields: FIELDS, timeoutMs: 2000, ...more })

/** The example of Loki's HTTP API documentation (GET /loki/api/v1/query_range), its statistics shortened. */
const DOCUMENTED = {
  status: 'success',
  data: {
    resultType: 'streams',
    result: [
      {
        stream: { filename: '/var/log/myproject.log', job: 'varlogs', level: 'info' },
        values: [
          ['1569266497240578000', 'foo'],
          ['1569266492548155000', 'bar'],
        ],
      },
    ],
    stats: { ingester: { compressedBytes: 0, totalReached: 6 }, summary: { execTime: 0.029, totalLinesProcessed: 9 } },
  },
}

test('the documented answer is read, older first, with the level of the stream', async () => {
  await using server = await startAnswering(() => DOCUMENTED)
  const { lines, truncated } = await source(server.url).read(QUERY, never)
  expect(truncated).toBe(false)
  expect(lines).toMatchObject([
    { at: 1_569_266_492_548, service: 'varlogs', level: 'info', message: 'bar' },
    { at: 1_569_266_497_240, service: 'varlogs', level: 'info', message: 'foo' },
  ])
})

test('it asks as documented: streams, nanoseconds, newest first, with what is configured', async () => {
  await using server = await startAnswering(() => DOCUMENTED)
  const options = { selector: '{env="prod", team=~"a|b"}', tenant: 'shop', user: 'me', password: new Secret('p:w') }
  await source(`${server.url}/prefix/`, options).read({ ...QUERY, services: ['a.b', 'c"d'] }, never)
  const [{ method, url, headers }] = server.asked as [Asked]
  expect(method).toBe('GET')
  expect(url.pathname).toBe('/prefix/loki/api/v1/query_range')
  expect(Object.fromEntries(url.searchParams)).toEqual({
    query: String.raw`{env="prod", team=~"a|b", job=~"a\\.b|c\"d"}`,
    start: '1569266000000000000',
    end: '1569267000001000000',
    limit: '5000',
    direction: 'backward',
  })
  expect(headers['x-scope-orgid']).toBe('shop')
  expect(headers.authorization).toBe(`Basic ${btoa('me:p:w')}`)
})

test('a line that is JSON is read by its fields; structured metadata beside it does no harm', async () => {
  const line = JSON.stringify({ msg: 'no money', level: 'ERROR', trace_id: 't1', app: 'ignored' })
  const values = [['1569266492548155000', line, { structuredMetadata: { pod: 'x' }, parsed: {} }]]
  await using server = await startAnswering(() => ({
    status: 'success',
    data: { resultType: 'streams', result: [{ stream: { job: 'pay', detected_level: 'unknown' }, values }] },
  }))
  const { lines } = await source(server.url).read(QUERY, never)
  expect(lines).toMatchObject([{ service: 'pay', level: 'error', message: 'no money', requestId: 't1' }])
})

test('a refusal, which Loki tells as plain text, is the cause of the failure', async () => {
  await using server = await startAnswering((_asked, response) => {
    response.writeHead(400).end('parse error at line 1, col 9: syntax error')
  })
  const failure = source(server.url).read(QUERY, never)
  await expect(failure).rejects.toThrow(/^Loki at http:\/\/127\.0\.0\.1:\d+ answered 400\.$/)
  await expect(failure).rejects.toMatchObject({ cause: { message: 'parse error at line 1, col 9: syntax error' } })
})

test.each(['no braces', '{}', '{a}', '{a=b}', '{a="b"', '{a="b"} |= "x"', '{a="b"}{c="d"}'])(
  'the configured selector %s is refused at once',
  (selector) => {
    expect(() => source('http://h', { selector })).toThrow('is no selector of log streams')
  },
)
