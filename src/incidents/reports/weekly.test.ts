import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { remember } from '../memory/keep.ts'
import { closeTrouble, DAY_MS, idOf, NOW_MS, say, type Trouble } from '../memory/testing.ts'
import { addEvent } from '../store.ts'
import { openTestDb, type TestDb } from '../testing.ts'
import { weeklyMarkdown, weeklyText } from './render-weekly.ts'
import { makeWeeklyReport } from './weekly.ts'
import { weeklyReport } from './weekly-view.ts'

const WEEK = { tenant: 'default', fromMs: NOW_MS - 7 * DAY_MS, toMs: NOW_MS }
const SECOND = 1000
let db: TestDb
let close: () => Promise<void>

beforeEach(async () => {
  const opened = await openTestDb()
  ;({ db } = opened)
  close = () => opened.connection.close()
})
afterEach(() => close())

const report = async (stretch = WEEK) => weeklyReport.parse(await makeWeeklyReport(db, stretch, async () => null))

/** Closed, and diagnosed after `diagnosedAfter` seconds as the trouble says. */
async function store(trouble: Trouble, diagnosedAfter = 60): Promise<void> {
  const id = await closeTrouble(db, trouble)
  const { opened_at } = await db
    .selectFrom('incidents')
    .select('opened_at')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const { service, kind } = trouble
  const event = {
    at: opened_at + diagnosedAfter * SECOND,
    kind: 'diagnosed',
    text: 'Named.',
    data: { service, kind, confidence: 0.9 },
  }
  await db.transaction().execute((trx) => addEvent(trx, id, event))
}

const inventory = (number: number, more: Partial<Trouble> = {}): Trouble => ({
  number,
  service: 'inventory',
  kind: 'pool_exhausted',
  moved: [['inventory', 'pool_used']],
  ...more,
})

