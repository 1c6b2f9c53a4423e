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

test('what tools answered is forgotten with the evidence of its look', async () => {
  world = await makeWorld()
  const { db, clock } = world
  const now = clock.now()
  const evidence = { tenant: 'default', look: 1, body: '' }
  const output = { look: 1, query: '{}', rows: '[]', error: null }
  const incident = await db.selectFrom('incidents').selectAll().executeTakeFirstOrThrow()
  // 200 are kept: of these the first makes room for the one that is written below.
  for (let n = 0; n <= 200; n++) {
    const id = `inc_${n}`
    await db
      .insertInto('incidents')
      .values({ ...incident, id, number: 100 + n, tenant: n === 2 ? 'other' : 'default' })
      .execute()
    // Of the next two nothing was kept.
    if (n > 2)
      await db
        .insertInto('investigation_evidence')
        .values({ ...evidence, incident_id: id, at: now - 1000 + n })
        .execute()
    await db
      .insertInto('tool_outputs')
      .values({ ...output, incident_id: id, call_id: 'logs.1', at: now - 2000 + n })
      .execute()
  }
  await db
    .insertInto('investigation_evidence')
    .values({ ...evidence, incident_id: 'inc_0', at: now - 1000 })
    .execute()
  await db
    .insertInto('investigation_evidence')
    .values({ ...evidence, incident_id: 'inc_0', look: 2, at: now - 500 })
    .execute()
  await clock.advance(1000)
  await world.work(world.start())
  const left = await db.selectFrom('tool_outputs').select('incident_id').where('call_id', '=', 'logs.1').execute()
  const others = Array.from({ length: 199 }, (_, n) => `inc_${n + 2}`)
  expect(new Set(left.map(({ incident_id }) => incident_id))).toEqual(new Set([INCIDENT, ...others]))
})

test('without an alert there is nothing to investigate, and that is said', async () => {
  world = await makeWorld()
  await world.work(world.start())
  const evidence = await findEvidence(world.db, INCIDENT)
  if (!evidence) throw new Error('nothing was kept')
  const input = { ...fromEvidence(evidence, world.config, systemClock), alerts: [], log: silentLog() }
  await expect(investigateOnce(input, never)).rejects.toThrow('There is no alert to investigate.')
})
