import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { Secret } from '../../core/secret.ts'
import type { TimeRange } from '../../core/telemetry.ts'
import { planQueries } from '../../diagnosis/signals.ts'
import { startAnswering } from '../testing/answering-server.ts'
import { createDatadogSources, type DatadogOptions } from './datadog.ts'
import { queryFor } from './logs.ts'

const never = new AbortController().signal
const recorded = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'recorded', name), 'utf8')) as unknown
const clock = new ManualClock(Date.UTC(2026, 0, 1))
const datadog = (url: string, more: Partial<DatadogOptions> = {}) => {
  const made = createDatadogSources({
    site: 'datadoghq.eu',
    url,
    apiKey: new Secret('api-hunter2'),
    applicationKey: new Secret('app-hunter3'),
    serviceTag: 'service',
    filter: '',
    metrics: [
      { name: 'system.cpu.idle', type: 'gauge', aggregate: 'avg', by: ['host'] },
      { name: 'trace.http.request.hits', type: 'counter', aggregate: 'avg', by: ['http.status_class'] },
    ],
    logs: true,
    clock,
    ...more,
  })
  const [metrics] = made.metrics
  const [logs] = made.logs
  if (!metrics || !logs) throw new Error('nothing was made')
  return { metrics, logs }
}
const RANGE: TimeRange = { fromMs: 1_623_846_101_000, toMs: 1_623_932_501_000, stepMs: 300_000 }

test('a recorded answer to a timeseries query is read', async () => {
  await using server = await startAnswering(() => recorded('query.json'))
  const { metrics } = datadog(server.url)
  const found = await metrics.query({ metric: 'system_cpu_idle', as: 'value' }, RANGE, never)
  expect(found).toMatchObject([
    {
      service: '',
      metric: 'system_cpu_idle',
      labels: {},
      query: 'avg:system.cpu.idle{*} by {service}.rollup(avg, 300)',
    },
  ])
  expect(found[0]?.points[0]).toEqual([1_623_846_300_000, 94.31900300343831])
  expect(found[0]?.points).toHaveLength(5)
  expect(server.asked[0]?.url.searchParams.get('from')).toBe('1623846101')
  expect(server.asked[0]?.headers).toMatchObject({ 'dd-api-key': 'api-hunter2', 'dd-application-key': 'app-hunter3' })
})

test('recorded log lines are read, with the host where there is no service, and found again', async () => {
  await using server = await startAnswering(({ body }) =>
    body.includes('"cursor"') ? { data: [], meta: {} } : recorded('logs-page.json'),
  )
  const { logs } = datadog(server.url)
  const from = Date.UTC(2022, 3, 11, 16, 29)
  const { lines, truncated } = await logs.read({ fromMs: from, toMs: from + 60_000, limit: 10 }, never)
  expect(truncated).toBe(false)
  expect(lines.map(({ at, service, level, message }) => [at - from, service, level, message.slice(0, 24)])).toEqual([
    [47_000, '05f9b9df-ae45-4c8b-66bf-e24c', 'info', '169.254.0.1 - - [11/Apr/'],
    [47_401, '05f9b9df-ae45-4c8b-66bf-e24c', 'info', 'I, [2022-04-11T16:29:47.'],
  ])
  expect(await logs.findLine(lines[1]?.ref ?? '', never)).toEqual(lines[1])
})

test('series are told by their tags; a counter is a rate, and a value that is none is a gap', async () => {
  await using server = await startAnswering(() => ({
    status: 'ok',
    series: [
      {
        tag_set: ['service:cart', 'http.status_class:5xx'],
        pointlist: [
          [RANGE.fromMs, 2],
          [RANGE.fromMs + 1, null],
          [RANGE.toMs + 1, 3],
        ],
      },
      { tag_set: ['service:cart', 'http.status_class:N/A'], pointlist: [[RANGE.fromMs, 1]] },
      { tag_set: ['service:quiet'], pointlist: [] },
    ],
  }))
  const { metrics } = datadog(server.url, { filter: 'env:prod' })
  const query = {
    metric: 'trace_http_request_hits',
    as: 'rate',
    by: ['http_status_class'],
    where: { service: 'cart"} OR {x' },
  } as const
  const found = await metrics.query(query, RANGE, never)
  expect(found.map(({ service, labels, points }) => [service, labels, points])).toEqual([
    ['cart', { http_status_class: '5xx' }, [[RANGE.fromMs, 2]]],
    ['cart', {}, [[RANGE.fromMs, 1]]],
  ])
  expect(server.asked[0]?.url.searchParams.get('query')).toBe(
    'sum:trace.http.request.hits{env:prod AND service:cart___or__x} by {service,http.status_class}.as_rate().rollup(sum, 300)',
  )
  await expect(metrics.query({ metric: 'system_cpu_idle', as: 'rate' }, RANGE, never)).rejects.toMatchObject({
    code: 'malformed',
  })
  await expect(
    metrics.query({ metric: 'system_cpu_idle', as: 'value', by: ['a b'] }, RANGE, never),
  ).rejects.toMatchObject({ code: 'malformed' })
  expect(await metrics.query({ metric: 'other', as: 'value' }, RANGE, never)).toEqual([])
})

