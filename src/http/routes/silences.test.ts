import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { silenceList, silenceView } from '../../incidents/folding/silences.ts'
import { openTestDb, type TestDb } from '../../incidents/testing.ts'
import { silenceRoutes } from './silences.ts'
import { startTestServer, type TestServer } from './testing.ts'

const NOW = Date.UTC(2026, 10, 23, 3, 12)
let db: TestDb
let server: TestServer
let changes: number
let end: () => Promise<void>

beforeEach(async () => {
  const opened = await openTestDb()
  db = opened.db
  changes = 0
  server = await startTestServer(silenceRoutes({ db, clock: new ManualClock(NOW), onChanged: () => void changes++ }))
  end = async () => {
    await server.stop()
    await opened.connection.close()
  }
})
afterEach(() => end())

const ask = (method: string, path: string, token = 'default', json?: unknown) =>
  server.request(method, path, { token, ...(json === undefined ? {} : { json }) })
const GIVEN = { matchers: ['service="checkout"'], durationSeconds: 3600, comment: 'racks' }

test('a silence is made, listed and ended, and both are in the audit log under the name of the key', async () => {
  const made = await ask('POST', '/v1/silences', 'default', GIVEN)
  expect(made.status).toBe(201)
  const { id, author } = silenceView.parse(made.json)
  const list = silenceList.parse((await ask('GET', '/v1/silences')).json)
  expect(list.silences).toMatchObject([{ id, state: 'active', matchers: GIVEN.matchers, endsAt: NOW + 3_600_000 }])
  expect((await ask('DELETE', `/v1/silences/${id}`)).json).toMatchObject({ state: 'ended' })
  expect(silenceList.parse((await ask('GET', '/v1/silences')).json).silences).toEqual([])
  expect(silenceList.parse((await ask('GET', '/v1/silences?all=true')).json).silences).toMatchObject([{ id, author }])
  const audit = await db.selectFrom('audit_log').select(['kind', 'actor', 'subject']).orderBy('seq').execute()
  expect(audit).toEqual([
    { kind: 'silence.created', actor: author, subject: id },
    { kind: 'silence.ended', actor: author, subject: id },
  ])
  expect(changes).toBe(2)
})

test('the author cannot be chosen, and what is wrong is named', async () => {
  const forged = await ask('POST', '/v1/silences', 'default', { ...GIVEN, author: 'the boss' })
  expect(forged.status).toBe(400)
  const wide = await ask('POST', '/v1/silences', 'default', { ...GIVEN, matchers: ['a=~".*"'] })
  expect(wide.status).toBe(400)
  expect(JSON.stringify(wide.json)).toContain('every alert')
  const past = await ask('POST', '/v1/silences', 'default', { ...GIVEN, startsAt: '2020-01-01T00:00:00Z' })
  expect(past.status).toBe(400)
  expect(changes).toBe(0)
})

test('another tenant sees and ends nothing', async () => {
  const { id } = silenceView.parse((await ask('POST', '/v1/silences', 'default', GIVEN)).json)
  expect(silenceList.parse((await ask('GET', '/v1/silences', 'other')).json).silences).toEqual([])
  expect((await ask('DELETE', `/v1/silences/${id}`, 'other')).status).toBe(404)
})

test('who may only read may make no silence', async () => {
  expect((await ask('POST', '/v1/silences', 'default:incidents:read', GIVEN)).status).toBe(403)
})
