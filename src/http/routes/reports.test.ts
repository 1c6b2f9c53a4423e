import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { weeklyReport } from '../../incidents/reports/weekly-view.ts'
import type { Stretch } from '../../incidents/reports/weekly.ts'
import { openTestDb } from '../../incidents/testing.ts'
import { reportRoutes } from './reports.ts'
import { startTestServer, type TestServer } from './testing.ts'

const DAY_MS = 86_400_000
const clock = new ManualClock(Date.UTC(2026, 10, 26))
let server: TestServer
let asked: Stretch[]
let end: () => Promise<void>

beforeEach(async () => {
  const { connection, db } = await openTestDb()
  asked = []
  const modelCost = async (stretch: Stretch) => {
    asked.push(stretch)
    return { calls: 3, costUsd: 0.25, callsOfUnknownCost: 1 }
  }
  server = await startTestServer(reportRoutes({ db, clock, modelCost }))
  end = async () => {
    await server.stop()
    await connection.close()
  }
})
afterEach(() => end())

test('a report covers the last seven days of the caller, with what the model calls cost', async () => {
  const { status, json } = await server.request('GET', '/v1/reports/weekly', { token: 'acme' })
  expect(status).toBe(200)
  expect(weeklyReport.parse(json).model).toEqual({ calls: 3, costUsd: 0.25, callsOfUnknownCost: 1 })
  expect(asked).toEqual([{ tenant: 'acme', fromMs: clock.now() - 7 * DAY_MS, toMs: clock.now() }])
})

test('another stretch can be asked for, within bounds', async () => {
  await server.request('GET', '/v1/reports/weekly?since=36h&until=2026-11-20T00:00:00Z')
  const toMs = Date.UTC(2026, 10, 20)
  expect(asked).toMatchObject([{ fromMs: toMs - 1.5 * DAY_MS, toMs }])
  for (const query of ['since=0d', 'since=93d', 'since=week', 'until=yesterday', 'format=pdf'])
    expect((await server.request('GET', `/v1/reports/weekly?${query}`)).status, query).toBe(400)
})

test('it is read with incidents:read, also as Markdown', async () => {
  expect((await server.request('GET', '/v1/reports/weekly', { token: 'a:alerts:write' })).status).toBe(403)
  const response = await fetch(`${server.url}/v1/reports/weekly?format=markdown`, {
    headers: { authorization: 'Bearer a:incidents:read' },
  })
  expect(response.headers.get('content-type')).toContain('text/markdown')
  expect(await response.text()).toMatch(/^# On-call report\n/)
})
