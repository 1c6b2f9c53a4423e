import { afterEach, beforeEach, expect, test } from 'vitest'
import { listAudit } from '../../audit/read.ts'
import { configSchema } from '../../config/schema.ts'
import { ManualClock } from '../../core/clock.ts'
import { oncallView } from '../../incidents/routing/oncall.ts'
import { openTestDb, type TestDb } from '../../incidents/testing.ts'
import { oncallRoutes } from './oncall.ts'
import { startTestServer, type TestServer } from './testing.ts'

const NOW = Date.UTC(2026, 10, 23, 3, 12)
const HOUR = 3_600_000
const { teams } = configSchema.parse({
  agent: {
    teams: {
      payments: {
        people: { ada: { name: 'Ada', reach: [{ channel: 'webhook' }] }, bo: { reach: [{ channel: 'webhook' }] } },
        schedules: {
          primary: {
            layers: [{ people: ['ada'], from: '2026-01-01', hours: [{ from: '00:00', to: '20:00' }] }],
          },
        },
      },
    },
  },
}).agent
let db: TestDb
let server: TestServer
let clock: ManualClock
let end: () => Promise<void>

beforeEach(async () => {
  const opened = await openTestDb()
  db = opened.db
  clock = new ManualClock(NOW)
  server = await startTestServer(oncallRoutes({ db, clock, teams }))
  end = async () => {
    await server.stop()
    await opened.connection.close()
  }
})
afterEach(() => end())

const read = async (query = '', token = 'default') =>
  oncallView.parse((await server.request('GET', `/v1/oncall${query}`, { token })).json)
const GIVEN = { team: 'payments', schedule: 'primary', person: 'bo', durationSeconds: 8 * 3600, reason: 'dentist' }
const stand = (json: object, token = 'default') => server.request('POST', '/v1/oncall/overrides', { token, json })

test('says who is on call, who follows, and when nobody is', async () => {
  const view = await read('?days=2')
  const evening = Date.UTC(2026, 10, 23, 20)
  expect(view.schedules).toMatchObject([
    { team: 'payments', schedule: 'primary', person: 'ada', name: 'Ada', next: { person: null, from: evening } },
  ])
  expect(view.schedules[0]?.gaps).toEqual([
    { from: evening, to: evening + 4 * HOUR },
    { from: evening + 24 * HOUR, to: evening + 28 * HOUR },
  ])
  expect((await read('?at=2026-11-23T21:00:00Z')).schedules[0]).toMatchObject({ person: null, name: null })
})

test('an override holds for its tenant until it ends or is ended, and both are in the audit log', async () => {
  const made = await stand(GIVEN)
  expect(made).toMatchObject({ status: 201, json: { person: 'bo', from: NOW, to: NOW + 8 * HOUR, by: 'default' } })
  expect((await read()).schedules[0]).toMatchObject({ person: 'bo', next: { person: 'ada', from: NOW + 8 * HOUR } })
  expect((await read('', 'other')).schedules[0]?.person).toBe('ada')
  await clock.advance(HOUR)
  const path = `/v1/oncall/overrides/${made.json.id}`
  expect((await server.request('DELETE', path, { token: 'other', json: {} })).status).toBe(404)
  expect(await server.request('DELETE', path, { json: {} })).toMatchObject({ status: 200, json: { to: NOW + HOUR } })
  expect((await read()).schedules[0]?.person).toBe('ada')
  const audited = await listAudit(db, { tenant: 'default', limit: 10 })
  expect(audited.map(({ kind, subject }) => [kind, subject])).toEqual(
    expect.arrayContaining([
      ['oncall.override.created', made.json.id],
      ['oncall.override.ended', made.json.id],
    ]),
  )
})

test('what names nobody, or a time that is over, is refused with what there is', async () => {
  const refused = async (more: object) => {
    const { status, json } = await stand({ ...GIVEN, ...more })
    expect(status).toBe(400)
    return json.error.message as string
  }
  expect(await refused({ team: 'constructor' })).toBe('There is no team constructor; there is payments.')
  expect(await refused({ schedule: 'x' })).toBe('payments has no schedule x; it has primary.')
  expect(await refused({ person: 'cy' })).toBe('cy is not among the people of payments: ada, bo.')
  expect(await refused({ from: '2026-11-22T00:00:00Z', durationSeconds: 60 })).toContain('over before it begins')
  expect(await refused({ to: '2026-11-24T00:00:00Z' })).toContain('either to or durationSeconds')
  expect((await stand(GIVEN, 'default:incidents:read')).status).toBe(403)
})
