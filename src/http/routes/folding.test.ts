import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Edge } from '../../core/telemetry.ts'
import { listLessons, unlearn } from '../../incidents/folding/lessons.ts'
import { START, world } from '../../incidents/folding/testing.ts'
import { readTold } from '../../incidents/telling/told-incident.ts'
import { wireAlert } from '../../incidents/testing.ts'
import { foldingRoutes } from './folding.ts'
import { startTestServer, type TestServer } from './testing.ts'

const TOPOLOGY: readonly Edge[] = [{ caller: 'checkout', callee: 'payment' }]
const MINUTE = 60_000
let w: Awaited<ReturnType<typeof world>>
let server: TestServer
let woken: number

beforeEach(async () => {
  w = await world(TOPOLOGY)
  woken = 0
  const { db, feed, clock } = w
  const config = { groupBy: [], groupIntervalMs: MINUTE }
  server = await startTestServer(foldingRoutes({ db, feed, clock, config, onWork: () => void woken++ }))
})
afterEach(async () => {
  await server.stop()
  await w.end()
})

const post = (path: string, json: unknown, token = 'default') => server.request('POST', path, { token, json })
const where = async () => (await w.alerts()).map(({ name, incident_id }) => [name, incident_id])
const numbers = async () => {
  const incidents = await w.incidents()
  const of = new Map(incidents.map(({ id, number }) => [id, number]))
  return Object.fromEntries((await where()).map(([name, id]) => [name, of.get(id ?? '')]))
}

test('merged incidents are one, both timelines say so, and the same pair is together the next time', async () => {
  await w.send(wireAlert('A', 'search', START), wireAlert('B', 'billing', START))
  const done = await post('/v1/incidents/1/merge', { incident: '2', reason: 'one bad switch' })
  expect(done).toMatchObject({ status: 200, json: { incident: 1, merged: 2 } })
  expect(await numbers()).toEqual({ A: 1, B: 1 })
  expect((await w.incidents())[1]).toMatchObject({ state: 'closed', outcome: null })
  expect((await w.events()).slice(-2)).toEqual([
    'merged: Merged into incident 1 by default: one bad switch.',
    'merged: Incident 2 was merged into this one by default, with 1 alert: one bad switch.',
  ])
  // The merged one is found by what it took over.
  await w.send(wireAlert('C', 'billing', START))
  expect(await numbers()).toMatchObject({ C: 1 })
  await w.db.updateTable('incidents').set({ state: 'watching' }).where('number', '=', 1).execute()
  await w.clock.advance(60 * MINUTE)
  const at = w.clock.now()
  await w.send(wireAlert('D', 'search', at))
  await w.send(wireAlert('E', 'billing', at))
  expect(await numbers()).toMatchObject({ D: 3, E: 3 })
  expect((await w.alerts()).find(({ name }) => name === 'E')?.reason).toBe('lesson: default merged incident 2 into 1')
  expect(woken).toBe(1)
})

test('whoever was told of an incident is told where it went, and nobody of one that they never heard of', async () => {
  const news = async () =>
    (await w.db.selectFrom('jobs').select('payload').where('kind', '=', 'news').execute()).map(
      ({ payload }) => JSON.parse(payload) as unknown,
    )
  await w.send(wireAlert('A', 'search', START), wireAlert('B', 'billing', START), wireAlert('C', 'mail', START))
  await post('/v1/incidents/1/merge', { incident: '2', reason: 'one bad switch' })
  expect(await news()).toEqual([])
  await w.db.updateTable('incidents').set({ state: 'watching' }).where('number', '=', 3).execute()
  const told = (await w.incidents())[2]?.id ?? ''
  await post('/v1/incidents/1/merge', { incident: '3', reason: 'the same switch' })
  expect(await news()).toMatchObject([
    { incidentId: told, kind: 'closed', step: 'closed:merged', details: { outcome: null, into: 1 } },
  ])
  const options = { publicUrl: 'http://midwatch.example', confirmFromRisk: 7 }
  expect(await readTold(w.db, told, options)).toMatchObject({ state: 'closed', mergedInto: 1 })
})

