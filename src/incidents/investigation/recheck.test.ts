import { describe, expect, test } from 'vitest'
import type { Change, MetricSource } from '../../core/telemetry.ts'
import type { Cause, Evidence, EvidenceRef } from '../../diagnosis/evidence.ts'
import { diagnose } from '../../diagnosis/diagnose.ts'
import { readSignals, type Signal } from '../../diagnosis/service-signals.ts'
import { makeCase } from '../../diagnosis/testing/shop.ts'
import { FAULT_KINDS } from '../../core/fault-kinds.ts'
import { planQueries } from '../../diagnosis/signals.ts'
import { findLeads } from './leads.ts'
import { callsIn, recheck, type Witnesses } from './recheck.ts'
import { recordedMetrics } from './testing/sources.ts'

const source = { name: 'metrics' } as MetricSource
const track = (values: readonly number[]) => ({
  times: Float64Array.from(values, (_, i) => i * 1000),
  values: Float64Array.from(values),
})
const values = [1, 1, 1, 1, 9, 9, 9]
const signal: Signal = {
  service: 'inventory',
  role: 'cpu',
  name: 'cpu',
  unit: 'cores',
  track: track(values),
  metric: 'cpu',
  as: 'rate',
  labels: {},
  query: 'rate(cpu)',
}
const series: Extract<EvidenceRef, { kind: 'series' }> = {
  kind: 'series',
  service: 'inventory',
  metric: 'cpu',
  labels: {},
  query: 'rate(cpu)',
  unit: 'cores',
  fromMs: 0,
  toMs: 6000,
  onsetMs: 4000,
  before: 1,
  after: 9,
  points: values.map((value, i): [number, number] => [i * 1000, value]),
}
const change: Change = { id: 'c1', at: 3000, service: 'inventory', kind: 'deploy', summary: 's' }
const line = { at: 4500, service: 'inventory', level: 'error' as const, message: 'pool exhausted', ref: 'f:1' }
const log: Extract<EvidenceRef, { kind: 'log' }> = {
  kind: 'log',
  service: 'inventory',
  template: 'pool exhausted',
  countBefore: 0,
  countAfter: 2,
  lines: [
    { at: line.at, level: line.level, message: line.message, ref: line.ref },
    { at: 4600, level: 'error', message: 'gone', ref: 'f:2' },
  ],
}
const changeRef: Extract<EvidenceRef, { kind: 'change' }> = {
  kind: 'change',
  id: 'c1',
  at: 3000,
  service: 'inventory',
  changeKind: 'deploy',
  summary: 's',
}
const path: EvidenceRef = { kind: 'topology', path: ['storefront', 'checkout', 'inventory'] }

const witnesses = (more: Partial<Witnesses> = {}): Witnesses => ({
  signals: async () => [signal],
  line: async (ref) => (ref === line.ref ? line : undefined),
  latestLines: async () => [line],
  asked: [{ source, queries: [{ metric: 'cpu', as: 'rate' }] }],
  changes: [change],
  topology: [
    { caller: 'storefront', callee: 'checkout' },
    { caller: 'checkout', callee: 'inventory' },
  ],
  ...more,
})
const causeWith = (...refs: (EvidenceRef | [EvidenceRef, number])[]): Cause => ({
  service: 'inventory',
  kind: 'cpu',
  metric: 'cpu',
  score: 4,
  confidence: 0.8,
  onset: 4000,
  evidence: refs.map((ref, i): Evidence => {
    const [one, weight] = Array.isArray(ref) ? ref : [ref, 1]
    return { id: `e${i}`, claim: 'c', weight, ref: one }
  }),
  against: [],
})
const kept = async (ref: EvidenceRef, more: Partial<Witnesses> = {}) =>
  (await recheck([causeWith(ref)], witnesses(more))).causes[0]?.evidence[0]?.ref

describe('a claim stands when its evidence is found again', () => {
  test('a series with the same points', async () => expect(await kept(series)).toEqual(series))
  test('a change with the same time', async () => expect(await kept(changeRef)).toEqual(changeRef))
  test('a path along which services call one another', async () => expect(await kept(path)).toEqual(path))
  test('log lines word for word, and only those', async () =>
    expect(await kept(log)).toMatchObject({ lines: [{ ref: 'f:1' }] }))
})

test('that a line fell silent stands when none is found', async () => {
  const silent = { ...log, template: 'served <*> in <*> ms', countBefore: 30, countAfter: 0, lines: [] } as EvidenceRef
  expect(await kept(silent)).toEqual(silent)
})

