import { setImmediate as nextTurn } from 'node:timers/promises'
import { NEWS_KINDS } from '../../config/telling-schema.ts'
import { afterEach, describe, expect, test } from 'vitest'
import { configSchema } from '../../config/schema.ts'
import { ManualClock } from '../../core/clock.ts'
import type { MetricSource } from '../../core/telemetry.ts'
import type { Db } from '../../db/connect.ts'
import type { Job, QueueTables } from '../../db/queue.ts'
import { silentLog } from '../../observe/log.ts'
import { acknowledge } from '../acknowledge.ts'
import { createIncidentFeed } from '../feed.ts'
import { readIncident } from '../read.ts'
import { addEvent, moveIncident } from '../store.ts'
import { closeQuietly, openTestDb, type TestDb } from '../testing.ts'
import type { IncidentTables } from '../tables.ts'
import type { Target } from '../telling/channel.ts'
import { planToClassify } from './plan.ts'
import { createRouting } from './routing.ts'

const START = Date.UTC(2026, 10, 23, 3, 12)
const ID = 'inc_1'
const MINUTE = 60_000
const never = new AbortController().signal
let close: () => Promise<void>
afterEach(() => close())

const person = (to: string) => ({ reach: [{ channel: 'webhook', to }] })
const TEAMS = {
  payments: {
    people: { ada: { name: 'Ada', ...person('ada') }, bo: person('bo'), lead: person('lead') },
    targets: [{ channel: 'webhook', to: '#payments' }],
    schedules: {
      primary: { layers: [{ people: ['ada'], from: '2026-01-01' }] },
      secondary: { layers: [{ people: ['bo'], from: '2026-01-01', hours: [{ from: '09:00', to: '17:00' }] }] },
    },
    escalation: {
      steps: [
        { tell: [{ onCall: 'primary' }] },
        { afterSeconds: 300, tell: [{ onCall: 'secondary' }] },
        { afterSeconds: 900, tell: [{ person: 'lead' }, { channel: 'webhook', to: '#all' }] },
      ],
    },
  },
}
const OBJECTIVE = {
  name: 'availability',
  target: 99.9,
  requests: { metric: 'http_requests_total', bad: { label: 'code', matches: '5..' } },
}

/** The share of bad requests, by how long the window's step is in minutes; per second a hundred requests. */
function metricsOf(share: () => Readonly<Record<number, number>>): MetricSource & { asked: number } {
  const source = {
    name: 'made up',
    asked: 0,
    catalogue: async () => [],
    labelNames: async () => [],
    query: async (
      query: { metric: string },
      { fromMs, toMs, stepMs }: { fromMs: number; toMs: number; stepMs: number },
    ) => {
      source.asked++
      const bad = share()[stepMs / MINUTE] ?? 0
      const points = (value: number) => {
        const all: [number, number][] = []
        for (let at = fromMs; at <= toMs; at += stepMs) all.push([at, value])
        return all
      }
      const about = { service: 'checkout', metric: query.metric, as: 'rate' as const, query: '' }
      return [
        { ...about, labels: { code: '200' }, points: points(100 * (1 - bad)) },
        { ...about, labels: { code: '503' }, points: points(100 * bad) },
      ]
    },
    promql: () => '',
  }
  return source
}

interface Given {
  readonly agent?: object
  readonly severity?: string
  readonly name?: string
  readonly metrics?: readonly MetricSource[]
}

