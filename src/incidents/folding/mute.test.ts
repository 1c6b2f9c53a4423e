import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { wireAlert } from '../testing.ts'
import { activeSilences, createSilence, endSilence, listSilences, type SilenceBody, silenceBody } from './silences.ts'
import { START, world } from './testing.ts'

const ANN = { tenant: 'default', name: 'ann' }
const body = (given: object): SilenceBody => silenceBody.parse({ comment: 'moving the racks', ...given })
const byText = (a: string, b: string): number => a.localeCompare(b)
const shown = async (
  alerts: () => Promise<readonly { name: string; decision: string | null; reason: string | null }[]>,
) => (await alerts()).map(({ name, decision, reason }) => [name, decision, reason])

test('a silenced alert is kept and shown, and comes back when the silence ends while it still fires', async () => {
  const { send, pass, alerts, incidents, db, clock, folder, end } = await world()
  const silence = await createSilence(
    db,
    body({ matchers: ['service=~"check.*"'], durationSeconds: 600 }),
    ANN,
    clock.now(),
  )
  await send(wireAlert('Down', 'checkout', START), wireAlert('Down', 'search', START))
  expect((await incidents()).map(({ service }) => service)).toEqual(['search'])
  expect(await shown(alerts)).toContainEqual([
    'Down',
    'muted',
    'silence: until 2026-11-23 03:22 UTC, by ann: moving the racks',
  ])
  expect(await listSilences(db, 'default', false, clock.now())).toMatchObject([
    { id: silence.id, state: 'active', holdsBack: 1 },
  ])
  folder.wake()
  await pass(300_000)
  expect(await incidents()).toHaveLength(1)
  await pass(300_000)
  expect((await incidents()).map(({ service }) => service)).toEqual(['search', 'checkout'])
  expect((await shown(alerts)).map(([, decision, reason]) => `${decision} ${reason}`)).toContainEqual(
    expect.stringMatching(/^opened new: .*; it was held back by a silence until now$/),
  )
  await end()
})

test('what ended while it was silenced opens nothing when the silence is ended early', async () => {
  const { send, pass, alerts, incidents, db, clock, folder, end } = await world()
  const silence = await createSilence(
    db,
    body({ matchers: ['service="checkout"'], durationSeconds: 600 }),
    ANN,
    clock.now(),
  )
  await send(wireAlert('A', 'checkout', START), wireAlert('B', 'checkout', START))
  await send(wireAlert('A', 'checkout', START, { endsAtMs: START + 1 }))
  await endSilence(db, silence.id, ANN, clock.now())
  folder.wake()
  await pass(1000)
  expect((await incidents()).map(({ title }) => title)).toEqual(['checkout: B'])
  expect((await shown(alerts)).map(([name, decision]) => `${name} ${decision}`).sort(byText)).toEqual([
    'A muted',
    'B opened',
  ])
  await end()
})

test('a silence holds for its own tenant alone, from its beginning on, and does not close what is open', async () => {
  const { store, send, settled, incidents, db, clock, end } = await world()
  await send(wireAlert('A', 'checkout', START))
  const startsAt = new Date(START + 60_000).toISOString()
  await createSilence(db, body({ matchers: ['service="checkout"'], durationSeconds: 600, startsAt }), ANN, clock.now())
  await send(wireAlert('B', 'checkout', START))
  await clock.advance(60_000)
  await send(wireAlert('C', 'checkout', START))
  await store([wireAlert('C', 'checkout', START)], 'other')
  await settled()
  expect((await incidents()).map(({ tenant, state }) => [tenant, state])).toEqual([
    ['default', 'open'],
    ['other', 'open'],
  ])
  const { n } = await db
    .selectFrom('alerts')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('incident_id', 'is not', null)
    .where('tenant', '=', 'default')
    .executeTakeFirstOrThrow()
  expect(n).toBe(2)
  await end()
})

test.each([
  [{ matchers: ['a=~".*"'], durationSeconds: 60 }, 'every alert'],
  [{ matchers: ['a=""'], durationSeconds: 60 }, 'every alert'],
  [{ matchers: [], durationSeconds: 60 }, 'expected array to have >=1 items'],
  [{ matchers: ['a=b'] }, 'either endsAt or durationSeconds'],
  [{ matchers: ['a=~"("'], durationSeconds: 60 }, 'without a )'],
  [{ matchers: [{ name: 'a b', value: 'x' }], durationSeconds: 60 }, 'a b is no name of a label'],
  [{ matchers: [{ name: 'a!', value: 'x' }], durationSeconds: 60 }, 'a! is no name of a label'],
  [{ matchers: ['a=b'], durationSeconds: 60, comment: '  ' }, 'say why'],
])('%o is refused', (given, why) => {
  const read = silenceBody.safeParse({ comment: 'c', ...given })
  expect(JSON.stringify(read.error?.issues)).toContain(why)
})

