import { expect, test } from 'vitest'
import type { Edge, Point, Series } from '../core/telemetry.ts'
import type { CaseInput } from './case.ts'
import { diagnose } from './diagnose.ts'
import { seeded } from './testing/shop.ts'

const STEP_MS = 60_000
const QUIET = 60
const TROUBLED = 5

type Level = (troubled: boolean, noise: number) => number

/** An hour of quiet and five minutes of trouble, each level a function of whether there is any. */
function caseOf(edges: readonly Edge[], measured: Readonly<Record<string, Level>>, name: string): CaseInput {
  const random = seeded(7)
  const series = Object.entries(measured).map(([key, level]): Series => {
    const [service = '', metric = '', callee] = key.split(' ')
    const points = Array.from({ length: QUIET + TROUBLED }, (_, i): Point => [i * STEP_MS, level(i >= QUIET, random())])
    const labels: Record<string, string> = callee === undefined ? {} : { callee }
    return { service, metric, as: 'value', labels, query: key, points }
  })
  const alertAtMs = (QUIET + 2) * STEP_MS
  return {
    alertAtMs,
    stepMs: STEP_MS,
    symptoms: [{ service: 'door', name, startsAtMs: alertAtMs }],
    series,
    logs: [],
    changes: [],
    topology: edges,
  }
}

const always =
  (value: number, spread = 0.02): Level =>
  (_, noise) =>
    value * (1 + spread * (noise - 0.5))

test('of many services measured alike the one that moved is named, although it moved little', () => {
  const callees = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  const edges = callees.map((callee) => ({ caller: 'door', callee }))
  const healthy = Object.fromEntries(callees.map((one) => [`${one} success_rate`, always(100, 0.002)]))
  const oneMoved = {
    ...healthy,
    'c success_rate': ((troubled, noise) => (troubled ? 97.8 : 100) - 0.1 * noise) as Level,
  }
  expect(diagnose(caseOf(edges, oneMoved, 'availability')).causes[0]?.service).toBe('c')
  const twoMoved = { ...oneMoved, 'e success_rate': oneMoved['c success_rate'] }
  expect(diagnose(caseOf(edges, twoMoved, 'availability'))).toMatchObject({ abstained: true, leads: [{}, {}] })
  expect(diagnose(caseOf(edges, healthy, 'availability'))).toMatchObject({ abstained: true, leads: [] })
})

test('time that every caller loses before the callee’s clock begins is held against the callee', () => {
  const edges = [
    { caller: 'door', callee: 'basket' },
    { caller: 'door', callee: 'offers' },
    { caller: 'basket', callee: 'price' },
    { caller: 'offers', callee: 'price' },
    { caller: 'basket', callee: 'stock' },
  ]
  const lost: Level = (troubled, noise) => (troubled ? 2000 : 4) * (1 + 0.1 * noise)
  const found = diagnose(
    caseOf(
      edges,
      {
        'door latency_p95_ms': (troubled, noise) => (troubled ? 2200 : 150) * (1 + 0.1 * noise),
        'price latency_p95_ms': always(12, 0.1),
        'stock latency_p95_ms': always(9, 0.1),
        'basket edge_gap_p95_ms price': lost,
        'offers edge_gap_p95_ms price': lost,
        'basket edge_gap_p95_ms stock': always(3, 0.2),
        'door edge_gap_p95_ms basket': always(3, 0.2),
        'door edge_gap_p95_ms offers': always(3, 0.2),
        'basket edge_client_p95_ms price': lost,
        'offers edge_client_p95_ms price': lost,
      },
      'latency',
    ),
  )
  expect(found.causes[0]?.service).toBe('price')
})