async function begin({
  agent = { teams: TEAMS },
  severity = 'critical',
  name = 'HighErrorRate',
  metrics = [],
}: Given = {}) {
  const { db, connection } = await openTestDb()
  close = () => connection.close()
  const clock = new ManualClock(START)
  const config = configSchema.parse({
    agent: { services: { checkout: { owner: 'payments', users: 'shoppers' } }, ...agent },
  }).agent
  await insert(db, severity, name)
  await db.transaction().execute((trx) => planToClassify(trx, ID, 'opened', START))
  const make = () =>
    createRouting({
      db,
      config,
      metrics,
      topology: () => [{ caller: 'storefront', callee: 'checkout' }],
      clock,
      log: silentLog(),
      feed: createIncidentFeed(),
      wake: () => undefined,
    })
  /** Runs what is due; each job `times` over, as after crashes before it was closed. */
  const work = async (times = 1) => {
    const { handlers } = make()
    for (;;) {
      const row = await db
        .selectFrom('jobs')
        .selectAll()
        .where('kind', 'in', ['classify', 'escalate'])
        .where('state', '=', 'waiting')
        .where('run_at', '<=', clock.now())
        .orderBy('run_at')
        .executeTakeFirst()
      if (!row) return
      const job: Job = { ...row, payload: JSON.parse(row.payload), attempts: 1 }
      const handle = () => handlers[row.kind as 'classify' | 'escalate'](job, never)
      for (let i = 0; i < times; i++) await handle()
      await db.updateTable('jobs').set({ state: 'done' }).where('id', '=', row.id).execute()
    }
  }
  const pass = async (ms: number, times = 1) => {
    const end = clock.now() + ms
    while (clock.now() < end) {
      await clock.advance(Math.min(30_000, end - clock.now()))
      await work(times)
    }
  }
  const events = async (kind: string) =>
    (await db.selectFrom('incident_events').select('text').where('kind', '=', kind).orderBy('seq').execute()).map(
      ({ text }) => text,
    )
  const news = async (kind: string) =>
    (await db.selectFrom('jobs').select('payload').where('kind', '=', 'news').orderBy('run_at').execute())
      .map(({ payload }) => JSON.parse(payload) as { kind: string; step: string; at: number; details: object })
      .filter((one) => one.kind === kind)
      .map((one) => ({ incidentId: ID, ...one, kind: one.kind as 'opened' }))
  const targets = (kind: string, details = {}) =>
    db.transaction().execute((trx) => {
      const one = { incidentId: ID, kind: kind as 'opened', step: kind, at: 1, details }
      const channels = ['webhook', 'slack'].map((of) => ({
        name: of,
        wants: new Set(NEWS_KINDS),
        tell: async () => undefined,
      }))
      return make().targetsOf(trx as unknown as Db<IncidentTables & QueueTables>, one, channels)
    })
  const row = () => db.selectFrom('incidents').selectAll().where('id', '=', ID).executeTakeFirstOrThrow()
  const ack = async (by: string) => {
    const incident = await row()
    return await db.transaction().execute((trx) => acknowledge(trx, incident, by, clock.now()))
  }
  return { db, clock, make, work, pass, events, news, targets, row, ack }
}

async function insert(db: TestDb, severity: string, name: string): Promise<void> {
  const dates = { first_at: START, last_at: START }
  await db
    .insertInto('deliveries')
    .values({ id: 'dlv_1', tenant: 'default', source: 's', body_hash: 'h', body: '{}', times: 1, ...dates })
    .execute()
  await db
    .insertInto('incidents')
    .values({
      id: ID,
      tenant: 'default',
      number: 1,
      state: 'open',
      outcome: null,
      severity,
      title: 't',
      sentence: 's',
      service: 'checkout',
      opened_at: START,
      updated_at: START,
      closed_at: null,
      report: null,
    })
    .execute()
  await db
    .insertInto('alerts')
    .values({
      id: 'alt_1',
      tenant: 'default',
      source: 's',
      identity: 'i',
      fingerprint: 'f',
      name,
      service: 'checkout',
      severity,
      status: 'firing',
      starts_at: START,
      ends_at: null,
      labels: JSON.stringify({ alertname: name, env: 'prod' }),
      annotations: '{}',
      url: null,
      delivery_id: 'dlv_1',
      times: 1,
      ...dates,
      decision: 'opened',
      reason: null,
      incident_id: ID,
    })
    .execute()
  await addEvent(db, ID, { at: START, kind: 'opened', text: 'Opened.' })
}

