import { expect, test } from 'vitest'
import { wireAlert } from '../testing.ts'
import { mergeIncidents } from './merge.ts'
import { START, world } from './testing.ts'

test('an incident of very many services does not hide those of another one', async () => {
  const topology = [
    { caller: 'storefront', callee: 'checkout' },
    { caller: 'checkout', callee: 'inventory' },
  ]
  const { send, db, incidents, alerts, end } = await world(topology)
  await send(wireAlert('Down', 'storefront', START - 400_000))
  const [storm] = await incidents()
  const many = Array.from({ length: 600 }, (_, i) => ({
    incident_id: storm?.id ?? '',
    service: `s${i}`,
    first_at: START - 500_000,
    alerts: 1,
  }))
  await db.insertInto('incident_fold_services').values(many).execute()
  await send(wireAlert('Down', 'checkout', START - 10_000))
  await send(wireAlert('Down', 'inventory', START - 5000))
  const [, checkout] = await incidents()
  expect(await incidents()).toHaveLength(2)
  expect((await alerts()).find(({ service }) => service === 'inventory')).toMatchObject({
    reason: 'dependency: checkout calls inventory, 5 s apart',
    incident_id: checkout?.id,
  })
  await end()
})

test('after a merge, all alerts are remembered, however many they are', async () => {
  const { send, db, incidents, alerts, clock, end } = await world()
  await send(wireAlert('A', 'checkout', START))
  await send(wireAlert('B', 'search', START))
  const [into, from] = await incidents()
  const [, sample] = await alerts()
  if (!into || !from || !sample) throw new Error('needs two incidents')
  const more = Array.from({ length: 2100 }, (_, i) => ({
    ...sample,
    id: `alt_more_${String(i).padStart(4, '0')}`,
    identity: `more ${i}`,
    fingerprint: `f${i}`,
    service: i === 2099 ? 'billing' : 'search',
    starts_at: START + i,
    first_at: START + i,
  }))
  for (let i = 0; i < more.length; i += 100)
    await db
      .insertInto('alerts')
      .values(more.slice(i, i + 100))
      .execute()
  const config = { groupBy: [], groupIntervalMs: 1000 }
  await mergeIncidents(db, from, into, { by: 'ann', why: 'one cause' }, config, clock.now())
  expect(await db.selectFrom('incident_folds').selectAll().execute()).toEqual([
    { incident_id: into.id, tenant: 'default', first_at: START, last_at: START + 2099, alerts: 2102 },
  ])
  const keys = await db.selectFrom('incident_fold_keys').select('key').where('incident_id', '=', into.id).execute()
  expect(keys.map(({ key }) => key)).toEqual(expect.arrayContaining(['fingerprint:f0', 'fingerprint:f2099']))
  expect(await db.selectFrom('incident_fold_services').selectAll().orderBy('service').execute()).toEqual([
    { incident_id: into.id, service: 'billing', first_at: START + 2099, alerts: 1 },
    { incident_id: into.id, service: 'checkout', first_at: START, alerts: 1 },
    { incident_id: into.id, service: 'search', first_at: START, alerts: 2100 },
  ])
  await end()
})
