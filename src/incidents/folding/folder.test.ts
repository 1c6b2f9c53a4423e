import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Edge } from '../../core/telemetry.ts'
import { moveIncident } from '../store.ts'
import { type WireAlert, wireAlert } from '../testing.ts'
import { START, world } from './testing.ts'
import { countWaiting } from './waiting-alerts.ts'

const TOPOLOGY: readonly Edge[] = [
  { caller: 'storefront', callee: 'checkout' },
  { caller: 'checkout', callee: 'inventory' },
]

test('a firing alert opens an incident, says it plainly, and asks for an investigation after the group wait', async () => {
  const { send, incidents, events, db, woken, metrics, end } = await world()
  await send(wireAlert('HighErrorRate', 'checkout', START - 5000))
  const [incident] = await incidents()
  expect(incident).toMatchObject({
    number: 1,
    state: 'open',
    severity: 'critical',
    service: 'checkout',
    outcome: null,
    tenant: 'default',
    title: 'checkout: high error rate',
    sentence: 'checkout: error rate is high since 03:11 UTC. Being looked at.',
  })
  expect(await events()).toEqual(['opened: Opened by HighErrorRate of checkout.'])
  expect(await db.selectFrom('jobs').select(['kind', 'key', 'payload', 'run_at']).execute()).toEqual([
    {
      kind: 'investigate',
      key: incident?.id,
      payload: JSON.stringify({ incidentId: incident?.id }),
      run_at: START + 30_000,
    },
    {
      kind: 'classify',
      key: `${incident?.id}:opened`,
      payload: JSON.stringify({ incidentId: incident?.id }),
      run_at: START + 30_000,
    },
  ])
  expect(woken.times).toBe(1)
  const told = await metrics.metrics()
  expect(told).toContain('midwatch_alerts_total{source="alertmanager",decision="opened"} 1')
  expect(told).toContain('midwatch_incidents{state="open"} 1')
  expect(told).toContain('midwatch_alerts_waiting 0')
  await end()
})

test('alerts of one fault are one incident, whose severity is that of the worst', async () => {
  const { send, incidents, alerts, events, end } = await world(TOPOLOGY)
  const warning = { labels: { severity: 'warning' } }
  await send(wireAlert('SlowPages', 'storefront', START - 20_000, warning))
  await send(
    wireAlert('HighErrorRate', 'checkout', START - 10_000),
    wireAlert('PoolFull', 'inventory', START - 15_000, warning),
  )
  expect(await incidents()).toMatchObject([{ severity: 'critical', service: 'storefront' }])
  expect((await alerts()).map(({ name, decision, reason }) => [name, decision, reason])).toContainEqual([
    'PoolFull',
    'joined',
    'dependency: storefront calls inventory through checkout, 5 s apart',
  ])
  expect(await events()).toEqual([
    'opened: Opened by SlowPages of storefront.',
    'alert: PoolFull of inventory joined (dependency: storefront calls inventory through checkout, 5 s apart).',
    'alert: HighErrorRate of checkout joined (dependency: checkout calls inventory, 5 s apart). The severity is now critical.',
  ])
  await end()
})

test('a storm is one incident with a short timeline', async () => {
  const { send, incidents, alerts, events, end } = await world()
  await send(...Array.from({ length: 300 }, (_, i) => wireAlert(`Alert${i}`, 'checkout', START - i)))
  expect(await incidents()).toHaveLength(1)
  expect((await alerts()).every(({ incident_id }) => incident_id !== null)).toBe(true)
  const told = await events()
  expect(told).toHaveLength(20 + 4)
  expect(told.slice(20)).toEqual(['25', '50', '100', '250'].map((n) => `alert: ${n} alerts so far.`))
  await end()
})

test('long after its incident closed, the same trouble opens a new one that names the old one', async () => {
  const { send, incidents, alerts, events, db, clock, end } = await world([], { reopenWithinSeconds: 9 })
  await send(wireAlert('Crash', 'checkout', START, { labels: { pod: 'checkout-7d9f8b6c5d-x2x7k' } }))
  const [first] = await incidents()
  const event = { at: clock.now(), kind: 'closed', text: 'It recovered.' }
  await moveIncident(db, first?.id ?? '', 'closed', { outcome: 'recovered' }, event)
  await clock.advance(10_000)
  await send(wireAlert('Crash', 'checkout', START + 9000, { labels: { pod: 'checkout-7d9f8b6c5d-q9wzt' } }))
  expect((await incidents()).map(({ number, state }) => [number, state])).toEqual([
    [1, 'closed'],
    [2, 'open'],
  ])
  expect((await alerts()).at(-1)?.reason).toMatch(/^new: .*the same alert was part of incident 1, which is closed$/)
  expect((await events()).at(-1)).toContain('the same alert was part of incident 1')
  await end()
})