describe('an escalation', () => {
  const told = (steps: readonly { details: object }[]) =>
    steps.map(({ details }) => (details as { targets: readonly Target[] }).targets.map(({ to }) => to))

  test('wakes who is on call, step by step, each once however often its jobs run, and passes over a gap at once', async () => {
    const { work, pass, news, events, db } = await begin()
    await work(3)
    expect(told(await news('escalated'))).toEqual([['ada']])
    await pass(299_000, 3)
    expect(told(await news('escalated'))).toEqual([['ada']])
    await pass(60_000, 3)
    // Nobody is on call in secondary at 03:17: the last step does not wait for an answer that cannot come.
    expect(told(await news('escalated'))).toEqual([['ada'], ['lead', '#all']])
    await pass(60 * MINUTE, 3)
    expect(told(await news('escalated'))).toHaveLength(2)
    expect(await events('escalated')).toEqual([
      'Escalation of payments, step 1 of 3: told Ada (on call: payments/primary).',
      'Escalation of payments, step 2 of 3: nobody could be told. But nobody is on call in payments/secondary. The next step follows at once.',
      'Escalation of payments, step 3 of 3: told lead (named), #all. This was the last step.',
    ])
    expect(await db.selectFrom('escalations').select(['state', 'team']).execute()).toEqual([
      { state: 'exhausted', team: 'payments' },
    ])
  })

  test('ends with an acknowledgement, of which everyone hears who was told', async () => {
    const { work, pass, news, events, ack, targets, db } = await begin()
    await work()
    await pass(MINUTE)
    expect(await ack('Ada')).toEqual({ isNew: true })
    expect(await ack('Ada')).toEqual({ isNew: false })
    await pass(60 * MINUTE)
    expect(await news('escalated')).toHaveLength(1)
    expect(await news('acknowledged')).toHaveLength(1)
    expect((await targets('acknowledged')).map(({ to }) => to)).toEqual(['#payments', 'ada'])
    expect(await events('acknowledged')).toEqual(['Ada looks after it. Nobody else of payments is woken.'])
    expect(await db.selectFrom('escalations').select(['state', 'by']).execute()).toEqual([
      { state: 'acknowledged', by: 'Ada' },
    ])
  })

  test('does not begin where somebody answered before, and takes an answer after its end', async () => {
    const early = await begin()
    await early.ack('Ada')
    await early.work()
    await early.pass(30 * MINUTE)
    expect(await early.news('escalated')).toEqual([])
    await close()
    const late = await begin()
    await late.work()
    await late.pass(60 * MINUTE)
    await late.ack('Bo')
    expect(await late.events('acknowledged')).toEqual(['Bo looks after it.'])
    expect(await late.news('acknowledged')).toHaveLength(1)
  })

  test('ends when the incident closes, and begins anew when it opens again', async () => {
    const { work, pass, news, db, clock } = await begin()
    await work()
    await closeQuietly(db, ID, clock.now())
    await pass(30 * MINUTE)
    expect(await news('escalated')).toHaveLength(1)
    await db.transaction().execute(async (trx) => {
      await moveIncident(trx, ID, 'open', {}, { at: clock.now(), kind: 'reopened', text: 'Again.' })
      await planToClassify(trx, ID, 'reopened 2', clock.now())
    })
    await work(2)
    expect(await news('escalated')).toHaveLength(2)
    expect(
      (await db.selectFrom('escalations').select('state').orderBy('opening').execute()).map(({ state }) => state),
    ).toEqual(['ended', 'running'])
  })

  test('of an earlier opening wakes nobody, also where its next step comes due after the new one began', async () => {
    const { work, pass, events, db, clock } = await begin()
    await work()
    await closeQuietly(db, ID, clock.now())
    await clock.advance(MINUTE)
    await db.transaction().execute(async (trx) => {
      await moveIncident(trx, ID, 'open', {}, { at: clock.now(), kind: 'reopened', text: 'Again.' })
      await planToClassify(trx, ID, 'reopened 2', clock.now())
    })
    await pass(30 * MINUTE)
    // The first step of the first opening, and all three of the second.
    expect(await events('escalated')).toHaveLength(4)
    expect(
      (await db.selectFrom('escalations').select('state').orderBy('opening').execute()).map(({ state }) => state),
    ).toEqual(['ended', 'exhausted'])
  })

  test('of two processes that take one step at once happens once', async () => {
    const { make, work, db, clock, news } = await begin()
    await work()
    await clock.advance(301_000)
    const row = await db
      .selectFrom('jobs')
      .selectAll()
      .where('kind', '=', 'escalate')
      .where('state', '=', 'waiting')
      .executeTakeFirstOrThrow()
    const job: Job = { ...row, payload: JSON.parse(row.payload), attempts: 1 }
    await Promise.all([make(), make()].map(({ handlers }) => handlers.escalate(job, never)))
    await nextTurn()
    expect(await db.selectFrom('escalation_steps').select('step').execute()).toHaveLength(2)
    expect(await news('escalated')).toHaveLength(1)
  })

  test('gives everybody their time to answer, also after a long outage of ours', async () => {
    const agent = {
      teams: {
        payments: {
          ...TEAMS.payments,
          escalation: {
            steps: [
              { tell: [{ person: 'ada' }] },
              { afterSeconds: 60, tell: [{ person: 'bo' }] },
              { afterSeconds: 120, tell: [{ person: 'lead' }] },
            ],
          },
        },
      },
    }
    const { work, clock, news, pass } = await begin({ agent })
    await work()
    await clock.advance(60 * MINUTE)
    await work()
    expect(told(await news('escalated'))).toEqual([['ada'], ['bo']])
    await pass(MINUTE)
    expect(told(await news('escalated'))).toEqual([['ada'], ['bo'], ['lead']])
  })
})

