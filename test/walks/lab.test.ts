// The main job, end to end: a fault in a running shop becomes alerts, one incident, a named cause with evidence, an
// approved action, and an incident that closes itself. Once with what the package brings, once with the real
// Prometheus and Alertmanager.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { missingPrometheus } from '../../lab/alerting/prometheus.ts'
import { getFault } from '../../lab/faults/all.ts'
import { type Lab, startLab } from '../../lab/lab.ts'
import { createRandom } from '../../lab/platform/random.ts'
import { readAlerts } from '../../lab/records.ts'
import { waitForClose, waitForDiagnosis, waitForIncident, waitForProposal } from '../../lab/walk.ts'
import { requireService } from '../services.ts'

const STEADY_MS = 35_000

const missing = missingPrometheus()
for (const name of missing) requireService(name)

interface Walk {
  readonly prometheus: boolean
  readonly fault: string
  readonly seed: number
}

async function walk({ prometheus, fault: name, seed }: Walk): Promise<void> {
  const workDir = mkdtempSync(join(tmpdir(), 'midwatch-walk-'))
  const ended: string[] = []
  const lab = await startLab({ workDir, seed, prometheus, onUnexpectedEnd: (message) => ended.push(message) })
  try {
    await wait(STEADY_MS)
    expect(await lab.agent.incidentsSince(0)).toEqual([])
    await breakAndMend(lab, name, seed)
    expect(ended).toEqual([])
  } finally {
    await lab.stop()
    rmSync(workDir, { recursive: true, force: true })
  }
}

async function breakAndMend(lab: Lab, name: string, seed: number): Promise<void> {
  const truth = await lab.inject(getFault(name), createRandom(seed))
  const within = (ms: number) => ({ untilMs: Date.now() + ms })

  const opened = await waitForIncident(lab.agent, truth.startedAt, within(60_000))
  expect(opened, 'an incident is opened').toBeDefined()
  const diagnosed = await waitForDiagnosis(lab.agent, opened?.id ?? '', within(60_000))
  const [cause] = diagnosed?.report?.causes ?? []
  expect({ service: cause?.service, kind: cause?.kind }).toEqual({ service: truth.service, kind: truth.kind })
  expect(cause?.evidence.length).toBeGreaterThan(0)
  expect((diagnosed?.report?.diagnosedAt ?? Infinity) - truth.startedAt).toBeLessThan(75_000)

  const proposed = await waitForProposal(lab.agent, opened?.id ?? '', within(30_000))
  expect(proposed?.approval?.state).toBe('pending')
  expect(lab.platform.operations(), 'nothing happens before it is approved').toEqual([])
  expect(proposed && (await lab.agent.approve(proposed))).toBe(true)

  const closed = await waitForClose(lab.agent, opened?.id ?? '', within(150_000))
  expect(closed?.outcome).toBe('fixed')
  expect(lab.platform.operations().map(({ carriedOut, state }) => ({ carriedOut, state }))).toEqual([
    { carriedOut: 1, state: 'done' },
  ])
  const incidents = await lab.agent.incidentsSince(truth.startedAt)
  expect(incidents).toHaveLength(1)
  expect(readAlerts(lab.midwatch.databaseFile).length, 'many alerts, one incident').toBeGreaterThan(3)
}

// Side by side: a lab is idle most of its time.
describe.concurrent('one walk from a fault to its fix', () => {
  test('with nothing installed', () => walk({ prometheus: false, fault: 'catalogue-release', seed: 21 }), 360_000)

  test.skipIf(missing.length > 0)(
    'with the real Prometheus and Alertmanager',
    () => walk({ prometheus: true, fault: 'payment-token', seed: 22 }),
    360_000,
  )
})
