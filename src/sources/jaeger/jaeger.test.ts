import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import type { TimeRange } from '../../core/telemetry.ts'
import { planQueries } from '../../diagnosis/signals.ts'
import { startAnswering } from '../testing/answering-server.ts'
import { measure, type Span } from '../traces/spans.ts'
import { createJaegerSource } from './jaeger.ts'

const never = new AbortController().signal
const START = Date.UTC(2026, 10, 1)
const RANGE: TimeRange = { fromMs: START, toMs: START + 5 * 60_000, stepMs: 15_000 }
const source = (url: string) => createJaegerSource({ url, clock: new ManualClock(), timeoutMs: 20_000 })

const tags = (...pairs: readonly (readonly [string, unknown])[]) =>
  pairs.map(([key, value]) => ({ key, type: typeof value === 'boolean' ? 'bool' : 'string', value }))

/** A trace as Jaeger's query service gives it (model/json of github.com/jaegertracing/jaeger): checkout waits 100 ms for a payment of 60. */
const trace = (id: number, atMs: number, failed = false) => ({
  traceID: `t${id}`,
  spans: [
    {
      traceID: `t${id}`,
      spanID: 'a',
      flags: 1,
      operationName: 'POST /checkout',
      references: [],
      startTime: atMs * 1000,
      duration: 150_000,
      tags: tags(['span.kind', 'server'], ['internal.span.format', 'otlp']),
      logs: [],
      processID: 'p1',
      warnings: null,
    },
    {
      traceID: `t${id}`,
      spanID: 'b',
      operationName: 'POST',
      references: [{ refType: 'CHILD_OF', traceID: `t${id}`, spanID: 'a' }],
      startTime: (atMs + 10) * 1000,
      duration: 100_000,
      tags: tags(['span.kind', 'client']),
      logs: [],
      processID: 'p1',
    },
    {
      traceID: `t${id}`,
      spanID: 'c',
      operationName: 'POST /pay',
      references: [{ refType: 'CHILD_OF', traceID: `t${id}`, spanID: 'b' }],
      startTime: (atMs + 30) * 1000,
      duration: 60_000,
      tags: tags(['span.kind', 'server'], ...(failed ? [['error', true] as const] : [])),
      logs: [],
      processID: 'p2',
    },
  ],
  processes: { p1: { serviceName: 'checkout', tags: [] }, p2: { serviceName: 'payment', tags: [] } },
  warnings: null,
})

/** Jaeger with a trace every ten seconds but for the third minute; those of the last minute failed. */
const startJaeger = (most = 100) =>
  startAnswering(({ url }) => {
    if (url.pathname === '/jaeger/api/services') return { data: ['checkout', 'payment'], total: 2, errors: null }
    const [from, to] = ['start', 'end'].map((name) => Number(url.searchParams.get(name)) / 1000)
    const all = Array.from({ length: 30 }, (_, i) => trace(i, START + i * 10_000, i >= 24)).filter(
      (_, i) => i < 12 || i >= 18,
    )
    const within = all.filter(({ spans: [span] }) => {
      const at = (span?.startTime ?? 0) / 1000
      return at >= (from ?? 0) && at < (to ?? 0)
    })
    const padded =
      most > 100
        ? [...within, ...Array.from({ length: most - within.length }, (_, i) => trace(1000 + i, START + 1000))]
        : within
    return { data: padded, total: 0, limit: 0, offset: 0, errors: null }
  })

test('calls are counted by the minute and by how they ended; a minute without any counts as none', async () => {
  await using server = await startJaeger()
  const query = { metric: 'span_count', as: 'rate', by: ['status'], where: { service: 'payment' } } as const
  const found = await source(`${server.url}/jaeger`).query(query, RANGE, never)
  const minutes = [1, 2, 3, 4, 5].map((i) => START + i * 60_000)
  expect(found.map(({ service, labels, points }) => ({ service, labels, points }))).toEqual([
    { service: 'payment', labels: { status: 'error' }, points: minutes.map((at, i) => [at, i === 4 ? 0.1 : 0]) },
    {
      service: 'payment',
      labels: { status: 'ok' },
      points: minutes.map((at, i) => [at, i === 2 || i === 4 ? 0 : 0.1]),
    },
  ])
})

test('times of services and of calls between them are percentiles, and a minute without any has none', async () => {
  await using server = await startJaeger()
  const from = source(`${server.url}/jaeger`)
  const first = async (metric: string, service: string) => {
    const found = await from.query({ metric, as: 'value', by: ['callee'] }, RANGE, never)
    const series = found.find((one) => one.service === service)
    return [series?.labels['callee'], series?.points[0]?.[1], series?.points.length]
  }
  expect(await first('span_p95_ms', 'checkout')).toEqual([undefined, 150, 4])
  expect(await first('span_self_p95_ms', 'checkout')).toEqual([undefined, 50, 4])
  expect(await first('edge_client_p95_ms', 'checkout')).toEqual(['payment', 100, 4])
  expect(await first('edge_server_p95_ms', 'checkout')).toEqual(['payment', 60, 4])
  expect(await first('edge_gap_p95_ms', 'checkout')).toEqual(['payment', 40, 4])
  // Services, and one answer for each: read once for all these questions.
  expect(server.asked).toHaveLength(3)
})

