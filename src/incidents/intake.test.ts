import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { AppError } from '../core/errors.ts'
import { silentLog } from '../observe/log.ts'
import { createIncidentFeed } from './feed.ts'
import { storeDelivery } from './intake.ts'
import { insertIncident, openTestDb, readAlerts, type TestDb, wireAlert, wireWebhook } from './testing.ts'

const NOW = Date.UTC(2026, 10, 23, 3, 12)

function intake(db: TestDb) {
  const seen = { stored: 0, published: [] as string[] }
  const feed = createIncidentFeed()
  feed.subscribe((id) => seen.published.push(id))
  const deps = { db, feed, log: silentLog(), onStored: () => void seen.stored++ }
  const send = (alerts: readonly unknown[], nowMs = NOW, tenant = 'default') => {
    const body = wireWebhook(alerts)
    const incoming = readAlerts(body, nowMs)
    return storeDelivery(deps, { tenant, source: 'alertmanager', body: JSON.stringify(body), alerts: incoming }, nowMs)
  }
  return { send, seen }
}

const rows = (db: TestDb) => db.selectFrom('alerts').selectAll().orderBy('starts_at').execute()

test('the same body again raises its count, and its alerts are only known to have been heard of', async () => {
  const { db } = await openTestDb()
  const { send, seen } = intake(db)
  const first = await send([wireAlert('A', 'b', NOW)])
  const before = await rows(db)
  expect(await send([wireAlert('A', 'b', NOW)], NOW + 5000)).toEqual({ ...first, duplicate: true })
  expect(await rows(db)).toEqual(before.map((row) => ({ ...row, last_at: NOW + 5000 })))
  expect(await db.selectFrom('deliveries').select(['times', 'last_at']).execute()).toEqual([
    { times: 2, last_at: NOW + 5000 },
  ])
  expect(seen.stored).toBe(1)
})

test('the same alert in another body is the same row', async () => {
  const { db } = await openTestDb()
  const { send } = intake(db)
  await send([wireAlert('A', 'b', NOW)])
  await send([wireAlert('A', 'b', NOW), wireAlert('C', 'b', NOW + 1)], NOW + 5000)
  expect(await rows(db)).toMatchObject([
    { name: 'A', times: 2, first_at: NOW, last_at: NOW + 5000 },
    { name: 'C', times: 1 },
  ])
})

test('two pods of one deployment are two alerts, and one ending is not the other ending', async () => {
  const { db } = await openTestDb()
  const { send } = intake(db)
  const pod = (name: string, endsAtMs?: number) =>
    wireAlert('Crash', 'b', NOW, { labels: { pod: name }, ...(endsAtMs === undefined ? {} : { endsAtMs }) })
  await send([pod('b-7d9f8b6c5d-x2x7k'), pod('b-7d9f8b6c5d-q9wzt')])
  await send([pod('b-7d9f8b6c5d-x2x7k', NOW + 1000)], NOW + 2000)
  const [a, b] = await rows(db)
  expect(a?.fingerprint).toBe(b?.fingerprint)
  expect(new Set([a?.status, b?.status])).toEqual(new Set(['firing', 'resolved']))
})

test('what has ended stays ended when a late copy says that it fires', async () => {
  const { db } = await openTestDb()
  const { send } = intake(db)
  await send([wireAlert('A', 'b', NOW)])
  await send([wireAlert('A', 'b', NOW, { endsAtMs: NOW + 60_000 })], NOW + 61_000)
  await send([wireAlert('A', 'b', NOW), wireAlert('other', 'b', NOW)], NOW + 62_000)
  expect((await rows(db)).find(({ name }) => name === 'A')).toMatchObject({
    status: 'resolved',
    ends_at: NOW + 60_000,
    times: 3,
  })
})

describe('what fires again with its old beginning after its end was told', () => {
  const MINUTE = 60_000
  const began = NOW - 5 * MINUTE
  const firing = wireAlert('A', 'b', began)
  const resolved = wireAlert('A', 'b', began, { endsAtMs: NOW - 10 * MINUTE })
  const lives = async (db: TestDb) =>
    (await rows(db)).map(({ status, starts_at, sent_starts_at, decision }) => ({
      status,
      starts_at,
      sent_starts_at,
      decision,
    }))
  const over = { status: 'resolved', starts_at: began, sent_starts_at: null, decision: null }
  const back = (at: number) => ({ status: 'firing', starts_at: at, sent_starts_at: began, decision: null })

  /** Its end is received at NOW, whatever the sender's clock says. */
  const ended = async () => {
    const { db } = await openTestDb()
    const { send, seen } = intake(db)
    await send([firing], NOW - MINUTE)
    await send([resolved], NOW)
    return { db, send, seen }
  }

  test('within two minutes it is an echo', async () => {
    const { db, send, seen } = await ended()
    await send([firing, wireAlert('other', 'b', began - 1)], NOW + 2 * MINUTE)
    await send([firing], NOW + 2 * MINUTE)
    expect((await lives(db)).slice(1)).toEqual([over])
    expect(seen.stored).toBe(2)
  })

  test('later it is a new life that waits to be folded, even in a body that was here before', async () => {
    const { db, send, seen } = await ended()
    const at = NOW + 2 * MINUTE + 1
    expect(await send([firing], at)).toMatchObject({ duplicate: true })
    expect(await lives(db)).toEqual([over, back(at)])
    expect(seen.stored).toBe(2)
  })

  test('the new life goes on, ends and returns like any other', async () => {
    const { db, send } = await ended()
    const first = NOW + 10 * MINUTE
    await send([firing], first)
    await send([firing], first + MINUTE)
    await send([firing, wireAlert('other', 'b', began - 1)], first + 2 * MINUTE)
    expect(await lives(db)).toHaveLength(3)
    const end = wireAlert('A', 'b', began, { endsAtMs: first + 3 * MINUTE })
    await send([end], first + 4 * MINUTE)
    await send([firing], first + 5 * MINUTE)
    const second = first + 9 * MINUTE
    await send([firing], second)
    expect((await lives(db)).slice(1)).toEqual([over, { ...back(first), status: 'resolved' }, back(second)])
  })

  test('a late copy of how the old life ended does not end the new one', async () => {
    const { db, send } = await ended()
    const at = NOW + 10 * MINUTE
    await send([firing], at)
    await send([resolved], at + 1000)
    await send([resolved, wireAlert('other', 'b', began - 1)], at + 2000)
    expect((await lives(db)).slice(1)).toEqual([over, back(at)])
  })

  test('it is stored also when another life of the same labels began at that very moment', async () => {
    const { db, send } = await ended()
    const at = NOW + 10 * MINUTE
    await send([wireAlert('A', 'b', at)], at)
    await send([firing, wireAlert('A', 'b', at + 1)], at)
    expect((await lives(db)).map(({ starts_at }) => starts_at)).toEqual([began, at, at + 1, at + 2])
  })
})

