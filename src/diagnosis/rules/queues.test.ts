import { expect, test } from 'vitest'
import type { Point, Series } from '../../core/telemetry.ts'
import { diagnose } from '../diagnose.ts'
import { seeded } from '../testing/shop.ts'

const STEP_MS = 15_000
const QUIET = 60
const TROUBLED = 6

type Level = (step: number, noise: number) => number

/** A queue that a shop fills and a worker empties, a quarter of an hour of quiet and then trouble. */
function queueCase(measured: Readonly<Record<string, Level>>) {
  const random = seeded(3)
  const series = Object.entries(measured).map(([key, level]): Series => {
    const [service = '', metric = ''] = key.split(' ')
    const points = Array.from({ length: QUIET + TROUBLED }, (_, i): Point => [i * STEP_MS, level(i, random())])
    const as = metric.endsWith('_total') ? ('rate' as const) : ('value' as const)
    return { service, metric, as, labels: { queue: 'orders' }, query: key, points }
  })
  const alertAtMs = (QUIET + 3) * STEP_MS
  return {
    alertAtMs,
    stepMs: STEP_MS,
    symptoms: [{ service: 'broker', name: 'QueueGrows', startsAtMs: alertAtMs }],
    series,
    logs: [],
    changes: [],
    topology: [
      { caller: 'shop', callee: 'broker' },
      { caller: 'worker', callee: 'broker' },
    ],
  }
}

const grows: Level = (step) => (step < QUIET ? 0 : 12 * (step - QUIET + 1))
/** It has stood still before, when there was nothing to do: standing still is nothing unusual for it. */
const worksAtTimes: Level = (step, noise) => (step >= QUIET || step % 9 < 2 ? 0 : 2 + noise)

test('a queue that grows although no more comes than before is owed by who works it off, whatever its pace was before', () => {
  const found = diagnose(queueCase({ 'broker queue_depth': grows, 'worker queue_jobs_total': worksAtTimes }))
  expect(found.causes[0]).toMatchObject({ service: 'worker', kind: 'queue_backlog' })
})

test('a queue that nobody is known to work off is its holder’s', () => {
  const found = diagnose(queueCase({ 'broker queue_depth': grows }))
  expect(found.causes[0]).toMatchObject({ service: 'broker', kind: 'queue_backlog' })
})