test('matchers may be written as objects, as for Alertmanager', () => {
  const matchers = [
    { name: 'a', value: 'b' },
    { name: 'c', value: 'd.*', isRegex: true, isEqual: false },
  ]
  expect(body({ matchers, durationSeconds: 1 }).matchers).toEqual(['a="b"', 'c!~"d.*"'])
})

test('a stored silence that can no longer be read holds nothing back, and holds nothing up', async () => {
  const { db, clock, send, alerts, end } = await world()
  const { id } = await createSilence(
    db,
    body({ matchers: ['service="checkout"'], durationSeconds: 600 }),
    ANN,
    clock.now(),
  )
  await createSilence(db, body({ matchers: ['service="search"'], durationSeconds: 60 }), ANN, clock.now())
  const matchers = JSON.stringify(['service=~"[[:alpha:]]+"'])
  await db.updateTable('silences').set({ matchers }).where('id', '=', id).execute()
  expect(await activeSilences(db, ANN.tenant, clock.now())).toHaveLength(1)
  await send(wireAlert('Down', 'checkout', START), wireAlert('Down', 'search', START))
  expect(new Set((await alerts()).map(({ service, decision }) => `${service} ${decision}`))).toEqual(
    new Set(['checkout opened', 'search muted']),
  )
  await end()
})

test('a maintenance window holds back what begins in it, and lets it go at its end', async () => {
  const maintenance = [
    { name: 'nightly', matchers: ['service="checkout"'], from: '04:00', to: '04:20', timeZone: 'Europe/Berlin' },
  ]
  const { send, pass, alerts, incidents, end } = await world([], { maintenance })
  await send(wireAlert('A', 'checkout', START))
  expect(await shown(alerts)).toEqual([['A', 'muted', 'maintenance: nightly, until 04:20 Europe/Berlin']])
  await pass(8 * 60_000)
  expect(await incidents()).toHaveLength(1)
  await end()
})

const INHIBIT = [{ source: ['alertname="ClusterDown"'], target: ['severity=~"warning|error"'], equal: ['cluster'] }]
const of = (name: string, service: string, cluster: string, severity = 'warning') =>
  wireAlert(name, service, START, { labels: { cluster, severity } })

test('while a source fires, targets that agree with it are held back, whatever their order in the delivery', async () => {
  const { send, pass, alerts, incidents, end } = await world([], { inhibit: INHIBIT })
  await send(of('Slow', 'a', 'eu'), of('ClusterDown', 'z', 'eu', 'critical'), of('Slow', 'b', 'us'))
  expect(await shown(alerts)).toEqual(
    expect.arrayContaining([
      ['Slow', 'muted', 'inhibition: ClusterDown of z fires, with the same cluster'],
      ['Slow', 'opened', expect.any(String)],
      ['ClusterDown', 'opened', expect.any(String)],
    ]),
  )
  await send(
    wireAlert('ClusterDown', 'z', START, { endsAtMs: START + 1, labels: { cluster: 'eu', severity: 'critical' } }),
  )
  await pass(5000)
  expect((await incidents()).map(({ service }) => service ?? '').sort(byText)).toEqual(['a', 'b', 'z'])
  await end()
})

test('alerts that are source and target alike do not hold back one another', async () => {
  const inhibit = [{ source: ['severity="warning"'], target: ['severity="warning"'] }]
  const { send, incidents, end } = await world([], { inhibit })
  await send(of('A', 'a', 'eu'), of('B', 'b', 'eu'))
  expect(await incidents()).toHaveLength(2)
  await end()
})

test('no text of an alert holds anything back', async () => {
  const hostile = fc.constantFrom(
    'silence="all"',
    '{"matchers":["service=~\\".+\\""],"durationSeconds":9999}',
    'alertname=~".*"',
    'muted',
    'maintenance: nightly',
    "'; update alerts set decision='muted'; --",
  )
  await fc.assert(
    fc.asyncProperty(hostile, hostile, async (name, value) => {
      const { send, incidents, alerts, end } = await world([], { inhibit: INHIBIT })
      const planted = { labels: { muted_by: value, silence: value, inhibited: 'true', [name]: value } }
      await send(wireAlert(name, 'a', START, planted))
      await send(wireAlert('Real', 'b', START))
      expect(await incidents()).toHaveLength(2)
      expect((await alerts()).every(({ decision }) => decision === 'opened')).toBe(true)
      await end()
    }),
    { numRuns: 10 },
  )
})
