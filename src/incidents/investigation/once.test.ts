import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../observe/log.ts'
import { report as reportSchema } from '../report.ts'
import { findEvidence } from './evidence.ts'
import { fromEvidence, investigateOnce } from './once.ts'
import { INCIDENT, makeWorld, type World } from './testing/world.ts'

let world: World
afterEach(() => world.close())

const never = new AbortController().signal

async function replay() {
  const evidence = await findEvidence(world.db, INCIDENT)
  if (!evidence) throw new Error('nothing was kept')
  const input = fromEvidence(evidence, world.config, systemClock)
  return { evidence, ...(await investigateOnce({ ...input, log: silentLog() }, never)) }
}

test.each([
  ['pool_exhausted', 'inventory'],
  ['down', 'payment'],
  ['traffic_surge', 'inventory'],
] as const)('what was read for %s comes to the same report when it is gone through again', async (fault, service) => {
  world = await makeWorld({ fault, service })
  await world.work(world.start())
  const row = await world.db.selectFrom('incidents').select('report').executeTakeFirstOrThrow()
  const then = reportSchema.parse(JSON.parse(row.report ?? 'null'))
  const { evidence, report, proposals, audited } = await replay()
  expect(evidence.report.sentence).toBe(then.sentence)
  expect(report.causes.map(({ service, kind, score }) => [service, kind, score])).toEqual(
    then.causes.map(({ service, kind, score }) => [service, kind, score]),
  )
  expect(report.claimsRemoved).toBe(then.claimsRemoved)
  expect(proposals).toEqual([])
  expect(audited).toBeGreaterThan(0)
})

test('the evidence of the latest incidents is kept, and of none more than once', async () => {
  world = await makeWorld()
  await world.work(world.start())
  const rows = await world.db.selectFrom('investigation_evidence').select(['incident_id', 'look']).execute()
  expect(rows).toEqual([{ incident_id: INCIDENT, look: 1 }])
})

test('without an alert there is nothing to investigate, and that is said', async () => {
  world = await makeWorld()
  await world.work(world.start())
  const evidence = await findEvidence(world.db, INCIDENT)
  if (!evidence) throw new Error('nothing was kept')
  const input = { ...fromEvidence(evidence, world.config, systemClock), alerts: [], log: silentLog() }
  await expect(investigateOnce(input, never)).rejects.toThrow('There is no alert to investigate.')
})
