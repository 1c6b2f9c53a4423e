import { beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '../observe/log.ts'
import { createIncidentFeed } from './feed.ts'
import { type AlertDraft, completeAlert, notUnderstood } from './incoming-alert.ts'
import { storeDelivery } from './intake.ts'
import { insertIncident, openTestDb, type TestDb } from './testing.ts'

const NOW = Date.UTC(2026, 10, 26, 3)
const SECOND = 1000
let db: TestDb
let published: string[]
let stored: number

beforeEach(async () => {
  ;({ db } = await openTestDb())
  published = []
  stored = 0
})

let bodies = 0
/** Sends alerts as one body, another one each time unless `body` is given. */
async function send(drafts: readonly Partial<AlertDraft>[], nowMs: number, body = `body ${bodies++}`) {
  const feed = createIncidentFeed()
  feed.subscribe((id) => published.push(id))
  const alerts = drafts.map((draft) => completeAlert({ name: 'A', status: 'firing', service: 'cart', ...draft }, nowMs))
  const deps = { db, feed, log: silentLog(), onStored: () => void stored++ }
  return await storeDelivery(deps, { tenant: 'default', source: 'datadog', body, alerts }, nowMs)
}

const lives = async () =>
  (await db.selectFrom('alerts').selectAll().orderBy('starts_at').execute()).map(
    ({ status, starts_at, ends_at, times }) => ({ status, from: starts_at - NOW, to: ends_at && ends_at - NOW, times }),
  )

test('what fires is one life until its end is told, however often and with whatever times it is told of', async () => {
  await send([{ toldAtMs: NOW }], NOW)
  await send([{ toldAtMs: NOW + 60 * SECOND }], NOW + 60 * SECOND)
  await send([{ status: 'resolved', toldAtMs: NOW + 90 * SECOND }], NOW + 91 * SECOND)
  expect(await lives()).toEqual([{ status: 'resolved', from: 0, to: 90 * SECOND, times: 3 }])
})

test('what fires after its end is another life, however soon, and begins when it was so', async () => {
  await send([{ toldAtMs: NOW }], NOW)
  await send([{ status: 'resolved', toldAtMs: NOW + 10 * SECOND }], NOW + 10 * SECOND)
  await send([{ toldAtMs: NOW + 20 * SECOND }], NOW + 21 * SECOND)
  expect(await lives()).toEqual([
    { status: 'resolved', from: 0, to: 10 * SECOND, times: 2 },
    { status: 'firing', from: 20 * SECOND, to: null, times: 1 },
  ])
})

test('an end that comes before its beginning is the end of it', async () => {
  await send([{ status: 'resolved', toldAtMs: NOW + 10 * SECOND }], NOW + 10 * SECOND)
  await send([{ toldAtMs: NOW }], NOW + 11 * SECOND)
  expect(await lives()).toMatchObject([{ status: 'resolved', times: 2 }])
})

test('a late copy of how an earlier life ended does not end the one that came after it', async () => {
  await send([{ toldAtMs: NOW }], NOW)
  await send([{ status: 'resolved', toldAtMs: NOW + 10 * SECOND }], NOW + 10 * SECOND)
  await send([{ toldAtMs: NOW + 20 * SECOND }], NOW + 20 * SECOND)
  await send([{ status: 'resolved', toldAtMs: NOW + 10 * SECOND }], NOW + 30 * SECOND)
  expect((await lives()).map(({ status }) => status)).toEqual(['resolved', 'firing'])
})

describe('where the sender gives no times', () => {
  test('the order of arrival counts', async () => {
    await send([{}], NOW)
    await send([{ status: 'resolved' }], NOW + 10 * SECOND)
    await send([{}], NOW + 20 * SECOND)
    expect((await lives()).map(({ status }) => status)).toEqual(['resolved', 'firing'])
  })

  test('the very same body shortly after the end is a copy that was delayed; later it is meant', async () => {
    await send([{}], NOW, 'the same')
    await send([{ status: 'resolved' }], NOW + 10 * SECOND)
    await send([{}], NOW + 20 * SECOND, 'the same')
    expect((await lives()).map(({ status }) => status)).toEqual(['resolved'])
    await send([{}], NOW + 200 * SECOND, 'the same')
    expect((await lives()).map(({ status }) => status)).toEqual(['resolved', 'firing'])
  })
})

test('a body that tells of a beginning, an end and a return is three words in their order', async () => {
  await send(
    [
      { toldAtMs: NOW - 30 * SECOND },
      { status: 'resolved', toldAtMs: NOW - 20 * SECOND },
      { toldAtMs: NOW - 10 * SECOND },
    ],
    NOW,
  )
  expect(await lives()).toEqual([
    { status: 'resolved', from: -30 * SECOND, to: -20 * SECOND, times: 2 },
    { status: 'firing', from: -10 * SECOND, to: null, times: 1 },
  ])
})

describe('what becomes worse', () => {
  test('raises its incident, once, and says so', async () => {
    await insertIncident(db, 'inc_a', 1)
    await db.updateTable('incidents').set({ severity: 'warning' }).execute()
    await send([{ severity: 'warning' }], NOW)
    await db.updateTable('alerts').set({ decision: 'joined', incident_id: 'inc_a' }).execute()
    await send([{ severity: 'P1' }], NOW + SECOND)
    await send([{ severity: 'P1' }], NOW + 2 * SECOND)
    expect(await db.selectFrom('incidents').select('severity').execute()).toEqual([{ severity: 'critical' }])
    const told = await db.selectFrom('incident_events').select('text').execute()
    expect(told).toEqual([{ text: 'A of cart became worse. The severity is now critical.' }])
    expect(published).toEqual(['inc_a'])
  })

  test('is folded after all, where it had been ignored because it only informed', async () => {
    await send([{ severity: 'info' }], NOW)
    await db.updateTable('alerts').set({ decision: 'ignored', reason: 'severity: x' }).execute()
    await send([{ severity: 'critical' }], NOW + SECOND)
    expect(await db.selectFrom('alerts').select(['decision', 'severity']).execute()).toEqual([
      { decision: null, severity: 'critical' },
    ])
    expect(stored).toBe(2)
  })

  test('is not touched by word of its state that does not say what it is', async () => {
    const identifiedBy = { pagerduty_incident: '1' }
    await send([{ severity: 'P1', identifiedBy }], NOW)
    await send([{ name: 'PagerDuty incident 1', severity: 'info', partial: true, identifiedBy }], NOW + SECOND)
    expect(await db.selectFrom('alerts').select(['name', 'severity', 'times']).execute()).toEqual([
      { name: 'A', severity: 'critical', times: 2 },
    ])
  })
})

test('what could not be understood is kept with its reason, is never folded, and counts once however often it comes', async () => {
  const decided: string[] = []
  const alert = notUnderstood('Datadog', 'it has no title', '{"a":1}', NOW)
  const deps = {
    db,
    feed: createIncidentFeed(),
    log: silentLog(),
    onStored: () => void stored++,
    onDecided: (source: string, decision: string) => void decided.push(`${source} ${decision}`),
  }
  for (const body of ['{"a":1}', '{"a":1}'])
    await storeDelivery(deps, { tenant: 'default', source: 'datadog', body, alerts: [alert] }, NOW)
  expect(await db.selectFrom('alerts').select(['decision', 'reason', 'incident_id']).execute()).toEqual([
    { decision: 'not_understood', reason: 'it has no title', incident_id: null },
  ])
  expect(stored).toBe(0)
  expect(decided).toEqual(['datadog not_understood'])
})
