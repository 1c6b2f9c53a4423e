import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { Secret } from '../../core/secret.ts'
import type { TimeRange } from '../../core/telemetry.ts'
import { parseDuration } from './answers.ts'
import { createPrometheusSource, type PrometheusOptions } from './prometheus.ts'

const never = new AbortController().signal
const RANGE: TimeRange = { fromMs: 1_000_000, toMs: 1_060_000, stepMs: 15_000 }
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

type Answer = (url: URL, request: IncomingMessage, response: ServerResponse) => unknown

/** A server that answers `data` for what `answer` returns, and nothing found for the rest. */
async function sourceOf(answer: Answer, options: Partial<PrometheusOptions> = {}) {
  const asked: URL[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://h')
    asked.push(url)
    const data = answer(url, request, response)
    if (response.headersSent || response.destroyed || data === null) return
    response.end(JSON.stringify({ status: 'success', data: data ?? [] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const clock = new ManualClock()
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix/`
  return { source: createPrometheusSource({ url, serviceLabel: 'service', clock, ...options }), asked, clock }
}

const path = (url: URL) => url.pathname.replace('/prefix/api/v1/', '')
const matrix = (result: unknown[]) => ({ resultType: 'matrix', result })
const up = { metric: 'up', as: 'value' } as const

describe('an answer', () => {
  test('becomes series; what is no finite number is left out', async () => {
    const { source } = await sourceOf((url) => {
      if (path(url) === 'query_range')
        return matrix([
          { metric: { service: 'b', zone: 'x' }, values: [[1000, 'NaN']] },
          {
            metric: { zone: 'y', service: 'a' },
            values: [[1000, '1'], [1015.5, '+Inf'], [1030, '2.5'], 'odd', [1, 2]],
          },
        ])
    })
    expect(await source.query({ ...up, by: ['zone'] }, RANGE, never)).toEqual([
      {
        service: 'a',
        metric: 'up',
        as: 'value',
        labels: { zone: 'y' },
        query: 'sum by (service, zone) (up)',
        points: [
          [1_000_000, 1],
          [1_030_000, 2.5],
        ],
      },
    ])
  })

  test('of more points than Prometheus gives at once is put together from parts', async () => {
    const { source, asked } = await sourceOf((url) => {
      if (path(url) !== 'query_range') return undefined
      const [start = 0, end = 0, step = 0] = ['start', 'end', 'step'].map((each) => Number(url.searchParams.get(each)))
      const values = []
      for (let at = start; at <= end; at += step) values.push([at, String(at)])
      return values.length > 11_000 ? null : matrix([{ metric: { service: 'a' }, values }])
    })
    const range = { fromMs: 5000, toMs: 5000 + 24_999_000, stepMs: 1000 }
    const [series] = await source.query(up, range, never)
    expect(series?.points.map(([at]) => at)).toEqual(Array.from({ length: 25_000 }, (_, i) => 5000 + i * 1000))
    expect(asked.filter((url) => path(url) === 'query_range')).toHaveLength(3)
  })

  test('of a server with its own label, or none, is asked for accordingly, once in a while', async () => {
    const { source, asked, clock } = await sourceOf(
      (url) => {
        if (path(url) === 'label/app/values') return []
        if (path(url) === 'label/job/values') return ['shop']
        if (path(url) === 'targets') return { activeTargets: [{ scrapeInterval: '1m' }, { scrapeInterval: '5s' }, {}] }
        return path(url) === 'query_range' ? matrix([{ metric: { job: 'shop' }, values: [[1000, '1']] }]) : undefined
      },
      { serviceLabel: 'app' },
    )
    const rate = { metric: 'a_total', as: 'rate', where: { service: 'shop' } } as const
    const [series] = await source.query(rate, RANGE, never)
    expect(series).toMatchObject({ service: 'shop', labels: {}, query: 'sum by (job) (rate(a_total{job="shop"}[4m]))' })
    await source.query(rate, RANGE, never)
    expect(asked.filter((url) => path(url).startsWith('label/'))).toHaveLength(2)
    expect(source.promql(rate)).toBe(series?.query)
    await clock.advance(6 * 60_000)
    await source.query(rate, RANGE, never)
    expect(asked.filter((url) => path(url).startsWith('label/'))).toHaveLength(4)
  })

  test('leaves out names that cannot be asked for, and keeps the others', async () => {
    const { source } = await sourceOf((url) => {
      if (path(url) === 'metadata') return {}
      return path(url) === 'labels' ? ['http.route', 'zone'] : ['http.requests', 'up']
    })
    expect((await source.catalogue(RANGE, never)).map(({ name }) => name)).toEqual(['up'])
    expect(await source.labelNames('up', RANGE, never)).toEqual(['zone'])
  })

  test('carries the token', async () => {
    const seen: (string | undefined)[] = []
    const { source } = await sourceOf(
      (_url, request) => {
        seen.push(request.headers.authorization)
        return []
      },
      { bearerToken: new Secret('t0k') },
    )
    await source.labelNames('up', RANGE, never)
    expect(seen).toEqual(['Bearer t0k'])
  })
})

describe('a failure names the source and says what is wrong', () => {
  const failing: [string, Answer, object][] = [
    [
      'an error',
      (_u, _q, response) => void response.writeHead(500).end('oops'),
      { code: 'upstream', message: /answered 500/ },
    ],
    [
      'a refusal',
      (_u, _q, response) =>
        void response.writeHead(400).end('{"status":"error","errorType":"bad_data","error":"parse error"}'),
      { code: 'upstream', message: /answered 400/, cause: { message: 'bad_data: parse error' } },
    ],
    ['a web page', (_u, _q, response) => void response.end('<html>'), { code: 'upstream', message: /not JSON/ }],
    [
      'another shape',
      (_u, _q, response) => response.end('{"status":"fine"}'),
      { code: 'upstream', message: /its API/ },
    ],
    ['other data', () => ({ no: 'names' }), { code: 'upstream', message: /its API/ }],
    ['too much', () => ['x'.repeat(5000)], { code: 'upstream', message: /more than 4000 bytes/ }],
    ['nothing', () => null, { code: 'deadline', message: /within 300 ms/ }],
    ['a drop', (_u, _q, response) => void response.write('{'), { code: 'deadline', message: /within 300 ms/ }],
    ['a cut', (_u, _q, response) => void response.destroy(), { code: 'upstream', message: /cannot be reached/ }],
  ]
  test.each(failing)('when it gets %s', async (_kind, answer, { message, ...expected }: { message?: RegExp }) => {
    const { source } = await sourceOf(answer, { timeoutMs: 300, maxBytes: 4000 })
    const failure = source.labelNames('up', RANGE, never)
    await expect(failure).rejects.toMatchObject(expected)
    await expect(failure).rejects.toThrow(/^Prometheus at http:\/\/127\.0\.0\.1:\d+\/prefix /)
    await expect(failure).rejects.toThrow(message)
  })

  test('and shows no password of its address', async () => {
    const source = createPrometheusSource({
      url: 'http://me:secret@127.0.0.1:1',
      serviceLabel: 'service',
      clock: new ManualClock(),
    })
    const failure = await source.query(up, RANGE, never).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'upstream', message: 'Prometheus at http://127.0.0.1:1 cannot be reached.' })
  })

  test('an abort in the middle ends it with its own reason', async () => {
    const stop = new AbortController()
    const { source } = await sourceOf(() => {
      stop.abort(new Error('enough'))
      return null
    })
    await expect(source.query(up, RANGE, stop.signal)).rejects.toThrow('enough')
  })

  test('a service label that is none is refused at once', () => {
    const make = () => createPrometheusSource({ url: 'http://h', serviceLabel: 'a b', clock: new ManualClock() })
    expect(make).toThrow('"a b" is not a label name.')
  })
})

test.each([
  ['15s', 15_000],
  ['1m30s', 90_000],
  ['250ms', 250],
  ['1h', 3_600_000],
  ['', undefined],
  ['soon', undefined],
  ['5', undefined],
])('the duration %j is %s ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})