test('a new beginning is a new life', async () => {
  const { db } = await openTestDb()
  const { send } = intake(db)
  await send([wireAlert('A', 'b', NOW, { endsAtMs: NOW + 1000 })], NOW + 2000)
  await send([wireAlert('A', 'b', NOW + 5000)], NOW + 6000)
  expect(await rows(db)).toMatchObject([{ status: 'resolved' }, { status: 'firing' }])
})

test('absurd times are kept as they came', async () => {
  const { db } = await openTestDb()
  const { send } = intake(db)
  await send([{ ...wireAlert('A', 'b', NOW), startsAt: '9999-12-31T23:59:59Z' }])
  await send([{ ...wireAlert('A', 'b', NOW), startsAt: '0001-01-01T00:00:00Z' }])
  expect((await rows(db)).map(({ starts_at }) => starts_at)).toEqual([
    Date.parse('0001-01-01T00:00:00Z'),
    Date.parse('9999-12-31T23:59:59Z'),
  ])
})

test('the same body of two tenants is two deliveries', async () => {
  const { db } = await openTestDb()
  const { send } = intake(db)
  expect(await send([wireAlert('A', 'b', NOW)], NOW, 'one')).toMatchObject({ duplicate: false })
  expect(await send([wireAlert('A', 'b', NOW)], NOW, 'two')).toMatchObject({ duplicate: false })
  expect((await rows(db)).map(({ tenant }) => tenant).sort()).toEqual(['one', 'two'])
})

test('when the last alert of an incident ends, a look at its recovery is due, once and published', async () => {
  const { db } = await openTestDb()
  const { send, seen } = intake(db)
  await insertIncident(db, 'inc_a', 1)
  await send([wireAlert('A', 'b', NOW), wireAlert('C', 'b', NOW)])
  await db.updateTable('alerts').set({ decision: 'joined', incident_id: 'inc_a' }).execute()
  const jobs = () => db.selectFrom('jobs').select(['kind', 'key', 'payload', 'run_at']).execute()

  await send([wireAlert('A', 'b', NOW, { endsAtMs: NOW + 1000 })], NOW + 2000)
  expect(await jobs()).toEqual([])
  const last = [wireAlert('C', 'b', NOW, { endsAtMs: NOW + 3000 }), wireAlert('A', 'b', NOW, { endsAtMs: NOW + 1000 })]
  await send(last, NOW + 4000)
  await send([...last, wireAlert('D', 'b', NOW)], NOW + 5000)

  const id = (await rows(db)).find(({ name }) => name === 'C')?.id
  expect(await jobs()).toEqual([
    {
      kind: 'recovered',
      key: `inc_a:${id}:${NOW + 3000}`,
      payload: '{"incidentId":"inc_a"}',
      run_at: NOW + 4000 + 15_000,
    },
  ])
  expect(seen.published).toEqual(['inc_a', 'inc_a'])
  const events = await db.selectFrom('incident_events').select('text').orderBy('seq').execute()
  expect(events.map(({ text }) => text)).toEqual(['A of b ended.', 'C of b ended.', 'All 2 alerts have ended.'])
})

test('a full disk refuses the delivery whole, tells when to come again, and the next one is taken', async () => {
  const { db } = await openTestDb()
  const { send, seen } = intake(db)
  await send([wireAlert('A', 'b', NOW)])
  const pages = await sql<{ page_count: number }>`pragma page_count`.execute(db)
  await sql`pragma max_page_count = ${sql.lit((pages.rows[0]?.page_count ?? 0) + 5)}`.execute(db)
  const storm = Array.from({ length: 2000 }, (_, i) => wireAlert(`A${i}`, 'b', NOW))
  const refused = await send(storm).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(AppError)
  expect(refused).toMatchObject({ code: 'unavailable', status: 503, retryAfterSeconds: 5 })
  expect(await rows(db)).toHaveLength(1)
  expect(await db.selectFrom('deliveries').selectAll().execute()).toHaveLength(1)
  expect(seen.stored).toBe(1)
  await sql`pragma max_page_count = 1000000`.execute(db)
  expect(await send(storm)).toMatchObject({ duplicate: false })
  expect(await rows(db)).toHaveLength(2001)
})

test('ten thousand alerts in one body are stored, and the process breathes meanwhile', async () => {
  const { db } = await openTestDb()
  const { send } = intake(db)
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await send(Array.from({ length: 10_000 }, (_, i) => wireAlert(`A${i}`, 'b', NOW)))
  clearInterval(timer)
  expect(await rows(db)).toHaveLength(10_000)
  expect(turns).toBeGreaterThan(3)
})
