import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { createIncidentFeed } from '../../incidents/feed.ts'
import { learn } from '../../incidents/folding/lessons.ts'
import { lessonList, type LessonView } from '../../incidents/lessons/view.ts'
import { findCases } from '../../incidents/memory/find.ts'
import { remember } from '../../incidents/memory/keep.ts'
import { nudge } from '../../incidents/memory/nudge.ts'
import { signatureOf } from '../../incidents/memory/signature.ts'
import { causeOf, closeTrouble, idOf, NOW_MS, say, type Trouble } from '../../incidents/memory/testing.ts'
import { openTestDb, type TestDb } from '../../incidents/testing.ts'
import { lessonRoutes } from './lessons.ts'
import { startTestServer, type TestServer } from './testing.ts'

const clock = new ManualClock(NOW_MS + 1000)
let db: TestDb
let server: TestServer
let end: () => Promise<void>

beforeEach(async () => {
  const opened = await openTestDb()
  ;({ db } = opened)
  const feed = createIncidentFeed()
  server = await startTestServer(lessonRoutes({ db, feed, clock }))
  end = async () => {
    await server.stop()
    await opened.connection.close()
  }
})
afterEach(() => end())

const trouble = (number: number, more: Partial<Trouble> = {}): Trouble => ({
  number,
  service: 'inventory',
  kind: 'pool_exhausted',
  moved: [['inventory', 'pool_used']],
  ...more,
})

async function keep(one: Trouble): Promise<void> {
  await closeTrouble(db, one)
  await remember(db, idOf(one.number), { keepDays: 30, keepCases: 10 }, NOW_MS, new AbortController().signal)
}

const list = async (token = 'default'): Promise<readonly LessonView[]> =>
  lessonList.parse((await server.request('GET', '/v1/lessons', { token })).json).lessons
const forget = (id: string, token = 'default') => server.request('DELETE', `/v1/lessons/${id}`, { token })

/** What the ranking does for a new incident that looks the same. */
async function scoreMoved(): Promise<number> {
  const cause = causeOf(trouble(99))
  const signature = signatureOf({ alerts: [{ service: 'shop', name: 'ShopErrors', summary: '' }], causes: [cause] })
  return nudge([cause], await findCases(db, 'default', signature, 'inc_new'), 0.5).nudges[0]?.score ?? 0
}

test('what people said and what fixes showed is listed with its effect, newest first', async () => {
  await keep(trouble(1, { daysAgo: 5 }))
  await keep(trouble(2, { daysAgo: 4, fixedBy: 'Roll inventory back' }))
  await keep(trouble(3, { daysAgo: 3 }))
  await say(db, 1, 'right', { at: NOW_MS })
  await say(db, 3, 'wrong', { at: NOW_MS - 1, service: 'payment', kind: 'down' })
  const lessons = await list()
  expect(lessons.map(({ id, by }) => [id, by])).toEqual([
    ['diagnosis-1', 'Ada'],
    ['diagnosis-3', 'Ada'],
    ['fix-2', null],
  ])
  expect(lessons[0]?.effect).toContain('pool exhausted at inventory gains up to 0.2')
  expect(lessons[1]?.effect).toMatch(/down at payment gains.*pool exhausted at inventory loses/)
  expect(lessons[2]?.says).toContain('“Roll inventory back” ended incident 2')
})

test('a diagnosis that was judged is taken back by one command, the ranking with it, and can be taught again', async () => {
  await keep(trouble(1))
  await say(db, 1, 'right', { at: NOW_MS })
  expect(await scoreMoved()).toBeGreaterThan(0)
  expect((await forget('diagnosis-1', 'default:incidents:approve')).json).toEqual({ takenBack: 'diagnosis-1' })
  expect(await list()).toEqual([])
  expect(await scoreMoved()).toBe(0)
  const { text } = await db
    .selectFrom('incident_events')
    .select('text')
    .where('kind', '=', 'feedback')
    .executeTakeFirstOrThrow()
  expect(text).toContain('takes back')
  await say(db, 1, 'right', { at: NOW_MS + 5000 })
  expect(await scoreMoved()).toBeGreaterThan(0)
})

test('a verified fix is forgotten for good by an admin alone', async () => {
  await keep(trouble(2, { fixedBy: 'Roll inventory back' }))
  expect(await scoreMoved()).toBeGreaterThan(0)
  expect((await forget('fix-2', 'default:incidents:approve')).status).toBe(403)
  expect(await list()).toHaveLength(1)
  expect((await forget('fix-2')).status).toBe(200)
  expect(await list()).toEqual([])
  expect(await scoreMoved()).toBe(0)
})

test('what has no effect says so', async () => {
  await closeTrouble(db, trouble(1))
  await say(db, 1, 'right')
  expect((await list())[0]?.effect).toMatch(/^None/)
})

