// `kill -9` at random moments while faults come and go: whatever was accepted is there, nothing that was approved
// happens twice, and every incident comes to its end. The judge is what others wrote down: the alerter's record of what
// was acknowledged, and the platform's journal of what it was asked to do.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { getFault } from '../../lab/faults/all.ts'
import { type Lab, startLab } from '../../lab/lab.ts'
import { createRandom } from '../../lab/platform/random.ts'
import { readActionRuns, readAlerts } from '../../lab/records.ts'
import { waitForQuiet } from '../../lab/walk.ts'

const KILLS = 12
const SEED = 11
/** They hurt at once and are mended in different ways. */
const FAULTS = ['catalogue-release', 'inventory-down']
const STEADY_MS = 25_000
const FAULT_MS = 55_000
const REST_MS = 12_000
/** At most: another walk may run beside this one. */
const QUIET_MS = 180_000

const workDir = mkdtempSync(join(tmpdir(), 'midwatch-kill-'))
const random = createRandom(SEED)
const startedMs = Date.now()
let lab: Lab
let kills = 0
const complaints: string[] = []

beforeAll(async () => {
  lab = await startLab({
    workDir,
    seed: SEED,
    load: 0.7,
    // Whoever kills it does not want to hear that it is gone.
    watchMidwatch: false,
    onUnexpectedEnd: (message) => complaints.push(message),
  })
  await wait(STEADY_MS)
  const over = new AbortController()
  const deciding = approveAll(over.signal)
  const breaking = breakThings()
  await killAgainAndAgain(breaking)
  await breaking
  await waitForQuiet(lab.agent, { untilMs: Date.now() + QUIET_MS })
  over.abort()
  await deciding
}, 600_000)

afterAll(async () => {
  await lab.stop()
  rmSync(workDir, { recursive: true, force: true })
}, 60_000)

/** One fault after the other, each healed at its end whether or not it was mended. */
async function breakThings(): Promise<void> {
  for (const name of FAULTS) {
    const fault = getFault(name)
    await lab.inject(fault, random)
    await wait(FAULT_MS)
    await fault.heal(lab.platform)
    await wait(REST_MS)
  }
}

/** Kills at moments that know nothing of what Midwatch is doing, and starts it again each time. */
async function killAgainAndAgain(breaking: Promise<void>): Promise<void> {
  const calm = new AbortController()
  void breaking.finally(() => calm.abort())
  while (!calm.signal.aborted || kills < KILLS) {
    await wait(random.between(500, 9000))
    await lab.midwatch.kill()
    kills++
    await wait(random.between(0, 800))
    await lab.midwatch.start()
  }
}

/** Approves whatever is proposed, twice at once, as somebody with an impatient finger does. */
async function approveAll(over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const open = await lab.agent.incidentsSince(startedMs).catch(() => [])
    for (const { id } of open.filter(({ state }) => state === 'awaiting_approval')) {
      const view = await lab.agent.incident(id).catch(() => undefined)
      if (view) await Promise.allSettled([lab.agent.approve(view), lab.agent.approve(view)])
    }
    await wait(300)
  }
}

describe(`after ${KILLS} kills`, () => {
  test('there was something to lose', () => {
    expect(complaints).toEqual([])
    expect(kills).toBeGreaterThanOrEqual(KILLS)
    expect(acknowledged().length).toBeGreaterThan(10)
    expect(readActionRuns(lab.midwatch.databaseFile).length).toBeGreaterThan(0)
  })

  test('no alert that was acknowledged is missing, and each of them is folded', () => {
    const stored = new Map(readAlerts(lab.midwatch.databaseFile).map((alert) => [lifeOf(alert), alert]))
    const missing = acknowledged().filter((alert) => !stored.has(lifeOf(alert)))
    expect(missing).toEqual([])
    expect([...stored.values()].filter(({ decision }) => decision === null)).toEqual([])
  })

  test('no end of an alert that was acknowledged is forgotten', () => {
    const stored = new Map(readAlerts(lab.midwatch.databaseFile).map((alert) => [lifeOf(alert), alert.status]))
    const forgotten = acknowledged().filter(
      ({ status, ...alert }) => status === 'resolved' && stored.get(lifeOf(alert)) !== 'resolved',
    )
    expect(forgotten).toEqual([])
  })

  test('no action was carried out twice, and none that was not approved', () => {
    const operations = lab.platform.operations()
    expect(operations.filter(({ carriedOut }) => carriedOut > 1)).toEqual([])
    const runs = new Set(readActionRuns(lab.midwatch.databaseFile))
    expect(operations.filter(({ key }) => !runs.has(key))).toEqual([])
  })

  test('every incident has come to its end', async () => {
    const incidents = await lab.agent.incidentsSince(startedMs)
    expect(incidents.length).toBeGreaterThan(0)
    expect(incidents.filter(({ state }) => state !== 'closed')).toEqual([])
    for (const { id } of incidents) {
      const { timeline } = await lab.agent.incident(id)
      expect(timeline.map(({ seq }) => seq)).toEqual(timeline.map((_, i) => i + 1))
      expect(timeline.filter(({ kind }) => kind === 'opened')).toHaveLength(1)
      expect(timeline.filter(({ kind }) => kind === 'closed')).toHaveLength(1)
    }
  })
})

const acknowledged = () => (lab.alerting.kind === 'embedded' ? lab.alerting.acknowledged() : [])

const lifeOf = ({ fingerprint, startsAtMs }: { fingerprint: string; startsAtMs: number }): string =>
  `${fingerprint}@${startsAtMs}`