test('an alert that ended before anyone saw it fire is kept and ignored, and a late firing changes nothing', async () => {
  const { send, incidents, alerts, end } = await world()
  await send(wireAlert('A', 'checkout', START - 9000, { endsAtMs: START - 1000 }))
  await send(wireAlert('A', 'checkout', START - 9000))
  expect(await incidents()).toEqual([])
  expect(await alerts()).toMatchObject([
    { status: 'resolved', decision: 'ignored', reason: 'ended: it had ended before it was folded', times: 2 },
  ])
  await end()
})

test('an alert that was resolved by timeout and fires on opens an incident, and says why it begins anew', async () => {
  const { send, incidents, alerts, clock, end } = await world()
  await send(wireAlert('A', 'checkout', START - 9000, { endsAtMs: START - 1000 }))
  await clock.advance(300_000)
  await send(wireAlert('A', 'checkout', START - 9000))
  expect(await incidents()).toMatchObject([
    { state: 'open', sentence: 'checkout: a since 03:17 UTC. Being looked at.' },
  ])
  expect((await alerts()).map(({ reason }) => reason)).toEqual([
    'ended: it had ended before it was folded',
    'new: no open incident within 5 min is related; it fires again after it had ended, with the beginning that it had before',
  ])
  await end()
})

test('numbers count up for each tenant, and tenants do not fold into one another', async () => {
  const { store, settled, folder, incidents, end } = await world()
  folder.start()
  await store([wireAlert('A', 'checkout', START)], 'one')
  await store([wireAlert('A', 'checkout', START)], 'two')
  await store([wireAlert('A', 'search', START)], 'one')
  await settled()
  expect((await incidents()).map(({ tenant, number }) => [tenant, number])).toEqual([
    ['one', 1],
    ['one', 2],
    ['two', 1],
  ])
  await end()
})

test('what was stored before a start is folded after it', async () => {
  const { store, settled, folder, makeFolder, incidents, end } = await world()
  await store([wireAlert('A', 'checkout', START)])
  await folder.stop()
  expect(await incidents()).toEqual([])
  const next = makeFolder()
  next.start()
  await settled()
  expect(await incidents()).toHaveLength(1)
  await next.stop()
  await end()
})

test('in a long backlog the critical ones are folded first', async () => {
  const { store, settled, folder, db, end } = await world()
  const minor = { labels: { severity: 'warning' } }
  await store(Array.from({ length: 450 }, (_, i) => wireAlert(`W${i}`, `w${i}`, START - 1000 + i, minor)))
  await store([wireAlert('Outage', 'checkout', START)])
  folder.start()
  await settled()
  const outage = await db.selectFrom('incidents').select('number').where('service', '=', 'checkout').executeTakeFirst()
  expect(outage?.number).toBe(1)
  await end()
})

test('one alert that cannot be folded does not hold up the others', async () => {
  const { store, folder, db, clock, incidents, end } = await world()
  await store([wireAlert('Bad', 'a', START - 2000), wireAlert('Good', 'b', START - 1000)])
  await db.updateTable('alerts').set({ labels: '{broken' }).where('name', '=', 'Bad').execute()
  folder.start()
  while ((await incidents()).length === 0) await clock.advance(1000)
  expect((await incidents()).map(({ service }) => service)).toEqual(['b'])
  await db.updateTable('alerts').set({ labels: '{}' }).where('name', '=', 'Bad').execute()
  while ((await countWaiting(db)) > 0) await clock.advance(5000)
  expect((await incidents()).map(({ service }) => service)).toEqual(['b', 'a'])
  await end()
})

test('many at the same moment never share a number', async () => {
  const { send, incidents, end } = await world()
  await send(...Array.from({ length: 250 }, (_, i) => wireAlert('A', `s${i}`, START)))
  const numbers = (await incidents()).map(({ number }) => number)
  expect(numbers).toEqual(Array.from({ length: 250 }, (_, i) => i + 1))
  await end()
})