describe('the severity', () => {
  const agent = {
    teams: TEAMS,
    services: { checkout: { owner: 'payments', users: 'shoppers', objectives: [OBJECTIVE] } },
  }

  test('rises when a budget burns, says why once, and wakes who is on call once', async () => {
    let bad: Record<number, number> = { 5: 0.0004, 30: 0.0004, 360: 0.0004 }
    const metrics = metricsOf(() => bad)
    const { work, pass, events, news, row } = await begin({ agent, severity: 'warning', metrics: [metrics] })
    await work(3)
    expect(await events('severity')).toEqual([])
    expect(await news('escalated')).toEqual([])
    bad = { 5: 0.02, 30: 0.004, 360: 0.0008 }
    await pass(30 * MINUTE, 3)
    expect((await row()).severity).toBe('critical')
    expect(await events('severity')).toEqual([
      'The severity is now critical: checkout burns 20x of its budget over 1 h and 5 min (availability, 99.9 %); at this pace all of it is gone in 36 h; shoppers are hurt.',
    ])
    expect((await news('escalated')).filter(({ step }) => step.endsWith(':0'))).toHaveLength(1)
    // It was mended: what happened was no less bad for that.
    bad = {}
    const asked = metrics.asked
    await pass(200 * MINUTE)
    expect((await row()).severity).toBe('critical')
    // Looked at again a few times only.
    expect(metrics.asked - asked).toBeLessThan(30)
  })

  test('falls step by step to a warning where nobody is hurt, and not where it may hurt later', async () => {
    const { work, pass, events, row } = await begin({ agent, metrics: [metricsOf(() => ({}))] })
    await work()
    expect((await row()).severity).toBe('error')
    await pass(60 * MINUTE)
    expect((await row()).severity).toBe('warning')
    expect(await events('severity')).toEqual([
      'The severity is now error: its alerts say critical, but checkout burns less than its budget over 6 h, 1 h and 5 min.',
      'The severity is now warning: its alerts say critical, but checkout burns less than its budget over 6 h, 1 h and 5 min.',
    ])
    await close()
    const disk = await begin({ agent, name: 'DiskAlmostFull', metrics: [metricsOf(() => ({}))] })
    await disk.work()
    expect((await disk.row()).severity).toBe('critical')
  })

  test('stands as the alerts say where there is no objective, no metric or a source that fails, which is said', async () => {
    const why = async (given: Given) => {
      const { work, row, db } = await begin(given)
      await work()
      expect((await row()).severity).toBe('critical')
      const view = await readIncident(db, ID, { tenant: 'default', confirmFromRisk: 7 })
      await close()
      return view?.routing?.severity
    }
    expect(await why({})).toEqual({
      rule: 'label',
      reason: 'critical: its alerts say so; checkout has no objective',
    })
    expect((await why({ agent }))?.reason).toContain(
      'availability of checkout cannot be measured: no source has its metric',
    )
    const broken = { ...metricsOf(() => ({})), query: () => Promise.reject(new Error('out of order')) }
    expect((await why({ agent, metrics: [broken] }))?.reason).toContain('out of order')
  })

  test('waits for a source that hangs once, however many objectives there are', async () => {
    const seen = { asked: 0, ended: false }
    const hanging: MetricSource = {
      ...metricsOf(() => ({})),
      query: () => {
        seen.asked++
        return new Promise(() => undefined)
      },
    }
    const objectives = Array.from({ length: 12 }, (_, i) => ({ ...OBJECTIVE, name: `o${i}` }))
    const { work, clock, events } = await begin({
      agent: { services: { checkout: { objectives } } },
      metrics: [hanging],
    })
    const working = work().then(() => (seen.ended = true))
    while (seen.asked === 0) await nextTurn()
    for (let turn = 0; turn < 2000 && !seen.ended; turn++) {
      if (turn % 20 === 0 && clock.now() < START + 20_000) await clock.advance(1000)
      await nextTurn()
    }
    expect(seen.ended).toBe(true)
    await working
    expect(await events('severity')).toEqual([])
  })

  test('counts who calls what has alerts', async () => {
    const services = { storefront: { users: 'shoppers', objectives: [OBJECTIVE] } }
    const metrics = metricsOf(() => ({ 5: 0.02, 30: 0.02, 360: 0.02 }))
    const { work, events } = await begin({ agent: { services }, severity: 'warning', metrics: [metrics] })
    await work()
    expect((await events('severity'))[0]).toMatch(/storefront burns 20x .*shoppers are hurt \(it calls checkout\)/)
  })
})