test('a diagnosis asks it for what the config names', async () => {
  const { metrics } = datadog('http://h')
  const catalogue = await metrics.catalogue(RANGE, never)
  const known = await Promise.all(
    catalogue.map(async (one) => ({ ...one, labels: await metrics.labelNames(one.name, RANGE, never) })),
  )
  expect(
    planQueries(known)
      .map(({ metric, as }) => `${metric} ${as}`)
      .sort(),
  ).toEqual(['system_cpu_idle value', 'trace_http_request_hits rate'])
})

test('when no question is left of a period, the next one waits until it ends, and one that would wait long is refused', async () => {
  const time = new ManualClock()
  let reset = '5'
  await using server = await startAnswering((_asked, response) => {
    response.setHeader('x-ratelimit-limit', '10')
    response.setHeader('x-ratelimit-period', '10')
    response.setHeader('x-ratelimit-remaining', '0')
    response.setHeader('x-ratelimit-reset', reset)
    return { status: 'ok', series: [] }
  })
  const { metrics } = datadog(server.url, { clock: time })
  const ask = () => metrics.query({ metric: 'system_cpu_idle', as: 'value' }, RANGE, never)
  await ask()
  reset = '3600'
  const second = ask()
  await time.advance(4900)
  expect(server.asked).toHaveLength(1)
  await time.advance(200)
  await second
  expect(server.asked).toHaveLength(2)
  await expect(ask()).rejects.toThrow(/may not be asked again for 3600 s: its rate limit is used up/)
  expect(server.asked).toHaveLength(2)
})

test('a 429 is asked again when it says, and told when it goes on', async () => {
  const time = new ManualClock()
  let left = 1
  await using server = await startAnswering((_asked, response) => {
    if (left-- <= 0) return { status: 'ok', series: [] }
    response.statusCode = 429
    response.setHeader('x-ratelimit-reset', '2')
    return { errors: ['Rate limit of 300 requests in 3600 seconds reached.'] }
  })
  const { metrics } = datadog(server.url, { clock: time })
  const ask = () => metrics.query({ metric: 'system_cpu_idle', as: 'value' }, RANGE, never)
  const asked = ask()
  await expect.poll(() => server.asked.length).toBe(1)
  await expect.poll(async () => (await time.advance(1000), server.asked.length)).toBe(2)
  expect(await asked).toEqual([])
  left = 9
  const failing = ask().catch((error: unknown) => error)
  await expect.poll(async () => (await time.advance(2100), server.asked.length)).toBe(5)
  expect(await failing).toMatchObject({ message: expect.stringMatching(/^Datadog at http:.* answered 429\.$/) })
})

test('refusals, garbage and silence name it without its keys', async () => {
  const answers: [number, unknown][] = [
    [403, { errors: ['Forbidden'] }],
    [200, '<html>'],
    [200, { status: 'error', error: 'Rule requires a valid metric' }],
  ]
  await using server = await startAnswering((_asked, response) => {
    const next = answers.shift()
    response.statusCode = next?.[0] ?? 200
    return next?.[1]
  })
  const { metrics, logs } = datadog(server.url, { timeoutMs: 80 })
  const failures: unknown[] = []
  for (let i = 0; i < 4; i++)
    failures.push(
      await metrics.query({ metric: 'system_cpu_idle', as: 'value' }, RANGE, never).catch((error: unknown) => error),
    )
  failures.push(await logs.read({ ...RANGE, limit: 1 }, never).catch((error: unknown) => error))
  expect(failures.map((error) => (error as Error).message.replace(/http:\S+/, 'U'))).toEqual([
    'Datadog at U answered 403: its credentials are not accepted.',
    'Datadog at U answered in a shape that is not its API.',
    'Datadog at U could not answer a query.',
    'Datadog at U did not answer within 80 ms.',
    'Datadog at U did not answer within 80 ms.',
  ])
  expect(JSON.stringify(failures)).not.toContain('hunter')
})

test('names of services are values of a log query, whatever is in them', () => {
  expect(queryFor('env:prod OR x', ['a"b', String.raw`c\d`])).toBe(
    String.raw`(env:prod OR x) service:("a\"b" OR "c\\d")`,
  )
  expect(queryFor('', undefined)).toBe('*')
  expect(queryFor('', [])).toBe('-*:*')
})