test('alerts that are taken out are an incident of their own, and are not put back the next time', async () => {
  await w.send(wireAlert('A', 'checkout', START))
  await w.send(wireAlert('B', 'payment', START))
  expect(await numbers()).toEqual({ A: 1, B: 1 })
  const b = (await w.alerts()).find(({ name }) => name === 'B')
  const done = await post('/v1/incidents/1/split', { alerts: [b?.id], reason: 'another team' })
  expect(done).toMatchObject({ status: 201, json: { incident: 1, split: 2 } })
  expect(await numbers()).toEqual({ A: 1, B: 2 })
  expect(await w.events()).toContain('split: 1 alert became incident 2, by default: another team.')
  const jobs = await w.db.selectFrom('jobs').select(['key']).where('kind', '=', 'investigate').execute()
  expect(jobs).toHaveLength(2)
  await w.send(wireAlert('C', 'payment', START))
  expect(await numbers()).toMatchObject({ C: 2 })

  await w.clock.advance(60 * MINUTE)
  const at = w.clock.now()
  await w.send(wireAlert('D', 'checkout', at))
  await w.send(wireAlert('E', 'payment', at))
  expect(await numbers()).toMatchObject({ D: 3, E: 4 })
  const lessons = await listLessons(w.db, 'default')
  expect(lessons).toMatchObject([{ kind: 'apart', a: 'service:checkout', b: 'service:payment', by: 'default' }])
  expect(lessons[0]?.reason).toBe('default took incident 2 out of 1; it had been folded by the rule dependency')

  expect(await unlearn(w.db, 'default', lessons[0]?.id ?? '')).toBe(true)
  await w.clock.advance(60 * MINUTE)
  await w.send(wireAlert('F', 'checkout', w.clock.now()))
  await w.send(wireAlert('G', 'payment', w.clock.now()))
  expect(await numbers()).toMatchObject({ F: 5, G: 5 })
  const audit = await w.db.selectFrom('audit_log').select('kind').orderBy('seq').execute()
  expect(audit.map(({ kind }) => kind)).toEqual(['incident.split'])
})

test('who looks after an incident is told once, and its alerts end all the same', async () => {
  await w.send(wireAlert('A', 'search', START))
  expect((await post('/v1/incidents/1/ack', {})).json).toEqual({ incident: 1, by: 'default' })
  expect((await post('/v1/incidents/1/ack', {})).status).toBe(200)
  await w.clock.advance(1000)
  await w.send(wireAlert('A', 'search', START, { endsAtMs: START + 1000 }))
  expect((await w.events()).slice(1)).toEqual(['acknowledged: default looks after it.', 'alert: A of search ended.'])
  expect((await w.alerts())[0]?.status).toBe('resolved')
  const recovered = await w.db.selectFrom('jobs').select('key').where('kind', '=', 'recovered').execute()
  expect(recovered).toHaveLength(1)
  expect((await post('/v1/incidents/7/ack', {})).status).toBe(404)
})

test('what makes no sense is refused and changes nothing', async () => {
  await w.send(wireAlert('A', 'search', START), wireAlert('B', 'billing', START))
  const before = [await where(), await w.events()]
  const a = (await w.alerts()).find(({ name }) => name === 'A')
  expect((await post('/v1/incidents/1/merge', { incident: '1', reason: 'x' })).status).toBe(400)
  expect((await post('/v1/incidents/1/merge', { incident: '9', reason: 'x' })).status).toBe(404)
  expect((await post('/v1/incidents/1/merge', { incident: '2' })).status).toBe(400)
  expect((await post('/v1/incidents/1/split', { alerts: [a?.id], reason: 'x' })).status).toBe(400)
  expect((await post('/v1/incidents/2/split', { alerts: ['alr_none'], reason: 'x' })).status).toBe(400)
  expect((await post('/v1/incidents/1/merge', { incident: '2', reason: 'x' }, 'other')).status).toBe(404)
  expect((await post('/v1/incidents/1/merge', { incident: '2', reason: 'x' }, 'default:incidents:read')).status).toBe(
    403,
  )
  await w.db.updateTable('incidents').set({ state: 'acting' }).where('number', '=', 2).execute()
  expect((await post('/v1/incidents/1/merge', { incident: '2', reason: 'x' })).status).toBe(409)
  expect([await where(), await w.events()]).toEqual(before)
})
