import { afterEach, describe, expect, test } from 'vitest'
import { NEWS_KINDS } from '../../config/telling-schema.ts'
import { INCIDENT, makeWorld, type World, type WorldOptions } from '../investigation/testing/world.ts'
import type { Channel, News } from './channel.ts'
import { GIVE_UP_AFTER, createTelling } from './telling.ts'
import { createIncidentFeed } from '../feed.ts'

let world: World
afterEach(() => world.close())

const told: News[] = []
const channel = (name: string, tell: Channel['tell']): Channel => ({ name, wants: new Set(NEWS_KINDS), tell })
const notes = channel('notes', async (news) => {
  told.push(news)
  if (!news.trace) await news.leave({ reference: 'ref-1', title: 'NOTE-1', url: null })
  return `Noted: ${news.kind}.`
})

const begin = async (options: WorldOptions) => {
  told.length = 0
  world = await makeWorld(options)
  const investigator = world.start()
  await world.work(investigator)
  return investigator
}
const texts = async () =>
  (
    await world.db.selectFrom('incident_events').select('text').where('kind', '=', 'notified').orderBy('seq').execute()
  ).map(({ text }) => text)

describe('what is told of an incident', () => {
  test('follows it from its opening on, and each news finds what the one before left', async () => {
    const investigator = await begin({ channels: [notes] })
    await world.approve(investigator)
    await world.work(investigator)
    // By name: what is written in one millisecond has no order.
    expect(told.map(({ kind }) => kind).sort()).toEqual(['acted', 'decided', 'diagnosed', 'opened', 'proposed'])
    expect(told.map(({ trace }) => trace?.reference)).toEqual([undefined, 'ref-1', 'ref-1', 'ref-1', 'ref-1'])
    const proposed = told.find(({ kind }) => kind === 'proposed')
    expect(proposed?.incident).toMatchObject({ number: 7, approval: { state: 'pending', needed: 1 } })
    expect(proposed?.incident.evidence.length).toBeGreaterThan(0)
    expect(await texts()).toEqual(told.map(({ kind }) => `Noted: ${kind}.`))
  })

  test('waits at a channel that fails, and nowhere else', async () => {
    world = await makeWorld({
      channels: [channel('deaf', () => Promise.reject(new Error('not now'))), notes],
    })
    told.length = 0
    // The world stops at what a handler throws; the queue tries the others meanwhile, and that one later.
    const later = () => world.db.updateTable('jobs').set({ state: 'dead' }).where('kind', '=', 'tell:deaf').execute()
    for (let i = 0; i < 5; i++) await world.work(world.start()).catch(later)
    expect(told.map(({ kind }) => kind).sort()).toEqual(['diagnosed', 'opened', 'proposed'])
    expect(await texts()).toHaveLength(3)
  })

  test('reaches a channel that every incident is told to, whatever its route', async () => {
    await begin({ channels: [] })
    const { spread } = createTelling({
      db: world.db,
      channels: [notes, { ...channel('everybody', () => Promise.resolve(undefined)), unrouted: true }],
      targetsOf: async (_trx, _news, channels) => {
        expect(channels.map(({ name }) => name)).toEqual(['notes'])
        return []
      },
      clock: world.clock,
      feed: createIncidentFeed(),
      publicUrl: 'http://midwatch.example',
      confirmFromRisk: 7,
    })
    const payload = { incidentId: INCIDENT, kind: 'closed', step: 'closed', at: 1, details: {} }
    await spread({ id: 'job_1', kind: 'news', key: 'k', payload, attempts: 1 }, new AbortController().signal)
    const jobs = await world.db.selectFrom('jobs').select('kind').where('kind', 'like', 'tell:%').execute()
    expect(jobs).toEqual([{ kind: 'tell:everybody' }])
  })

  test('is said to fail after the third try, and given up in the end, which its incident says', async () => {
    await begin({ channels: [] })
    let fails = true
    const deaf = channel('deaf', () => (fails ? Promise.reject(new Error('no such room.')) : Promise.resolve('Told.')))
    const { channels } = createTelling({
      db: world.db,
      channels: [deaf],
      clock: world.clock,
      feed: createIncidentFeed(),
      publicUrl: 'http://midwatch.example',
      confirmFromRisk: 7,
    })
    const payload = { incidentId: INCIDENT, kind: 'opened', step: 'opened', at: 1, details: {}, to: '#oncall' }
    const job = { id: 'job_1', kind: 'tell:deaf', key: 'k', payload }
    const never = new AbortController().signal
    const failing = '#oncall could not be told (opened): no such room.'
    const fail = (attempts: number) =>
      expect(channels['tell:deaf']?.({ ...job, attempts }, never)).rejects.toThrow('no such room')
    await fail(1)
    await fail(2)
    expect(await texts()).toEqual([])
    await fail(3)
    await fail(4)
    expect(await texts()).toEqual([`${failing} It goes on being tried.`])
    await channels['tell:deaf']?.({ ...job, attempts: GIVE_UP_AFTER }, never)
    await channels['tell:deaf']?.({ ...job, attempts: GIVE_UP_AFTER }, never)
    expect(await texts()).toEqual([`${failing} It goes on being tried.`, `${failing} It is not tried again.`])
    fails = false
    const next = { ...job, payload: { ...payload, step: 'opened:2' }, attempts: 3 }
    await channels['tell:deaf']?.(next, never)
    expect(await texts()).toHaveLength(3)
  })
})