describe('a claim is taken out when', () => {
  const gone = async (ref: EvidenceRef, more: Partial<Witnesses> = {}) => {
    const result = await recheck([causeWith(ref)], witnesses(more))
    expect(result).toEqual({ causes: [], claimsRemoved: 1 })
  }
  test('the series is no longer there', () => gone(series, { signals: async () => [] }))
  test('its metric was never asked for', () => gone({ ...series, metric: 'made_up' }))
  test('it is about another service', () => gone({ ...series, service: 'payment' }))
  test('its points were other ones', () => gone({ ...series, points: series.points.map(([t, v]) => [t, v * 2]) }))
  test('it never had that level before', () => gone({ ...series, before: 5 }))
  test('it never reached that level after', () => gone({ ...series, after: 90 }))
  test('it moved the other way', () => gone({ ...series, before: 9, after: 1 }))
  test('nothing is there after the onset', () => gone({ ...series, onsetMs: 60_000 }))
  test('a log line says something else now', () =>
    gone(log, { line: async () => ({ ...line, message: 'all is well' }) }))
  test('a log cites no line', () => gone({ ...log, lines: [] }))
  const silent: EvidenceRef = {
    ...log,
    template: 'served <*> in <*> ms',
    countBefore: 30,
    countAfter: 0,
    lines: [],
  }
  const served = { ...line, message: 'served request 7 in 12 ms' }
  test('a line that was said to be silent is still written', () =>
    gone(silent, { latestLines: async () => [line, served] }))
  test('nobody can tell whether a line is silent', () => gone(silent, { latestLines: async () => null }))
  test('a change has another time', () => gone({ ...changeRef, at: 3001 }))
  test('a change is unknown', () => gone(changeRef, { changes: [] }))
  test('a step of the path is not a call', () => gone({ kind: 'topology', path: ['storefront', 'inventory'] }))
})

test('what was taken out costs as much confidence as it had weight', async () => {
  const { causes, claimsRemoved } = await recheck([causeWith([series, 3], [{ ...changeRef, id: 'x' }, 1])], witnesses())
  expect(claimsRemoved).toBe(1)
  expect(causes[0]?.confidence).toBeCloseTo(0.6)
})

test('a cause whose main evidence was taken out is given up', async () => {
  const { causes } = await recheck([causeWith([{ ...series, metric: 'x' }, 3], [changeRef, 1])], witnesses())
  expect(causes).toEqual([])
})

// What the diagnosis really claims must survive being asked again when nothing has changed: no fault may lose its evidence
// to a check that is too strict.
test.each(FAULT_KINDS)('true claims about %s stand', async (kind) => {
  const service =
    {
      credential_expired: 'payment',
      queue_backlog: 'orders-queue',
      slow_database: 'shop-db',
      slow_dependency: 'payment',
      provider_failure: 'midwatch',
    }[kind as string] ?? 'inventory'
  const input = makeCase({ kind, service, seed: 5 })
  const { causes } = diagnose(input)
  const recorded = recordedMetrics('recorded', input.series, input.stepMs)
  const range = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, stepMs: input.stepMs }
  const never = new AbortController().signal
  const catalogue = await Promise.all(
    (await recorded.catalogue(range, never)).map(async (metric) => ({
      ...metric,
      labels: await recorded.labelNames(metric.name, range, never),
    })),
  )
  const toMs = Math.max(...input.series.flatMap(({ points }) => points.map(([at]) => at)))
  const result = await recheck(causes, {
    signals: async (_source, queries) =>
      readSignals((await Promise.all(queries.map((query) => recorded.query(query, { ...range, toMs }, never)))).flat()),
    line: async (ref) => input.logs.find((one) => one.ref === ref),
    latestLines: async (name) => input.logs.filter((one) => one.service === name && one.at >= input.alertAtMs),
    asked: [{ source: recorded, queries: planQueries(catalogue) }],
    changes: input.changes,
    topology: [...input.topology, ...callsIn(readSignals(input.series))],
  })
  if (result.causes[0]?.evidence.length !== causes[0]?.evidence.length)
    console.log(
      JSON.stringify(
        causes[0]?.evidence
          .filter((e) => !result.causes[0]?.evidence.some((o) => o.id === e.id))
          .map((e) => ({ ...e, ref: { ...e.ref, points: [] } })),
        null,
        1,
      ),
    )
  expect(result.causes[0]?.service).toBe(causes[0]?.service)
  expect(result.causes[0]?.evidence.length).toBe(causes[0]?.evidence.length)
})

test('whether a fix helped is not judged by how much people ask for', async () => {
  const demand: Signal = { ...signal, role: 'requests', metric: 'requests', unit: '/s' }
  const requests = { ...series, metric: 'requests', unit: '/s' }
  const asked = [
    {
      source,
      queries: [
        { metric: 'cpu', as: 'rate' as const },
        { metric: 'requests', as: 'rate' as const },
      ],
    },
  ]
  const both = witnesses({ asked, signals: async () => [signal, demand] })
  const leads = await findLeads(causeWith([requests, 9], [series, 1]), both)
  expect(leads.map(({ metric }) => metric)).toEqual(['cpu'])
})
