import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import type { Connection } from '../../db/connect.ts'
import { silentLog } from '../../observe/log.ts'
import { createMetrics } from '../../observe/metrics.ts'
import { createIncidentFeed } from '../feed.ts'
import { foldingSchema } from '../../config/folding-schema.ts'
import { readFoldingConfig } from './config.ts'
import { createFolder, type Folder } from './folder.ts'
import { storeDelivery } from '../intake.ts'
import { openTestDb, readAlerts, type TestDb, type WireAlert, wireAlert, wireWebhook } from '../testing.ts'
import { countWaiting } from './waiting-alerts.ts'

const START = Date.UTC(2026, 10, 23, 3, 12)
const MINUTE = 60_000

let db: TestDb
let connection: Connection
let clock: ManualClock
let folder: Folder
const feed = createIncidentFeed()
const log = silentLog()

const begin = () => {
  folder = createFolder({
    db,
    feed,
    topology: () => [],
    config: readFoldingConfig(foldingSchema.parse({ silentAfterSeconds: 3600 })),
    clock,
    log,
    metrics: createMetrics({ process: false }),
  })
  folder.start()
}
const send = async (...alerts: WireAlert[]) => {
  const body = wireWebhook(alerts)
  const incoming = readAlerts(body, clock.now())
  const delivery = { tenant: 'default', source: 'alertmanager' as const, body: JSON.stringify(body), alerts: incoming }
  await storeDelivery({ db, feed, log, onStored: () => folder.wake() }, delivery, clock.now())
  while ((await countWaiting(db)) > 0) await clock.advance(0)
}
/** In steps, each with time for what it wakes: on a busy machine the folder takes a breath in between. */
const pass = async (minutes: number) => {
  const untilMs = clock.now() + minutes * MINUTE
  while (clock.now() < untilMs) {
    await clock.advance(Math.min(MINUTE, untilMs - clock.now()))
    for (let i = 0; i < 4; i++) await nextTurn()
  }
}
const alerts = () => db.selectFrom('alerts').selectAll().orderBy('name').orderBy('starts_at').execute()
const statuses = async () => (await alerts()).map(({ name, status }) => `${name} ${status}`)
const told = async () =>
  (await db.selectFrom('incident_events').select('text').orderBy('seq').execute()).map(({ text }) => text)
const recoveries = () =>
  db.selectFrom('jobs').select(['key', 'run_at']).where('kind', '=', 'recovered').orderBy('run_at').execute()

const a = wireAlert('A', 'checkout', START)
const b = wireAlert('B', 'checkout', START)
const announcing = (endsAtMs: number): WireAlert => ({ ...a, endsAt: new Date(endsAtMs).toISOString() })

beforeEach(async () => {
  ;({ db, connection } = await openTestDb())
  clock = new ManualClock(START)
  begin()
})
afterEach(async () => {
  await folder.stop()
  await connection.close()
})

test('an alert that is not heard of any more ends like one that is told, and says that this is supposed', async () => {
  await send(a)
  await send(b)
  await pass(50)
  // A repetition: the very same body.
  await send(b)
  await pass(9)
  expect(await statuses()).toEqual(['A firing', 'B firing'])
  await pass(2)
  expect(await statuses()).toEqual(['A resolved', 'B firing'])
  expect((await told()).at(-1)).toBe('A of checkout counts as ended: not heard of for 60 min.')
  expect((await alerts())[0]?.reason).toMatch(/^new: .*; counts as ended: not heard of for 60 min$/)
  expect(await recoveries()).toEqual([])
  await pass(50)
  const [, last] = await alerts()
  const endedAt = last?.ends_at ?? 0
  expect(last?.status).toBe('resolved')
  // The folder looks once a minute.
  expect(endedAt).toBeGreaterThanOrEqual(START + 110 * MINUTE)
  expect(endedAt).toBeLessThanOrEqual(START + 111 * MINUTE)
  expect((await told()).slice(-2)).toEqual([
    'B of checkout counts as ended: not heard of for 60 min.',
    'All 2 alerts have ended.',
  ])
  expect(await recoveries()).toEqual([{ key: `${last?.incident_id}:${last?.id}:${endedAt}`, run_at: endedAt + 15_000 }])
})

test('an end that is announced counts once it has passed, unless the alert is delivered again', async () => {
  await send(announcing(START + 35 * MINUTE))
  await pass(30)
  await send(announcing(START + 45 * MINUTE))
  await pass(19)
  expect(await statuses()).toEqual(['A firing'])
  await pass(2)
  expect(await alerts()).toMatchObject([{ status: 'resolved', ends_at: START + 45 * MINUTE }])
  expect((await told()).at(-1)).toBe('A of checkout counts as ended: the end that its sender announced has passed.')
  expect(await recoveries()).toHaveLength(1)
})

test('an end that is taken back does not count', async () => {
  await send(announcing(START + 35 * MINUTE))
  await send(a)
  await pass(59)
  expect(await statuses()).toEqual(['A firing'])
})

test('after a start senders have half an hour to be heard, and what stays silent ends in the new process', async () => {
  await send(a)
  await send(b)
  await folder.stop()
  await pass(600)
  begin()
  await pass(29)
  await send(b)
  expect(await statuses()).toEqual(['A firing', 'B firing'])
  await pass(2)
  expect(await statuses()).toEqual(['A resolved', 'B firing'])
})

test('what fires again after it fell silent is a new life at once', async () => {
  await send(a)
  await pass(61)
  await send(a)
  expect(await alerts()).toMatchObject([
    { status: 'resolved', starts_at: START, decision: 'opened' },
    { status: 'firing', starts_at: START + 61 * MINUTE, decision: 'joined' },
  ])
})

test('of a storm that falls silent the timeline tells how many', async () => {
  await send(...Array.from({ length: 250 }, (_, i) => wireAlert(`A${i}`, 'checkout', START)))
  for (let i = 0; i < 62; i++) await pass(1)
  expect(new Set((await alerts()).map(({ status }) => status))).toEqual(new Set(['resolved']))
  expect((await told()).filter((text) => text.includes('count as ended'))).toEqual([
    '200 alerts count as ended: not heard of for 60 min.',
    '50 alerts count as ended: not heard of for 60 min.',
  ])
  expect(await recoveries()).toHaveLength(1)
})
