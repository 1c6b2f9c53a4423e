import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { sql } from 'kysely'
import { beginningsOf, flapsOf } from './flapping.ts'
import { START, world } from './testing.ts'
import { closeQuietly, wireAlert } from '../testing.ts'

const MINUTE = 60_000
const SETTINGS = { flapping: { times: 4, windowSeconds: 3600, stableSeconds: 600 }, reopenWithinSeconds: 120 }

/** One beginning and end of the same alert, two minutes in all. */
const turn = async ({ send, clock }: Awaited<ReturnType<typeof world>>) => {
  const at = clock.now()
  await send(wireAlert('Down', 'checkout', at))
  await clock.advance(MINUTE)
  await send(wireAlert('Down', 'checkout', at, { endsAtMs: clock.now() }))
  await clock.advance(MINUTE)
}

test('an alert that begins again and again is one state of one incident, told once, until it is stable', async () => {
  const w = await world([], SETTINGS)
  for (let i = 0; i < 20; i++) await turn(w)
  const [incident, ...more] = await w.incidents()
  expect(more).toEqual([])
  expect(await flapsOf(w.db, [incident?.id ?? ''])).toMatchObject([{ name: 'Down', times: 20 }])
  const told = (await w.events()).filter((event) => !event.includes('ended'))
  expect(told).toEqual([
    'opened: Opened by Down of checkout.',
    'alert: Down of checkout joined (fingerprint: incident 1 has the same alert).',
    'alert: Down of checkout joined (fingerprint: incident 1 has the same alert).',
    'alert: Down of checkout joined (flapping: flapping, 4 times in 6 min; incident 1 has the same alert).',
    'flapping: Down of checkout is flapping, 4 times in 6 min. It counts as one until it is stable for 10 min.',
  ])
  expect((await w.alerts()).at(-1)?.reason).toBe(
    'flapping: flapping, 20 times in 38 min; incident 1 has the same alert',
  )
  await w.pass(9 * MINUTE)
  await w.pass(MINUTE)
  expect((await w.events()).at(-1)).toBe(
    'flapping: Down of checkout flaps no more: stable for 10 min, after it had begun 20 times.',
  )
  expect(await flapsOf(w.db, [incident?.id ?? ''])).toEqual([])
  const jobs = await w.db.selectFrom('jobs').select('key').where('kind', '=', 'recovered').execute()
  expect(jobs.some(({ key }) => key.startsWith(`${incident?.id}:stable:`))).toBe(true)
  await w.end()
})

test('an alert that fires steadily after it flapped is stable too, and many alerts that begin once never flap', async () => {
  const w = await world([], SETTINGS)
  for (let i = 0; i < 30; i++) await w.send(wireAlert('Down', `s${i}`, START + i))
  for (let i = 0; i < 5; i++) await turn(w)
  await w.send(wireAlert('Down', 'checkout', w.clock.now()))
  expect(await w.db.selectFrom('alert_flaps').select(['service', 'times']).execute()).toEqual([
    { service: 'checkout', times: 6 },
  ])
  await w.pass(11 * MINUTE)
  expect(await w.db.selectFrom('alert_flaps').selectAll().execute()).toEqual([])
  await w.end()
})

test('the same trouble opens its closed incident again within the time for it, and a new one that names it later', async () => {
  const w = await world([], SETTINGS)
  await w.send(wireAlert('Down', 'checkout', START))
  const [first] = await w.incidents()
  await closeQuietly(w.db, first?.id ?? '', w.clock.now())
  await w.clock.advance(2 * MINUTE)
  await w.send(wireAlert('Down', 'checkout', w.clock.now()))
  expect(await w.incidents()).toMatchObject([{ number: 1, state: 'open', closed_at: null, outcome: null }])
  expect((await w.events()).at(-1)).toBe(
    'reopened: Opened again by Down of checkout: the same alert was part of it, and it has been closed for no more than 2 min.',
  )
  const jobs = await w.db.selectFrom('jobs').select(['key', 'run_at']).where('kind', '=', 'investigate').execute()
  expect(jobs).toContainEqual({ key: `${first?.id}:1`, run_at: w.clock.now() + 30_000 })
  await w.send(wireAlert('Slow', 'checkout', w.clock.now()))
  expect((await w.alerts()).find(({ name }) => name === 'Slow')).toMatchObject({
    incident_id: first?.id,
    reason: 'service: also checkout, at the same time',
  })

  await closeQuietly(w.db, first?.id ?? '', w.clock.now())
  await w.clock.advance(3 * MINUTE)
  await w.send(wireAlert('Down', 'checkout', w.clock.now()))
  expect((await w.incidents()).map(({ state }) => state)).toEqual(['closed', 'open'])
  expect((await w.events()).at(-1)).toContain('the same alert was part of incident 1, which is closed')
  await w.end()
})

test('whatever the order of words about one alert, a resolved one never opens, and no incident is left with none', async () => {
  const word = fc.record({
    name: fc.constantFrom('A', 'B'),
    life: fc.nat(2),
    ended: fc.boolean(),
    waitMs: fc.constantFrom(1, 1000, 30_000, 130_000),
    close: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 8 }), async (words) => {
      // All of it is within one window: what begins later than that is another trouble.
      const w = await world([], { ...SETTINGS, windowSeconds: 3600 })
      for (const { name, life, ended, waitMs, close } of words) {
        const startsAtMs = START + life * 5000
        await w.send(wireAlert(name, 'checkout', startsAtMs, ended ? { endsAtMs: startsAtMs + 1000 } : {}))
        await w.clock.advance(waitMs)
        if (close)
          for (const { id, state } of await w.incidents())
            if (state !== 'closed') await closeQuietly(w.db, id, w.clock.now())
      }
      const alerts = await w.alerts()
      const incidents = await w.incidents()
      for (const { decision, incident_id, first_at, end_seen_at } of alerts) {
        expect(decision).not.toBeNull()
        // It was heard of as ended before it was folded: it opened and joined nothing.
        if (end_seen_at === first_at) expect(incident_id).toBeNull()
      }
      for (const { id } of incidents) expect(alerts.some(({ incident_id }) => incident_id === id)).toBe(true)
      // What was resolved last is resolved, whatever was closed or opened again in between.
      const open = incidents.filter(({ state }) => state !== 'closed')
      expect(open.length).toBeLessThanOrEqual(1)
      await w.end()
    }),
    { numRuns: 40 },
  )
})

test('the beginnings of one alert are counted without reading the others of a storm', async () => {
  const { db, end } = await world([])
  const life = { tenant: 'default', source: 'alertmanager', identity: 'a', first_at: START }
  const plan = await beginningsOf(db, life, MINUTE).explain<{ detail: string }>(undefined, sql`query plan`)
  expect(plan.map(({ detail }) => detail)).toEqual([expect.stringContaining('identity=? AND first_at>?')])
  await end()
})