describe('a route', () => {
  test('is of the first that matches, deepest first, and its news goes there', async () => {
    const routes = [
      { name: 'audit', matchers: ['env="prod"'], targets: [{ channel: 'webhook', to: '#audit' }], continue: true },
      {
        name: 'shop',
        matchers: ['kind="errors"'],
        routes: [{ name: 'bad', matchers: ['severity="critical"'], team: 'payments' }],
      },
      { name: 'never', targets: [{ channel: 'webhook', to: '#never' }] },
    ]
    const { work, targets, events } = await begin({ agent: { teams: TEAMS, routes } })
    // Before it is classified too.
    expect((await targets('opened')).map(({ to }) => to)).toEqual(['#audit', '#payments'])
    await work()
    expect(await events('routed')).toEqual([
      'Goes to every channel (audit: env="prod"); payments (shop/bad: severity="critical").',
    ])
    expect((await targets('diagnosed')).map(({ to }) => to)).toEqual(['#audit', '#payments', 'ada'])
  })

  test('is everywhere where nothing is said of teams and routes, and that is not told', async () => {
    const { work, targets, events } = await begin({ agent: {} })
    await work(2)
    expect(await targets('opened')).toEqual([
      { channel: 'webhook', to: null },
      { channel: 'slack', to: null },
    ])
    expect(await events('routed')).toEqual([])
  })
})