const anyAlert = fc
  .record({
    name: fc.constantFrom('A', 'B', 'Watchdog'),
    service: fc.constantFrom('storefront', 'checkout', 'inventory', 'search', null),
    severity: fc.constantFrom('critical', 'warning', 'none'),
    agoMs: fc.constantFrom(0, 1000, 60_000, 400_000, 4_000_000),
    endedMs: fc.constantFrom(undefined, undefined, 500),
  })
  .map(({ name, service, severity, agoMs, endedMs }) => {
    const startsAtMs = START - agoMs
    const ended = endedMs === undefined ? {} : { endsAtMs: startsAtMs - endedMs }
    return wireAlert(name, service, startsAtMs, { labels: { severity }, ...ended })
  })

test('every accepted alert gets exactly one decision, and only a firing one opens', async () => {
  // The alert that fires again spans the time between two incidents, and the next one shows that they have one cause.
  const merging = [
    [wireAlert('A', 'inventory', START)],
    [wireAlert('A', 'inventory', START - 4_000_000)],
    [wireAlert('A', 'storefront', START), wireAlert('B', 'storefront', START, { labels: { severity: 'warning' } })],
  ]
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(anyAlert, { minLength: 1, maxLength: 5 }), { maxLength: 5 }),
      async (deliveries) => {
        const { db, store, settled, folder, incidents, alerts, end } = await world(TOPOLOGY)
        for (const delivery of deliveries) await store(delivery)
        folder.start()
        await settled()
        const all = await alerts()
        const opened = all.filter(({ decision }) => decision === 'opened')
        expect(opened).toHaveLength((await incidents()).length)
        const openings = await db.selectFrom('incident_events').selectAll().where('kind', '=', 'opened').execute()
        expect(openings).toHaveLength(opened.length)
        expect(new Set(openings.map(({ incident_id }) => incident_id))).toEqual(
          new Set((await incidents()).map(({ id }) => id)),
        )
        expect(new Set(openings.map(({ data }) => (JSON.parse(data ?? '{}') as { alertId?: string }).alertId))).toEqual(
          new Set(opened.map(({ id }) => id)),
        )
        // An incident that was merged is closed and has no alerts any more; every other one has the alert that opened it.
        const merged = new Set(
          (await db.selectFrom('incident_merges').select('incident_id').execute()).map((row) => row.incident_id),
        )
        const left = (await incidents()).filter(({ id }) => !merged.has(id))
        expect(new Set(opened.map(({ incident_id }) => incident_id))).toEqual(new Set(left.map(({ id }) => id)))
        for (const { id, state } of await incidents()) expect(state).toBe(merged.has(id) ? 'closed' : 'open')
        for (const { decision, reason, incident_id, status } of all) {
          expect(decision).not.toBeNull()
          expect(reason).toMatch(/^[a-z]+: ./)
          expect(incident_id === null).toBe(decision === 'ignored')
          if (status === 'resolved') expect(decision).toBe('ignored')
        }
        await end()
      },
    ),
    { numRuns: 40, examples: [[merging]] },
  )
})

test('alerts that are delivered again, alone or with others, change no decision and no incident', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyAlert, { minLength: 1, maxLength: 8 }), fc.nat(7), async (delivered, at) => {
      const { send, incidents, alerts, events, end } = await world(TOPOLOGY)
      for (const alert of delivered) await send(alert)
      const now = async () => [
        await incidents(),
        await events(),
        (await alerts()).map(({ id, decision, reason, incident_id, status }) => [
          id,
          decision,
          reason,
          incident_id,
          status,
        ]),
      ]
      const before = await now()
      await send(delivered[at % delivered.length] as WireAlert)
      await send(...delivered)
      await send(...delivered.toReversed())
      expect(await now()).toEqual(before)
      await end()
    }),
    { numRuns: 25 },
  )
})

test('in whatever order close alerts arrive, each separate part of the system is one incident', async () => {
  const services = ['storefront', 'checkout', 'inventory', 'search', 'billing']
  const close = fc
    .uniqueArray(fc.tuple(fc.constantFrom(...services), fc.constantFrom('A', 'B', 'C')), {
      minLength: 1,
      maxLength: 8,
      selector: (pair) => pair.join(),
    })
    .chain((pairs) => fc.tuple(fc.constant(pairs), fc.shuffledSubarray(pairs, { minLength: pairs.length })))
  await fc.assert(
    fc.asyncProperty(close, async ([pairs, order]) => {
      const { send, incidents, end } = await world(TOPOLOGY)
      for (const [i, [service, name]] of order.entries()) await send(wireAlert(name, service, START - i * 1000))
      const shop = new Set(['storefront', 'checkout', 'inventory'])
      const parts = new Set(pairs.map(([service]) => (shop.has(service) ? 'shop' : service)))
      expect(await incidents()).toHaveLength(parts.size)
      await end()
    }),
    { numRuns: 25 },
  )
})
