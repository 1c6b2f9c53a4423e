import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import type { LogSource, MetricSource } from '../../core/telemetry.ts'
import { report } from '../report.ts'
import { INCIDENT, makeWorld, type World, type WorldOptions } from './testing/world.ts'

let world: World
afterEach(() => world.close())

const begin = async (options: WorldOptions = {}) => {
  world = await makeWorld(options)
  return world.start()
}

const incident = () => world.db.selectFrom('incidents').selectAll().where('id', '=', INCIDENT).executeTakeFirstOrThrow()
const reportNow = async () => report.parse(JSON.parse((await incident()).report ?? 'null'))
const texts = async (kind: string) =>
  (await world.db.selectFrom('incident_events').select('text').where('kind', '=', kind).orderBy('seq').execute()).map(
    ({ text }) => text,
  )
/** By name: two that are written in one millisecond have no order. */
const notifications = () =>
  world.webhook.received.map(({ body }) => (JSON.parse(body) as { event: string }).event).sort()

/** Moves time on in steps in which jobs can run. */
const pass = async (investigator: ReturnType<World['start']>, seconds: number) => {
  for (let i = 0; i < seconds; i += 10) {
    await world.clock.advance(10_000)
    await world.work(investigator)
  }
}

describe('an incident', () => {
  test('is walked from its alerts to a fix that is approved, carried out, verified and told', async () => {
    const investigator = await begin()
    await world.work(investigator)
    expect(await world.state()).toBe('awaiting_approval')
    const told = await reportNow()
    expect(told.sentence).toBe((await incident()).sentence)
    expect(told.sentence).toMatch(
      /^Storefront fails for .* because inventory's connection pool is full since 03:15:0\d UTC, \d s after deploy 8f2c1 of inventory\.$/,
    )
    expect(told.causes[0]).toMatchObject({ service: 'inventory', kind: 'pool_exhausted' })
    expect(told.map.services[0]).toEqual({ name: 'inventory', role: 'cause' })
    expect(told).toMatchObject({ writtenBy: 'rules', abstained: false, blind: [], claimsRemoved: 0 })
    expect(world.platform.received).toEqual([])

    await world.approve(investigator)
    expect(await world.state()).toBe('acting')
    await world.work(investigator)
    expect(await world.state()).toBe('verifying')
    expect(world.platform.received.filter(({ method }) => method === 'POST')).toMatchObject([
      {
        path: '/services/inventory/rollback',
        body: '{"to":"7e10b","change":"guilty"}',
        headers: { 'idempotency-key': await world.approvalId(), authorization: 'Bearer token' },
      },
    ])

    world.source.mendAt(world.clock.now())
    await pass(investigator, 10)
    expect(await world.state()).toBe('verifying')
    await world.recover()
    await pass(investigator, 20)
    expect(await incident()).toMatchObject({ state: 'closed', outcome: 'fixed' })
    expect((await world.events()).filter((kind) => kind !== 'notified')).toEqual([
      'investigating',
      'diagnosed',
      'proposed',
      'approved',
      'acting',
      'acted',
      'closed',
      'reported',
      'learned',
    ])
    expect((await texts('closed'))[0]).toMatch(
      /^Fixed: the numbers are back to normal and no alert fires any more, \d+ s after/,
    )
    expect(notifications()).toEqual(['acted', 'closed', 'diagnosed', 'proposed'])
    expect(await world.metrics.getSingleMetricAsString('midwatch_investigation_seconds')).toContain('_count 1')
    const left = await world.db.selectFrom('jobs').select('kind').distinct().where('state', '!=', 'done').execute()
    expect(left.map(({ kind }) => kind).sort()).toEqual(['again', 'expire'])
  })

  test('that nothing is left of in memory of checkpoints once it is closed', async () => {
    const investigator = await begin()
    await world.work(investigator)
    await world.recover()
    await world.work(investigator)
    expect(await world.state()).toBe('closed')
    const { n } = await world.db
      .selectFrom('checkpoints' as never)
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow()
    expect(n).toBe(0)
  })

  test('whose alerts end before anyone decides is closed, and its proposal is void', async () => {
    const investigator = await begin()
    await world.work(investigator)
    await world.recover()
    await world.work(investigator)
    expect(await incident()).toMatchObject({ state: 'closed', outcome: 'recovered' })
    expect(await world.db.selectFrom('approvals').select('state').execute()).toEqual([{ state: 'void' }])
    await expect(world.approve(investigator)).rejects.toMatchObject({ code: 'conflict' })
    expect(world.platform.received).toEqual([])
    expect(notifications()).toEqual(['closed', 'diagnosed', 'proposed'])
  })

  test('whose alerts ended before it was looked at is still diagnosed, gets no proposal, and closes', async () => {
    const investigator = await begin()
    await world.recover()
    await world.work(investigator)
    expect(await incident()).toMatchObject({ state: 'closed', outcome: 'recovered' })
    expect((await reportNow()).causes[0]?.service).toBe('inventory')
    expect(await world.db.selectFrom('approvals').selectAll().execute()).toEqual([])
  })

  test('whose fix is refused is watched until its alerts end', async () => {
    const investigator = await begin()
    await world.work(investigator)
    const decision = {
      incidentId: INCIDENT,
      approvalId: await world.approvalId(),
      tenant: 'default',
      by: 'Ada',
    } as const
    await investigator.decide({ ...decision, decision: 'refuse', reason: 'Not tonight.' })
    await world.work(investigator)
    expect(await world.state()).toBe('watching')
    expect(await texts('refused')).toEqual(['Ada refused: Roll inventory back to 7e10b. Not tonight.'])
    await world.recover()
    await world.work(investigator)
    expect(await incident()).toMatchObject({ state: 'closed', outcome: 'recovered' })
    expect(world.platform.received).toEqual([])
  })

  test('whose proposal nobody decides expires into watching, and cannot be approved later', async () => {
    const investigator = await begin({ agent: { approval: { expiresSeconds: 3600 } } })
    await world.work(investigator)
    await world.clock.advance(3_600_000)
    await world.work(investigator)
    expect(await world.state()).toBe('watching')
    expect(await texts('expired')).toHaveLength(1)
    await expect(world.approve(investigator)).rejects.toMatchObject({ code: 'conflict' })
    expect(world.platform.received).toEqual([])
  })

  test('can wait for its approval for days, over restarts', async () => {
    const first = await begin({ agent: { approval: { expiresSeconds: 5 * 86_400 } } })
    await world.work(first)
    await world.clock.advance(4 * 86_400_000)
    const second = world.start()
    await world.work(second)
    await world.approve(second)
    await world.work(second)
    expect(await world.state()).toBe('verifying')
  })

  test('whose fix does not help says so, names the undo, and is watched', async () => {
    const investigator = await begin()
    await world.work(investigator)
    await world.approve(investigator)
    await world.work(investigator)
    await pass(investigator, 80)
    expect(await world.state()).toBe('watching')
    expect(await texts('verified')).toEqual([
      expect.stringMatching(
        /^It did not help: the numbers are not back to normal and 1 alert still fires .* To undo it: Deploy 8f2c1 again\.$/,
      ),
    ])
    expect(await texts('watching')).toEqual([
      expect.stringContaining('No action is proposed: there is no other cause likely enough'),
    ])
    await world.recover()
    await world.work(investigator)
    expect(await incident()).toMatchObject({ state: 'closed', outcome: 'recovered' })
  })

  test('whose numbers come back before its alerts end counts as fixed once they do', async () => {
    const investigator = await begin()
    await world.work(investigator)
    await world.approve(investigator)
    await world.work(investigator)
    world.source.mendAt(world.clock.now())
    await pass(investigator, 80)
    expect(await world.state()).toBe('watching')
    expect(await texts('verified')).toEqual([
      expect.stringContaining('The numbers are back to normal, but 1 alert still fires'),
    ])
    await world.recover()
    await world.work(investigator)
    expect(await incident()).toMatchObject({ state: 'closed', outcome: 'fixed' })
  })

  test('for which the catalogue has nothing is watched, with the reason', async () => {
    const investigator = await begin({ agent: { actions: [] } })
    await world.work(investigator)
    expect(await world.state()).toBe('watching')
    expect(await texts('watching')).toEqual([
      expect.stringMatching(
        /^No action is proposed: the action catalogue has nothing \(more\) for pool exhausted at inventory\./,
      ),
    ])
    expect(notifications()).toEqual(['diagnosed'])
  })
})

