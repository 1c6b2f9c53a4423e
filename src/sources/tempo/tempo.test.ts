import { expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { Secret } from '../../core/secret.ts'
import type { TimeRange } from '../../core/telemetry.ts'
import { startAnswering } from '../testing/answering-server.ts'
import { createTempoSource, type TempoOptions } from './tempo.ts'

const never = new AbortController().signal
const START = Date.UTC(2026, 10, 1)
const RANGE: TimeRange = { fromMs: START, toMs: START + 10 * 60_000, stepMs: 15_000 }
const source = (url: string, more: Partial<TempoOptions> = {}) =>
  createTempoSource({ url, clock: new ManualClock(), ...more })
const ns = (ms: number) => `${ms}000000`
const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64')

const resource = (service: string) => ({
  attributes: [
    { key: 'telemetry.sdk.language', value: { stringValue: 'nodejs' } },
    { key: 'service.name', value: { stringValue: service } },
  ],
})

/** As `/api/traces/<id>` answers: OTLP's JSON of protobuf, ids in base64. Checkout waits 100 ms for a payment of 60. */
const trace = (atMs: number, failed: boolean) => ({
  batches: [
    {
      resource: resource('checkout'),
      scopeSpans: [
        {
          scope: { name: '@opentelemetry/instrumentation-http' },
          spans: [
            {
              traceId: base64('0a'),
              spanId: base64('a1'),
              name: 'POST /checkout',
              kind: 'SPAN_KIND_SERVER',
              startTimeUnixNano: ns(atMs),
              endTimeUnixNano: ns(atMs + 150),
              status: {},
            },
            {
              traceId: base64('0a'),
              spanId: base64('b2'),
              parentSpanId: base64('a1'),
              name: 'POST',
              kind: 'SPAN_KIND_CLIENT',
              startTimeUnixNano: ns(atMs + 10),
              endTimeUnixNano: ns(atMs + 110),
              status: {},
            },
          ],
        },
      ],
    },
    {
      resource: resource('payment'),
      scopeSpans: [
        {
          spans: [
            {
              traceId: base64('0a'),
              spanId: base64('c3'),
              parentSpanId: base64('b2'),
              name: 'POST /pay',
              kind: 'SPAN_KIND_SERVER',
              startTimeUnixNano: ns(atMs + 30),
              endTimeUnixNano: ns(atMs + 90),
              status: failed ? { code: 'STATUS_CODE_ERROR' } : {},
            },
          ],
        },
      ],
    },
  ],
})

const idOf = (i: number) => (0xabc000 + i).toString(16)

/** Tempo with a trace every ten seconds; those of the last two minutes failed. */
const startTempo = (missing: ReadonlySet<string> = new Set()) =>
  startAnswering(({ url }, response) => {
    const times = Array.from({ length: 60 }, (_, i) => START + i * 10_000)
    const [, id] = /\/api\/traces\/(\w+)$/.exec(url.pathname) ?? []
    if (id !== undefined) {
      const i = Number.parseInt(id, 16) - 0xabc000
      if (missing.has(id)) return void response.writeHead(404).end('trace not found')
      return trace(times[i] ?? 0, i >= 48)
    }
    const [from = 0, to = 0, limit = 20] = ['start', 'end', 'limit'].map((name) => Number(url.searchParams.get(name)))
    const ids = times.flatMap((at, i) => (at >= from * 1000 && at < to * 1000 ? [{ i, at }] : []))
    return {
      traces: ids.slice(0, limit).map(({ i, at }) => ({
        traceID: idOf(i),
        rootServiceName: 'checkout',
        rootTraceName: 'POST /checkout',
        startTimeUnixNano: ns(at),
        durationMs: 150,
        spanSets: [{ spans: [{ spanID: 'a1', startTimeUnixNano: ns(at), durationNanos: '150000000' }], matched: 3 }],
      })),
      metrics: { inspectedBytes: '78480', completedJobs: 1, totalJobs: 1 },
    }
  })

test('calls and their times are told by the minute, as of any other traces', async () => {
  await using server = await startTempo()
  const tempo = source(server.url)
  const ask = (metric: string, as: 'rate' | 'value', by: string[] = []) => tempo.query({ metric, as, by }, RANGE, never)
  const counts = await ask('span_count', 'rate', ['status'])
  expect(
    counts.map(({ service, labels, points }) => [
      service,
      labels['status'],
      points.map(([, value]) => Math.round(value * 60)),
    ]),
  ).toEqual([
    ['checkout', 'ok', [6, 6, 6, 6, 6, 6, 6, 6, 6, 6]],
    ['payment', 'error', [0, 0, 0, 0, 0, 0, 0, 0, 6, 6]],
    ['payment', 'ok', [6, 6, 6, 6, 6, 6, 6, 6, 0, 0]],
  ])
  expect((await ask('edge_client_p95_ms', 'value', ['callee']))[0]).toMatchObject({
    service: 'checkout',
    labels: { callee: 'payment' },
  })
  const one = async (metric: string) => (await ask(metric, 'value'))[0]?.points[0]?.[1]
  expect([await one('edge_client_p95_ms'), await one('edge_server_p95_ms'), await one('span_self_p95_ms')]).toEqual([
    100, 60, 50,
  ])
  // Two searches, and each trace once, for all these questions.
  expect(server.asked).toHaveLength(62)
})

test('of a slice with more traces than are read, or one that went away, times are told and no counts', async () => {
  await using server = await startTempo(new Set([idOf(3)]))
  const tempo = source(server.url, { maxTraces: 2000 })
  const minutes = async (metric: string, as: 'rate' | 'value') =>
    ((await tempo.query({ metric, as, where: { service: 'checkout' } }, RANGE, never))[0]?.points ?? []).length
  expect([await minutes('span_count', 'rate'), await minutes('span_p95_ms', 'value')]).toEqual([5, 10])
  const few = source(server.url, { maxTraces: 20 })
  expect(await few.query({ metric: 'span_count', as: 'rate' }, RANGE, never)).toEqual([])
  expect((await few.query({ metric: 'span_p95_ms', as: 'value' }, RANGE, never)).length).toBe(2)
})

test('it is asked as its tenant, and whatever it answers wrongly names it without its secrets', async () => {
  const answers: unknown[] = [
    '<html>',
    { traces: [{ traceID: '../../metrics' }] },
    { traces: [{ traceID: 'ab' }] },
    { batches: 7 },
  ]
  await using server = await startAnswering(() => answers.shift() ?? {})
  const tempo = source(server.url, { bearerToken: new Secret('hunter2'), tenant: 'shop', maxTraces: 1 })
  const range = { ...RANGE, toMs: START + 60_000 }
  const ask = () => tempo.query({ metric: 'span_count', as: 'rate' }, range, never)
  await expect(ask()).rejects.toThrow(/^Tempo at http:.* answered in a shape that is not its API\.$/)
  await expect(ask()).rejects.toThrow(/not its API/)
  await expect(ask()).rejects.toThrow(/not its API/)
  expect(server.asked.map(({ url }) => url.pathname)).toEqual([
    '/api/search',
    '/api/search',
    '/api/search',
    '/api/traces/ab',
  ])
  for (const { headers } of server.asked)
    expect(headers).toMatchObject({ 'x-scope-orgid': 'shop', authorization: 'Bearer hunter2' })
})

test('one who never answers ends by the deadline', async () => {
  await using server = await startAnswering(() => undefined)
  const ask = source(server.url, { timeoutMs: 50 }).query({ metric: 'span_count', as: 'rate' }, RANGE, never)
  await expect(ask).rejects.toThrow(/did not answer within 50 ms/)
})
