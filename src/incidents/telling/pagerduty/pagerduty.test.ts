import { afterEach, expect, test } from 'vitest'
import { Secret } from '../../../core/secret.ts'
import type { Trace } from '../channel.ts'
import { makeNews } from '../testing/news.ts'
import { type PagerdutyServer, servePagerduty } from '../testing/pagerduty-server.ts'
import { createPagerduty, type PagerdutyOptions } from './pagerduty.ts'

const never = new AbortController().signal
const KEY = '0123456789abcdef0123456789abcdef'
const TRACE: Trace = { reference: 'inc_1', title: 'PagerDuty', url: null }
let server: PagerdutyServer
afterEach(() => server?.close())

async function pagerduty(options: Partial<PagerdutyOptions> = {}) {
  server = await servePagerduty(KEY)
  const usual = { routingKey: new Secret(KEY), routingKeys: {}, on: 'opened', acknowledge: true } as const
  return createPagerduty({ url: server.url, ...usual, ...options })
}
const state = () => server.alerts.get('inc_1')?.state

test('an incident is paged, acknowledged with a person’s decision, and resolved', async () => {
  const channel = await pagerduty()
  expect(await channel.tell(makeNews({ kind: 'opened' }).news, never)).toBe('PagerDuty was paged.')
  expect(server.alerts.get('inc_1')?.event).toMatchObject({
    dedup_key: 'inc_1',
    client_url: 'http://midwatch.example/incidents/inc_1',
    links: [{ href: 'http://midwatch.example/incidents/inc_1' }],
    payload: { severity: 'critical', source: 'storefront', class: 'pool_exhausted', custom_details: { alerts: 12 } },
  })
  const decided = { kind: 'decided', trace: TRACE, details: { state: 'approved', by: 'ada' } } as const
  await channel.tell(makeNews({ ...decided, details: { state: 'expired', by: 'agent' } }).news, never)
  expect(state()).toBe('triggered')
  await channel.tell(makeNews(decided).news, never)
  expect(state()).toBe('acknowledged')
  await channel.tell(makeNews({ kind: 'closed', trace: TRACE, incident: { state: 'closed' } }).news, never)
  expect(state()).toBe('resolved')
})

test('whoever resolved it there is woken by an escalation and a new beginning, and by nothing else', async () => {
  const channel = await pagerduty()
  await channel.tell(makeNews({ kind: 'opened' }).news, never)
  const alert = server.alerts.get('inc_1')
  if (alert) alert.state = 'resolved'
  await channel.tell(makeNews({ kind: 'diagnosed', trace: TRACE }).news, never)
  expect(state()).toBe('resolved')
  await channel.tell(makeNews({ kind: 'opened', step: 'opened:2', trace: TRACE }).news, never)
  expect(alert).toMatchObject({ state: 'triggered', pages: 2 })
})

test('whoever looks after it is told there, and is not woken by a step that comes late', async () => {
  const channel = await pagerduty()
  await channel.tell(makeNews({ kind: 'opened' }).news, never)
  await channel.tell(makeNews({ kind: 'acknowledged', trace: TRACE }).news, never)
  expect(state()).toBe('acknowledged')
  const late = { kind: 'escalated', to: null, incident: { isAcknowledged: true } } as const
  expect(await channel.tell(makeNews({ ...late, details: { team: 'payments', step: 2 } }).news, never)).toBeUndefined()
  expect(await channel.tell(makeNews({ ...late, details: { targets: [] } }).news, never)).toBe('PagerDuty was paged.')
})

test('whoever answered before PagerDuty heard of it has answered there too', async () => {
  const channel = await pagerduty()
  await channel.tell(makeNews({ kind: 'opened', incident: { isAcknowledged: true } }).news, never)
  expect(state()).toBe('acknowledged')
})

test('an answer from before it opened again does not answer for what began then', async () => {
  const channel = await pagerduty()
  await channel.tell(makeNews({ kind: 'opened' }).news, never)
  const incident = { begunAt: 1_790_000_100_000 }
  for (const news of [
    makeNews({ kind: 'acknowledged', at: 1_790_000_060_000, trace: TRACE, incident }),
    makeNews({
      kind: 'decided',
      at: 1_790_000_060_000,
      trace: TRACE,
      incident,
      details: { state: 'approved', by: 'ada' },
    }),
  ])
    expect(await channel.tell(news.news, never)).toBeUndefined()
  expect(state()).toBe('triggered')
})

test('with the cause is paged at the diagnosis alone', async () => {
  const channel = await pagerduty({ on: 'diagnosed' })
  expect(await channel.tell(makeNews({ kind: 'opened' }).news, never)).toBeUndefined()
  expect(await channel.tell(makeNews({ kind: 'diagnosed' }).news, never)).toBe('PagerDuty was paged.')
})

test('a page that comes after the end pages nobody', async () => {
  const channel = await pagerduty()
  expect(await channel.tell(makeNews({ kind: 'opened', incident: { state: 'closed' } }).news, never)).toBeUndefined()
  expect(server.asked).toEqual([])
})

test('a route names one of the keys, which is not told', async () => {
  const channel = await pagerduty({
    routingKey: new Secret('f'.repeat(32)),
    routingKeys: { checkout: new Secret(KEY) },
  })
  const { news, traces } = makeNews({ kind: 'opened', to: 'checkout' })
  expect(await channel.tell(news, never)).toBe('PagerDuty (checkout) was paged.')
  expect(JSON.stringify(traces)).not.toContain(KEY)
  await expect(channel.tell(makeNews({ kind: 'opened', to: 'constructor' }).news, never)).rejects.toThrow(
    'add it to agent.notify.pagerduty.routingKeys',
  )
})

test('a key that is none of an integration says what to check', async () => {
  const channel = await pagerduty({ routingKey: new Secret('short') })
  await expect(channel.tell(makeNews({ kind: 'opened' }).news, never)).rejects.toThrow(
    /check that the routing key .* It says: Event object is invalid/,
  )
})

test('the longest incident is within what PagerDuty takes', async () => {
  const channel = await pagerduty()
  const long = 'é'.repeat(100_000)
  const incident = {
    sentence: long,
    evidence: Array.from({ length: 1000 }, () => long),
    missing: [long],
    past: long,
    title: long,
  }
  expect(await channel.tell(makeNews({ kind: 'opened', incident: { ...incident, service: long } }).news, never)).toBe(
    'PagerDuty was paged.',
  )
})