/** A second at a time, with room for what is not waiting for the clock, until the work is done. */
async function letTimeGoOn(work: Promise<void>): Promise<void> {
  const progress = { over: false }
  const watched = work.finally(() => {
    progress.over = true
  })
  while (!progress.over) {
    await world.clock.advance(1000)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await watched
}

describe('sources that fail', () => {
  const broken = (name: string): MetricSource => ({
    name,
    catalogue: () => Promise.reject(new Error('connection refused')),
    labelNames: () => Promise.reject(new Error('connection refused')),
    query: () => Promise.reject(new Error('connection refused')),
    promql: () => '',
  })
  const hanging: LogSource = {
    name: 'slow logs',
    read: () => new Promise(() => undefined),
    findLine: () => new Promise(() => undefined),
  }

  test('are told as blind, and the investigation reaches its end without them', async () => {
    const investigator = await begin({ metrics: [broken('prometheus')], logs: [] })
    await world.work(investigator)
    expect(await world.state()).toBe('watching')
    const told = await reportNow()
    expect(told.blind).toEqual([{ source: 'prometheus', reason: 'connection refused' }])
    expect(told.abstained).toBe(true)
    expect(told.sentence).toContain('The cause is not known.')
    await world.recover()
    await world.work(investigator)
    expect(await world.state()).toBe('closed')
  })

  test('a source that never answers is left behind at its deadline', async () => {
    const investigator = await begin({ logs: [hanging] })
    const done = world.work(investigator)
    await letTimeGoOn(done)
    expect((await reportNow()).blind).toEqual([
      { source: 'slow logs', reason: 'The deadline passed before an answer was there.' },
    ])
    expect((await reportNow()).causes[0]?.service).toBe('inventory')
  })
})

describe('a metric source that can be read only in part', () => {
  type Ask = <T>(name: string, ask: () => Promise<T>) => Promise<T>
  const still = <T>() => new Promise<T>(() => undefined)

  /** The recorded source with something between it and who asks. */
  const partly = async (asked: { labels?: Ask; query?: Ask }) => {
    const plain = await makeWorld()
    await plain.close()
    const { labels = (_name, ask) => ask(), query = (_name, ask) => ask() } = asked
    const source: MetricSource = {
      ...plain.source,
      labelNames: (metric, ...rest) => labels(metric, () => plain.source.labelNames(metric, ...rest)),
      query: (one, ...rest) => query(one.metric, () => plain.source.query(one, ...rest)),
    }
    const investigator = await begin({ metrics: [source] })
    const done = world.work(investigator)
    await letTimeGoOn(done)
    return await reportNow()
  }
  const heapOnly = (metric: string) => metric === 'process_resident_memory_bytes'

  test('is read without the metric whose labels it does not tell', async () => {
    const told = await partly({
      labels: (metric, ask) => (heapOnly(metric) ? Promise.reject(new Error('too many labels')) : ask()),
    })
    expect(told.blind).toEqual([
      {
        source: 'recorded',
        reason: expect.stringMatching(/^1 of \d+ metrics could not be looked up: too many labels$/),
      },
    ])
    expect(told.causes[0]).toMatchObject({ service: 'inventory', kind: 'pool_exhausted' })
  })

  test('is read without the metrics whose labels it does not tell in time', async () => {
    const told = await partly({ labels: (metric, ask) => (heapOnly(metric) ? still() : ask()) })
    expect(told.blind).toEqual([
      { source: 'recorded', reason: expect.stringMatching(/^1 of \d+ metrics could not be looked up: The deadline/) },
    ])
    expect(told.causes[0]).toMatchObject({ service: 'inventory', kind: 'pool_exhausted' })
  })

  test('counts with what it answered before the deadline', async () => {
    const told = await partly({ query: (metric, ask) => (heapOnly(metric) ? still() : ask()) })
    expect(told.blind).toEqual([
      { source: 'recorded', reason: expect.stringMatching(/^only \d+ of \d+ queries were answered: The deadline/) },
    ])
    expect(told.causes[0]).toMatchObject({ service: 'inventory', kind: 'pool_exhausted' })
  })
})

describe('notifications', () => {
  test('are signed, carry the sentence, and link to the incident', async () => {
    const investigator = await begin()
    await world.work(investigator)
    const first = world.webhook.received.find(({ body }) => body.includes('"event":"diagnosed"'))
    const signature = createHmac('sha256', 'hush')
      .update(first?.body ?? '')
      .digest('hex')
    expect(first?.headers['x-midwatch-signature']).toBe(`sha256=${signature}`)
    expect(first?.headers['idempotency-key']).toBe(`${INCIDENT}:diagnosed`)
    expect(JSON.parse(first?.body ?? '')).toMatchObject({
      event: 'diagnosed',
      incident: {
        number: 7,
        severity: 'critical',
        sentence: (await incident()).sentence,
        url: `http://midwatch.example/incidents/${INCIDENT}`,
      },
      cause: { service: 'inventory', kind: 'pool_exhausted' },
    })
  })

  test('that are not taken fail their job, which keeps the same key, and hold up nothing else', async () => {
    let answers = 0
    const investigator = await begin({ webhook: () => ({ status: ++answers === 1 ? 500 : 204 }) })
    await expect(world.work(investigator)).rejects.toThrow('answered 500')
    await world.work(investigator)
    const keys = world.webhook.received.map(({ headers }) => headers['idempotency-key'])
    expect(keys).toHaveLength(3)
    expect(keys[0]).toBe(keys[1])
    expect(keys).toEqual(expect.arrayContaining([`${INCIDENT}:diagnosed`, `${INCIDENT}:proposed`]))
    expect(await world.state()).toBe('awaiting_approval')
  })
})

test('an investigation that fails again and again ends its incident honestly', async () => {
  await begin()
  const investigator = world.start({ diagnose: () => Promise.reject(new Error('a bug')) })
  const job = { id: 'job_1', kind: 'investigate', key: INCIDENT, payload: { incidentId: INCIDENT } }
  const never = new AbortController().signal
  await expect(investigator.handlers.investigate({ ...job, attempts: 1 }, never)).rejects.toThrow('a bug')
  expect(await world.state()).toBe('investigating')
  await investigator.handlers.investigate({ ...job, attempts: 8 }, never)
  expect(await world.state()).toBe('watching')
  expect(await texts('watching')).toEqual([
    expect.stringContaining('The investigation failed and is not tried again: a bug'),
  ])
  await world.db.deleteFrom('jobs').where('kind', '=', 'investigate').execute()
  await world.recover()
  await world.work(world.start())
  expect(await world.state()).toBe('closed')
})

test('no tracing service is told anything, whatever the environment says', async () => {
  process.env['LANGSMITH_TRACING'] = 'true'
  await begin()
  expect(process.env['LANGSMITH_TRACING']).toBeUndefined()
})