describe('a weekly report', () => {
  test('of nothing is empty, and says that nothing is known rather than zero', async () => {
    const empty = await report()
    expect(empty).toMatchObject({
      alerts: { in: 0, foldedAway: null, noise: null, byRule: [], byName: [] },
      incidents: { opened: 0 },
      times: { detect: { of: 0, medianMs: null, p90Ms: null } },
      right: { byFeedback: null, byFix: null },
      recurring: [],
      actions: [],
      model: null,
    })
    expect(weeklyText(empty, String)).toContain('not known')
  })

  test('counts the incidents that were opened in the time, by how they ended', async () => {
    await store(inventory(1, { daysAgo: 8 }))
    await store(inventory(2, { daysAgo: 2, fixedBy: 'Roll back' }))
    await store(inventory(3, { daysAgo: 1 }))
    await store(inventory(4, { daysAgo: 1, tenant: 'other' }))
    const { incidents } = await report()
    expect(incidents).toEqual({
      opened: 2,
      fixed: 1,
      recovered: 1,
      stillOpen: 0,
      causeNamed: 2,
      abstained: 0,
      cutShort: false,
    })
  })

  test('tells median and p90 of every time by its definition', async () => {
    for (const [number, seconds] of [
      [1, 10],
      [2, 20],
      [3, 90],
    ] as const)
      await store(inventory(number, { fixedBy: 'Roll back' }), seconds)
    await db
      .updateTable('approvals')
      .set((eb) => ({ decided_at: eb('requested_at', '+', 30 * SECOND) }))
      .execute()
    await db
      .updateTable('alerts')
      .set((eb) => ({ starts_at: eb('starts_at', '-', 45 * SECOND) }))
      .execute()
    const { times } = await report()
    expect(times.diagnose).toEqual({ of: 3, medianMs: 20 * SECOND, p90Ms: 90 * SECOND })
    expect(times.approve).toEqual({ of: 3, medianMs: 30 * SECOND, p90Ms: 30 * SECOND })
    expect(times.resolve).toEqual({ of: 3, medianMs: 600 * SECOND, p90Ms: 600 * SECOND })
    expect(times.detect).toEqual({ of: 3, medianMs: 45 * SECOND, p90Ms: 45 * SECOND })
  })

  test('what no person had to decide on is no time to approve', async () => {
    for (const number of [1, 2, 3]) await store(inventory(number, { fixedBy: 'Roll back' }))
    await db
      .updateTable('approvals')
      .set((eb) => ({ decided_at: eb('requested_at', '+', 30 * SECOND) }))
      .execute()
    const byItself = (number: number, decided_by: string) =>
      db
        .updateTable('approvals')
        .set((eb) => ({ decided_by, people: 0, decided_at: eb.ref('requested_at') }))
        .where('incident_id', '=', idOf(number))
        .execute()
    await byItself(1, 'the policy')
    await byItself(2, 'Ada')
    expect((await report()).times.approve).toEqual({ of: 1, medianMs: 30 * SECOND, p90Ms: 30 * SECOND })
  })

  test('an incident that was merged into another was not resolved by that', async () => {
    for (const number of [1, 2]) await store(inventory(number))
    await db
      .insertInto('incident_merges')
      .values({ incident_id: idOf(1), into_id: idOf(2), by: 'Ada', at: NOW_MS })
      .execute()
    expect((await report()).times.resolve.of).toBe(1)
  })

  test('an alert that claims to have begun before there were computers makes no time to detect', async () => {
    await store(inventory(1))
    await db.updateTable('alerts').set({ starts_at: 1 }).execute()
    expect((await report()).times.detect).toEqual({ of: 1, medianMs: 0, p90Ms: 0 })
  })

  test('alerts are counted by decision, rule and name, the loudest first', async () => {
    await store(
      inventory(1, {
        alerts: [
          ['shop', 'Loud'],
          ['shop', 'Loud'],
          ['shop', 'Loud'],
          ['cart', 'Quiet'],
        ],
      }),
    )
    const ids = (await db.selectFrom('alerts').select('id').orderBy('id').execute()).map(({ id }) => id)
    const decisions = [
      ['opened', 'new: nothing is related'],
      ['joined', 'service: also shop'],
      ['joined', 'service: also shop'],
      ['ignored', 'watchdog: it always fires'],
    ] as const
    for (const [i, [decision, reason]] of decisions.entries())
      await db
        .updateTable('alerts')
        .set({ decision, reason, times: i + 1, first_at: NOW_MS - i })
        .where('id', '=', ids[i] ?? '')
        .execute()
    const { alerts } = await report({ ...WEEK, toMs: NOW_MS + 1 })
    expect(alerts).toMatchObject({
      in: 4,
      deliveries: 10,
      opened: 1,
      joined: 2,
      ignored: 1,
      waiting: 0,
      foldedAway: 0.75,
      noise: 0.25,
    })
    expect(alerts.byRule[0]).toEqual({ decision: 'joined', rule: 'service', alerts: 2 })
    expect(alerts.byName[0]).toEqual({
      name: 'Loud',
      alerts: 3,
      deliveries: 6,
      opened: 1,
      joined: 2,
      ignored: 0,
      muted: 0,
    })
  })

  test('every alert is counted once, however many arrive at the same moment', async () => {
    await store(inventory(1, { alerts: Array.from({ length: 5003 }, (_, i) => ['shop', `A${i % 7}`] as const) }))
    expect((await report()).alerts).toMatchObject({ in: 5003, cutShort: false })
  })

  test('the latest word of people on an incident counts, and what was withdrawn does not', async () => {
    for (const number of [1, 2, 3, 4]) await store(inventory(number))
    await say(db, 1, 'right', { at: 1 })
    await say(db, 2, 'right', { at: 1 })
    await say(db, 2, 'wrong', { at: 2 })
    await say(db, 3, 'wrong', { at: 1 })
    await say(db, 3, 'withdrawn', { at: 2 })
    expect((await report()).right).toMatchObject({ saidRight: 1, saidWrong: 1, byFeedback: 0.5 })
  })

  test('a fix counts as right when the incident ended verified as fixed', async () => {
    await store(inventory(1, { fixedBy: 'Roll back' }))
    await store(inventory(2, { fixedBy: 'Roll back' }))
    await db.updateTable('incidents').set({ outcome: 'recovered' }).where('id', '=', idOf(2)).execute()
    const { right, actions } = await report()
    expect(right).toMatchObject({ mended: 1, notMended: 1, byFix: 0.5 })
    expect(actions).toEqual([
      {
        name: 'roll-back',
        proposed: 2,
        approved: 2,
        refused: 0,
        expiredOrVoid: 0,
        done: 2,
        failed: 0,
        uncertain: 0,
        helped: 1,
      },
    ])
  })

  test('a cause that came again is told with its earlier times; one that did not come now is not', async () => {
    await store(inventory(1, { daysAgo: 20 }))
    await store(inventory(2, { daysAgo: 1 }))
    await store({ number: 3, service: 'payment', kind: 'down', moved: [], daysAgo: 12 })
    await store({ number: 4, service: 'payment', kind: 'down', moved: [], daysAgo: 10 })
    await store({ number: 5, service: 'cart', kind: 'cpu', moved: [], daysAgo: 1 })
    expect((await report()).recurring).toEqual([
      { service: 'inventory', kind: 'pool_exhausted', inTime: 1, before: 1, incidents: [2, 1] },
    ])
  })

  test('cases are read too: an onset shortly before the first alert is the begin', async () => {
    await store(inventory(1))
    const { opened_at } = await db.selectFrom('incidents').select('opened_at').executeTakeFirstOrThrow()
    await remember(db, idOf(1), { keepDays: 30, keepCases: 10 }, NOW_MS, new AbortController().signal)
    const { detail } = await db.selectFrom('incident_cases').select('detail').executeTakeFirstOrThrow()
    const onset = (atMs: number) =>
      JSON.stringify({ ...(JSON.parse(detail) as object), onsets: [{ service: 'inventory', atMs }] })
    await db
      .updateTable('incident_cases')
      .set({ detail: onset(opened_at - 70 * SECOND) })
      .execute()
    expect((await report()).times.detect.medianMs).toBe(70 * SECOND)
    await db
      .updateTable('incident_cases')
      .set({ detail: onset(opened_at - 2 * 3600 * SECOND) })
      .execute()
    expect((await report()).times.detect.medianMs).toBe(0)
  })

  test('questions run along an index', async () => {
    const plan = async (query: { compile(): { sql: string; parameters: readonly unknown[] } }) => {
      const { sql, parameters } = query.compile()
      const { rows } = await db.executeQuery<{ detail: string }>({
        ...db.selectFrom('incidents').compile(),
        sql: `explain query plan ${sql}`,
        parameters,
      })
      return rows.map(({ detail }) => detail).join('\n')
    }
    expect(
      await plan(
        db
          .selectFrom('incidents')
          .select('id')
          .where('tenant', '=', 'a')
          .where('opened_at', '>=', 1)
          .orderBy('opened_at'),
      ),
    ).toContain('incidents_by_opening')
    expect(
      await plan(
        db.selectFrom('alerts').select('name').where('tenant', '=', 'a').where('first_at', '>=', 1).orderBy('first_at'),
      ),
    ).toContain('alerts_by_arrival')
    expect(await plan(db.selectFrom('feedback').select('verdict').where('incident_id', 'in', ['a', 'b']))).toContain(
      'feedback_by_incident',
    )
  })
})

describe('told to people', () => {
  test('names out of alerts never break a table', async () => {
    await store(inventory(1))
    const base = await report()
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('|', '`', '\n', '<b>', ''), (name, piece) => {
        const byName = [
          { name: `${name}${piece}${name}`, alerts: 1, deliveries: 1, opened: 0, joined: 0, ignored: 1, muted: 0 },
        ]
        const table = weeklyMarkdown({ ...base, alerts: { ...base.alerts, byName } })
          .split('## Loudest alerts\n\n')[1]
          ?.split('\n\n')[0]
          ?.split('\n')
        expect(table).toHaveLength(3)
        expect(table?.[2]?.match(/(?<!\\)\|/g)).toHaveLength(8)
      }),
    )
  })
})
