import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { likeness, textOf } from './alike.ts'
import { wireAlert } from '../testing.ts'
import { START, world } from './testing.ts'

const text = (name: string, summary: string, labels = {}) => textOf(name, labels, { summary })

test('numbers, hosts and common words do not count, so the same said of three machines is alike', () => {
  const one = text('HostHighCpuLoad', 'CPU load of web-eu-01 is above 91.5 % for 5 minutes')
  const other = text('HostHighCpuLoad', 'CPU load of web-eu-07 is above 99 % for 15 minutes')
  expect(likeness(one, other)).toMatchObject({ share: 1 })
  expect(likeness(one, text('DiskFull', 'disk of web-eu-01 is full')).share).toBeLessThan(0.2)
})

test('alerts about different parts of the world are not alike, whatever they say', () => {
  const eu = text('HighCpu', 'cpu load high', { region: 'eu' })
  const us = text('HighCpu', 'cpu load high', { region: 'us' })
  expect(likeness(eu, eu).share).toBe(1)
  expect(likeness(eu, us).share).toBe(0)
})

test('likeness is the same both ways, between 0 and 1', () => {
  const any = fc.string({ maxLength: 60 }).map((said) => text('Some alert', said))
  fc.assert(
    fc.property(any, any, (a, b) => {
      expect(likeness(a, b).share).toBe(likeness(b, a).share)
      expect(likeness(a, b).share).toBeGreaterThanOrEqual(0)
      expect(likeness(a, b).share).toBeLessThanOrEqual(1)
    }),
  )
})

test('alerts without a service that say the same are one incident, which tells the words', async () => {
  const { send, incidents, alerts, end } = await world()
  const of = (host: string, name: string, summary: string) => ({
    ...wireAlert(name, null, START, { labels: { instance: host } }),
    annotations: { summary },
  })
  await send(of('web1', 'Backup job failed', 'nightly backup of the ledger failed on web1'))
  await send(of('web2', 'Backup job failed', 'nightly backup of the ledger failed again on web2 after 31 min'))
  await send(of('web3', 'Certificate expires', 'certificate of the shop expires in 3 days'))
  expect(await incidents()).toHaveLength(2)
  expect((await alerts()).map(({ reason }) => reason)).toContain(
    'text: 100 % of the words are the same (backup, failed, job, ledger, nightly), at the same time',
  )
  await end()
})

test('labels named in groupBy make one incident of what has the same values, and nothing of what has none', async () => {
  const { send, incidents, alerts, end } = await world([], { groupBy: ['alertname', 'cluster'] })
  const of = (service: string, cluster: string) => wireAlert('Down', service, START, { labels: { cluster } })
  await send(of('a', 'eu'), of('b', 'us'))
  await send({ ...of('c', 'eu'), startsAt: new Date(START - 3_600_000).toISOString() })
  expect(await incidents()).toHaveLength(2)
  expect((await alerts()).map(({ reason }) => reason)).toContain('grouping: the same alertname=Down, cluster=eu')
  await end()
})
