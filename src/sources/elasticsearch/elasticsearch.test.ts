import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Secret } from '../../core/secret.ts'
import type { LogFields } from '../log-line.ts'
import { type Asked, startAnswering } from '../testing/answering-server.ts'
import { createElasticsearchSource, type ElasticsearchOptions } from './elasticsearch.ts'

const never = new AbortController().signal
const FIELDS: LogFields = {
  time: ['@timestamp'],
  service: ['service.name', 'kubernetes.labels.app'],
  level: ['log.level'],
  message: ['message'],
  requestId: ['trace.id'],
}
const AT = Date.parse('2099-11-15T14:12:12Z')
const QUERY = { fromMs: AT - 1000, toMs: AT + 1000, limit: 100 }

const source = (url: string, more: Partial<ElasticsearchOptions> = {}) =>
  createElasticsearchSource({ url, index: 'logs-*', fields: FIELDS, timeoutMs: 2000, ...more })

/** The example of the search API's documentation (my-index-000001), with what sorting adds. */
const DOCUMENTED = {
  took: 5,
  timed_out: false,
  _shards: { total: 1, successful: 1, skipped: 0, failed: 0 },
  hits: {
    max_score: null,
    hits: [
      {
        _index: 'my-index-000001',
        _id: '0',
        _score: null,
        _source: {
          '@timestamp': '2099-11-15T14:12:12',
          http: { request: { method: 'get' }, response: { status_code: 200, bytes: 1_070_000 }, version: '1.1' },
          source: { ip: '127.0.0.1' },
          message: 'GET /search HTTP/1.1 200 1070000',
          user: { id: 'kimchy' },
        },
        sort: [AT],
      },
    ],
  },
}

test('the documented answer is read; what names no service is named by its index', async () => {
  await using server = await startAnswering(() => DOCUMENTED)
  expect(await source(server.url).read(QUERY, never)).toEqual({
    lines: [
      {
        at: AT,
        service: 'my-index-000001',
        level: 'info',
        message: 'GET /search HTTP/1.1 200 1070000',
        ref: 'elasticsearch|my-index-000001|0',
      },
    ],
    truncated: false,
  })
})

/** Answers of an OpenSearch 2.19 to this search over an index in nanoseconds and one that it mapped by itself. */
const recorded = (name: string) => readFileSync(join(import.meta.dirname, `recorded/opensearch-2.19-${name}.json`))

test('an answer of OpenSearch is read, in ms also where times are kept in nanoseconds', async () => {
  await using server = await startAnswering((_asked, response) => void response.end(recorded('search')))
  const { lines } = await source(server.url).read({ fromMs: 0, toMs: Date.UTC(2027, 0), limit: 10 }, never)
  expect(lines).toEqual([
    {
      at: Date.parse('2026-11-01T03:12:40.123Z'),
      service: 'payment',
      level: 'error',
      message: 'card refused',
      requestId: '4bf92f3577b34da6',
      ref: 'elasticsearch|logs-shop|1',
    },
    {
      at: Date.parse('2026-11-01T03:12:41Z'),
      service: 'logs-other',
      level: 'warn',
      message: 'no service told, warning',
      ref: 'elasticsearch|logs-other|2',
    },
  ])
})

test('of a refusal that failed shards hide, the root cause is told', async () => {
  await using server = await startAnswering((_asked, response) => void response.writeHead(400).end(recorded('refusal')))
  await expect(source(server.url).read(QUERY, never)).rejects.toMatchObject({
    cause: { message: expect.stringMatching(/^illegal_argument_exception: Result window is too large/) as string },
  })
})

test('an index that is not there is told, as a search over it finds nothing', async () => {
  const none = { total: 0, successful: 0, skipped: 0, failed: 0 }
  await using server = await startAnswering(() => ({ ...DOCUMENTED, _shards: none, hits: { hits: [] } }))
  expect((await source(server.url).read(QUERY, never)).problems).toEqual(['there is no index logs-*'])
})

test('fields are found inside objects, and the first that is there wins', async () => {
  const [hit] = DOCUMENTED.hits.hits
  const _source = {
    message: 'no money',
    log: { level: 'WARN' },
    kubernetes: { labels: { app: 'pay' } },
    'trace.id': 't1',
  }
  await using server = await startAnswering(() => ({ ...DOCUMENTED, hits: { hits: [{ ...hit, _source }] } }))
  const { lines } = await source(server.url).read(QUERY, never)
  expect(lines).toMatchObject([{ service: 'pay', level: 'warn', message: 'no money', requestId: 't1' }])
})

test('it only ever searches, within the configured indices, and carries its key', async () => {
  await using server = await startAnswering(() => DOCUMENTED)
  const from = source(server.url, { index: 'logs-*,app logs', apiKey: new Secret('k3y') })
  await from.read({ ...QUERY, services: ['pay'], minLevel: 'warn' }, never)
  await from.findLine('elasticsearch|.security|x', never)
  expect(server.asked.map(({ method, url }) => [method, url.pathname])).toEqual([
    ['POST', '/logs-*,app%20logs/_search'],
    ['POST', '/logs-*,app%20logs/_search'],
  ])
  const [{ headers, body }] = server.asked as [Asked]
  expect(headers.authorization).toBe('ApiKey k3y')
  expect(JSON.parse(body)).toMatchObject({
    size: 2000,
    track_total_hits: false,
    query: { bool: { filter: [{ range: { '@timestamp': { gte: AT - 1000, lte: AT + 1000 } } }, {}, {}] } },
  })
})

test('shards that failed and a search that ran out of time are told', async () => {
  await using server = await startAnswering(() => ({
    ...DOCUMENTED,
    timed_out: true,
    _shards: { total: 5, successful: 3, skipped: 0, failed: 2 },
  }))
  expect((await source(server.url).read(QUERY, never)).problems).toEqual([
    'the search ended before all was searched',
    '2 of 5 shards could not be searched',
  ])
})

test('a refusal is told with its reason as the cause', async () => {
  const error = { type: 'security_exception', reason: 'missing authentication credentials', root_cause: [] }
  await using server = await startAnswering((_asked, response) => {
    response.writeHead(401).end(JSON.stringify({ error, status: 401 }))
  })
  const failure = source(server.url).read(QUERY, never)
  await expect(failure).rejects.toThrow(/^Elasticsearch at .* answered 401: its credentials are not accepted\.$/)
  await expect(failure).rejects.toMatchObject({
    cause: { message: 'security_exception: missing authentication credentials' },
  })
})