test('an answer of Jaeger 1.76 to spans that came by OTLP is read', async () => {
  const recorded = readFileSync(join(import.meta.dirname, 'recorded/jaeger-1.76-traces.json'))
  await using server = await startAnswering(({ url }, response) =>
    url.pathname.endsWith('/services') ? { data: ['payment'] } : void response.end(recorded),
  )
  const at = 1_795_669_550_000
  const range = { fromMs: at - 120_000, toMs: at + 120_000, stepMs: 60_000 }
  const found = await source(server.url).query(
    { metric: 'edge_count', as: 'rate', by: ['callee', 'status'] },
    range,
    never,
  )
  expect(found).toMatchObject([{ service: 'checkout', labels: { callee: 'payment', status: 'error' } }])
  expect(found[0]?.points.filter(([, value]) => value > 0)).toEqual([[1_795_669_560_000, 1 / 60]])
})

test('where not all traces are given nothing is counted, but times are told', async () => {
  await using server = await startJaeger(1500)
  const from = source(`${server.url}/jaeger`)
  expect(await from.query({ metric: 'span_count', as: 'rate' }, RANGE, never)).toEqual([])
  expect((await from.query({ metric: 'span_p95_ms', as: 'value' }, RANGE, never)).length).toBe(2)
})

test('a diagnosis asks it for all it has, with the callee, and how calls ended', async () => {
  const from = source('http://h')
  const catalogue = await from.catalogue(RANGE, never)
  const known = await Promise.all(
    catalogue.map(async (metric) => ({ ...metric, labels: await from.labelNames(metric.name, RANGE, never) })),
  )
  const planned = planQueries(known).map(({ metric, as, by }) => `${metric} ${as} ${by?.join()}`)
  expect(planned.sort()).toEqual([
    'edge_client_p95_ms value callee',
    'edge_count rate callee,status',
    'edge_gap_p95_ms value callee',
    'edge_server_p95_ms value callee',
    'span_count rate status',
    'span_p95_ms value ',
    'span_self_p95_ms value ',
  ])
})

test('a refusal and a failure name the source, and are not remembered', async () => {
  let broken = true
  await using server = await startAnswering(({ url }, response) => {
    if (!broken) return url.pathname.endsWith('services') ? { data: null } : { data: null }
    return void response.writeHead(500).end('{"data":null,"errors":[{"code":500,"msg":"storage is down"}]}')
  })
  const from = source(server.url)
  const query = () => from.query({ metric: 'span_count', as: 'rate' }, RANGE, never)
  await expect(query()).rejects.toThrow(/^Jaeger at .* answered 500\.$/)
  await expect(query()).rejects.toMatchObject({ cause: { message: 'storage is down' } })
  broken = false
  expect(await query()).toEqual([])
})

test('whoever stops waiting leaves those who ask for the same time their answer', async () => {
  const { promise: open, resolve: answer } = Promise.withResolvers<void>()
  await using server = await startAnswering(async () => {
    await open
    return { data: [] }
  })
  const from = source(server.url)
  const [first, second] = [new AbortController(), new AbortController()]
  const query = (signal: AbortSignal) => from.query({ metric: 'span_count', as: 'rate' }, RANGE, signal)
  const [leaves, stays] = [query(first.signal), query(second.signal)]
  first.abort(new Error('enough'))
  await expect(leaves).rejects.toThrow('enough')
  answer()
  expect(await stays).toEqual([])
  expect(server.asked).toHaveLength(1)
})

test('a reading that nobody waits for any more is given up, and the next who asks begins anew', async () => {
  let asked = 0
  await using server = await startAnswering(() => (asked++ === 0 ? undefined : { data: [] }))
  const from = source(server.url)
  const leaving = new AbortController()
  const query = (signal: AbortSignal) => from.query({ metric: 'span_count', as: 'rate' }, RANGE, signal)
  const left = query(leaving.signal)
  await expect.poll(() => asked).toBe(1)
  leaving.abort(new Error('enough'))
  await expect(left).rejects.toThrow('enough')
  expect(await query(never)).toEqual([])
})

test('the own time of a span is what no child covers, however they overlap', () => {
  const span = (id: string, parent: string | undefined, startMs: number, durationMs: number): Span => ({
    id,
    parent,
    service: 'a',
    startMs,
    durationMs,
    failed: false,
    client: false,
  })
  const spans = [
    span('root', undefined, 0, 100),
    span('x', 'root', 10, 30),
    span('y', 'root', 20, 30),
    span('late', 'root', 90, 50),
  ]
  const self = measure(spans).find(({ metric, atMs }) => metric === 'span_self_p95_ms' && atMs === 0)
  expect(self?.value).toBe(50)
})
