import { afterEach, beforeEach, expect, test } from 'vitest'
import { LOCAL_CALLER, type Caller } from '../../core/caller.ts'
import type { Db } from '../../db/connect.ts'
import type { IncidentTables } from '../../incidents/tables.ts'
import { INCIDENT, makeWorld, type World } from '../../incidents/investigation/testing/world.ts'
import { silentLog } from '../../observe/log.ts'
import { type RunningServer, startServer } from '../server.ts'
import { approvalRoutes } from './approvals.ts'

let world: World
let server: RunningServer
let caller: Caller

beforeEach(async () => {
  world = await makeWorld()
  const investigator = world.start()
  await world.work(investigator)
  caller = { ...LOCAL_CALLER, name: 'Ada' }
  const db = world.db as unknown as Db<IncidentTables>
  server = await startServer(
    {
      routes: approvalRoutes({ db, investigator, confirmFromRisk: 6 }),
      identify: async () => caller,
      publicUrl: undefined,
      keyless: true,
      log: silentLog(),
    },
    '127.0.0.1',
    0,
  )
})
afterEach(async () => {
  await server.stop(1000)
  await world.close()
})

const post = async (path: string, body: unknown) => {
  const response = await fetch(`http://127.0.0.1:${server.port}/v1/incidents/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, json: (await response.json()) as Record<string, unknown> }
}

test('approving answers with the approval as it is now, and a second time with who decided', async () => {
  const path = `7/approvals/${await world.approvalId()}`
  expect(await post(path, { decision: 'approve' })).toMatchObject({
    status: 200,
    json: { approval: { state: 'approved', decidedBy: 'Ada', action: { title: 'Roll inventory back to 7e10b' } } },
  })
  expect(await post(path, { decision: 'refuse' })).toMatchObject({
    status: 409,
    json: { error: { code: 'conflict', message: expect.stringContaining('Ada has already approved it') } },
  })
})

test('who may not approve, or belongs to another tenant, cannot', async () => {
  const path = `${INCIDENT}/approvals/${await world.approvalId()}`
  caller = { ...caller, scopes: ['incidents:read'] }
  expect((await post(path, { decision: 'approve' })).status).toBe(403)
  caller = { ...caller, scopes: ['incidents:approve'], tenant: 'other' }
  expect((await post(path, { decision: 'approve' })).status).toBe(404)
  expect((await post(`${INCIDENT}/feedback`, { verdict: 'right' })).status).toBe(404)
  expect(await world.state()).toBe('awaiting_approval')
})

test.each([[{}], [{ decision: 'maybe' }], [{ decision: 'approve', service: 'payment' }], [[]], [null]])(
  'a body that is no decision changes nothing: %j',
  async (body) => {
    expect((await post(`${INCIDENT}/approvals/${await world.approvalId()}`, body)).status).toBe(400)
    expect(await world.state()).toBe('awaiting_approval')
  },
)

test('feedback is kept', async () => {
  expect(await post(`7/feedback`, { verdict: 'wrong', service: 'payment', text: 'It was the bank.' })).toMatchObject({
    status: 201,
  })
  expect(await world.db.selectFrom('feedback').select(['by', 'verdict', 'text']).execute()).toEqual([
    { by: 'Ada', verdict: 'wrong', text: 'It was the bank.' },
  ])
})