test("another tenant's lessons are neither seen nor taken back, and reading is not deciding", async () => {
  await keep(trouble(1))
  await say(db, 1, 'right')
  expect(await list('other')).toEqual([])
  expect((await forget('diagnosis-1', 'other')).status).toBe(404)
  expect((await forget('diagnosis-1', 'default:incidents:read')).status).toBe(403)
  expect(await list()).toHaveLength(1)
})

test('what was merged and split by hand stands in the same list, and is taken back by the same command', async () => {
  const side = (service: string) => ({ service, fingerprint: service, reason: 'dependency: near' })
  const told = { by: 'Ada', reason: 'Ada took incident 2 out of 1' }
  await db
    .transaction()
    .execute((trx: TestDb) => learn(trx, 'default', 'apart', side('cart'), [side('shop')], told, NOW_MS))
  const [lesson] = await list()
  expect(lesson).toMatchObject({ kind: 'folding', by: 'Ada', incident: null })
  expect(lesson?.says).toMatch(/^cart and shop do not belong together: Ada took incident 2 out of 1/)
  expect(await list('other')).toEqual([])
  expect((await forget(lesson?.id ?? '', 'other')).status).toBe(404)
  expect((await forget(lesson?.id ?? '', 'default:incidents:approve')).status).toBe(200)
  expect(await list()).toEqual([])
  expect(await db.selectFrom('folding_lessons').selectAll().execute()).toEqual([])
  const audited = await db.selectFrom('audit_log').select(['actor', 'kind', 'subject']).execute()
  expect(audited).toEqual([{ actor: 'default', kind: 'lesson.taken_back', subject: lesson?.id }])
})

const lessonsOfFolding = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: `les_${i}`,
    tenant: 'default',
    kind: 'apart' as const,
    a: 'service:cart',
    b: `service:shop${i}`,
    reason: 'Ada took one out',
    by: 'Ada',
    at: NOW_MS + i,
  }))

test('the list is cut at five hundred and says so; what it has no room for is taken back all the same', async () => {
  await keep(trouble(1))
  await say(db, 1, 'right', { at: NOW_MS - 1 })
  await db.insertInto('folding_lessons').values(lessonsOfFolding(501)).execute()
  const listed = lessonList.parse((await server.request('GET', '/v1/lessons')).json)
  expect(listed.lessons).toHaveLength(500)
  expect([listed.lessons[0]?.id, listed.cutShort]).toEqual(['les_500', true])
  expect((await forget('les_0')).status).toBe(200)
  expect((await forget('diagnosis-1')).status).toBe(200)
  expect((await forget('les_0')).status).toBe(404)
  expect((await forget('diagnosis-1')).status).toBe(404)
})

test('more verified fixes than are listed are told to be cut', async () => {
  await keep(trouble(1, { fixedBy: 'Roll inventory back' }))
  const row = await db.selectFrom('incident_cases').selectAll().executeTakeFirstOrThrow()
  const incident = await db.selectFrom('incidents').selectAll().executeTakeFirstOrThrow()
  const cutShort = async () => lessonList.parse((await server.request('GET', '/v1/lessons')).json).cutShort
  for (let number = 2; number <= 501; number++) {
    const id = idOf(number)
    await db
      .insertInto('incidents')
      .values({ ...incident, id, number })
      .execute()
    await db
      .insertInto('incident_cases')
      .values({ ...row, incident_id: id, number })
      .execute()
    if (number === 500) expect(await cutShort()).toBe(false)
  }
  expect(await cutShort()).toBe(true)
})

test('what cannot be written into the audit log is not taken back', async () => {
  for (const number of [1, 2, 3]) await keep(trouble(number, { fixedBy: 'Roll inventory back' }))
  await db.updateTable('action_runs').set({ verdict: 'fixed' }).execute()
  await say(db, 1, 'right', { at: NOW_MS })
  await db.insertInto('folding_lessons').values(lessonsOfFolding(1)).execute()
  const before = await list()
  expect(new Set(before.map(({ kind }) => kind))).toEqual(new Set(['diagnosis', 'fix', 'folding', 'action']))
  await sql`create trigger no_more before insert on audit_log begin select raise(abort, 'full'); end`.execute(db)
  for (const { id } of before) expect((await forget(id)).status).toBe(500)
  expect(await list()).toEqual(before)
})

test('the record of an action is told as the risk tells it, and is taken back by an admin alone', async () => {
  for (const number of [1, 2, 3]) await keep(trouble(number, { fixedBy: 'Roll inventory back' }))
  await db.updateTable('action_runs').set({ verdict: 'fixed' }).execute()
  const record = async () => (await list()).find(({ kind }) => kind === 'action')
  expect(await record()).toMatchObject({
    id: 'action-roll-back',
    says: 'Of 3 judged runs of roll-back, 3 worked; after 0 it was worse.',
    effect: 'The risk of its next proposal: −1: it worked 3 of 3 times.',
  })
  expect((await forget('action-roll-back', 'default:incidents:approve')).status).toBe(403)
  expect((await forget('action-roll-back', 'other')).status).toBe(404)
  expect((await forget('action-roll-back')).status).toBe(200)
  expect(await record()).toBeUndefined()
})
