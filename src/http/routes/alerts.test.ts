import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { intakeSchema } from '../../config/intake-schema.ts'
import { createIncidentFeed } from '../../incidents/feed.ts'
import { createIntake } from '../../incidents/receive.ts'
import { openTestDb, type TestDb, wireAlert, wireWebhook } from '../../incidents/testing.ts'
import { silentLog } from '../../observe/log.ts'
import { alertRoutes } from './alerts.ts'
import { startTestServer, type TestServer } from './testing.ts'

const NOW = Date.UTC(2026, 10, 23, 3, 12)
const PATH = '/v1/alerts/alertmanager'
let db: TestDb
let server: TestServer
let end: () => Promise<void>
let stored = 0

beforeEach(async () => {
  const opened = await openTestDb()
  db = opened.db
  stored = 0
  const clock = new ManualClock(NOW)
  const intake = createIntake({
    db,
    feed: createIncidentFeed(),
    log: silentLog(),
    clock,
    config: intakeSchema.parse({ senders: { zabbix: { name: 'trigger', status: 'value', identity: ['id'] } } }),
    onStored: () => void stored++,
  })
  server = await startTestServer(alertRoutes({ intake, db, clock }))
  end = async () => {
    await server.stop()
    await opened.connection.close()
  }
})
afterEach(() => end())

const post = (json: unknown, token?: string) =>
  server.request('POST', PATH, { json, ...(token === undefined ? {} : { token }) })
const postText = (body: string | Uint8Array) => server.request('POST', PATH, { body })
const countAlerts = async () => (await db.selectFrom('alerts').select('id').execute()).length

test('a delivery is in the database before it is answered 202', async () => {
  const answer = await post(wireWebhook([wireAlert('A', 'b', NOW), wireAlert('C', 'b', NOW)]))
  expect(answer.status).toBe(202)
  expect(answer.json).toEqual({ accepted: 2, delivery: expect.stringMatching(/^dlv_/), duplicate: false })
  expect(await countAlerts()).toBe(2)
  expect(stored).toBe(1)
  const [delivery] = await db.selectFrom('deliveries').selectAll().execute()
  expect(delivery).toMatchObject({ id: answer.json.delivery, tenant: 'default' })
})

test('the same body again is the same delivery', async () => {
  const body = wireWebhook([wireAlert('A', 'b', NOW)])
  const [first, second] = await Promise.all([post(body), post(body)])
  expect(first.json.delivery).toBe(second.json.delivery)
  expect(first.json.duplicate).toBe(!second.json.duplicate)
  expect(await countAlerts()).toBe(1)
})

test('unknown fields stay in the stored body', async () => {
  await post(wireWebhook([{ ...wireAlert('A', 'b', NOW), novel: 1 }], { surprise: { deep: [1] } }))
  const [delivery] = await db.selectFrom('deliveries').select('body').execute()
  expect(JSON.parse(delivery?.body ?? '')).toMatchObject({ surprise: { deep: [1] }, alerts: [{ novel: 1 }] })
})

test('what the sender left out is told', async () => {
  const answer = await post(wireWebhook([wireAlert('A', 'b', NOW)], { truncatedAlerts: 12 }))
  expect(answer.json).toMatchObject({ accepted: 1, truncatedAlerts: 12 })
})

test('a batch with one bad alert is refused whole, naming the field', async () => {
  const alerts = [0, 1, 2].map((n) => wireAlert(`A${n}`, 'b', NOW))
  const answer = await post(wireWebhook([...alerts, { ...wireAlert('A', 'b', NOW), startsAt: 'soon' }]))
  expect(answer.status).toBe(400)
  expect(answer.json.error).toMatchObject({ code: 'malformed', field: 'alerts.3.startsAt' })
  expect(await countAlerts()).toBe(0)
  expect(stored).toBe(0)
})

describe('hostile bodies are refused clearly and leave nothing', () => {
  test.each<[string, string | Uint8Array, number, RegExp]>([
    ['nothing', '', 400, /empty/],
    ['no JSON', '{"alerts":[', 400, /not JSON/],
    ['an empty list', '[]', 400, /empty list/],
    ['a list of texts', '["A"]', 400, /The field 0 is text/],
    ['a number', '42', 400, /The body is a number: send a JSON object/],
    ['bytes that are no text', new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), 400, /UTF-8/],
    ['a raw NUL', '{"alerts":"\0"}', 400, /not JSON/],
    ['deep nesting', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, 400, /The field 0 is a list/],
    [
      'deep nesting inside',
      `{"alerts":[{"labels":{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}}]}`,
      400,
      /labels\.a/,
    ],
    ['too much', `{"alerts":"${'x'.repeat(5 * 1024 * 1024)}"}`, 413, /5 MiB/],
  ])('%s', async (_, body, status, message) => {
    const answer = await postText(body)
    expect(answer.status).toBe(status)
    expect(answer.json.error.message).toMatch(message)
    expect(await countAlerts()).toBe(0)
  })
})

test('a body that nests deeply where nobody looks is taken', async () => {
  const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
  const answer = await postText(`{"extra":${deep},"alerts":[${JSON.stringify(wireAlert('A', 'b', NOW))}]}`)
  expect(answer.status).toBe(202)
})

test('a full disk is a 503 that says when to come again, with nothing half stored', async () => {
  await post(wireWebhook([wireAlert('A', 'b', NOW)]))
  const pages = await sql<{ page_count: number }>`pragma page_count`.execute(db)
  await sql`pragma max_page_count = ${sql.lit((pages.rows[0]?.page_count ?? 0) + 3)}`.execute(db)
  const storm = wireWebhook(Array.from({ length: 2000 }, (_, i) => wireAlert(`A${i}`, 'b', NOW)))
  const answer = await post(storm)
  expect(answer.status).toBe(503)
  expect(answer.headers.get('retry-after')).toBe('5')
  expect(await countAlerts()).toBe(1)
  await sql`pragma max_page_count = 1000000`.execute(db)
  expect((await post(storm)).status).toBe(202)
  expect(await countAlerts()).toBe(2001)
})

test('posting needs alerts:write, reading needs incidents:read', async () => {
  const body = wireWebhook([wireAlert('A', 'b', NOW)])
  expect((await post(body, 'default:incidents:read')).status).toBe(403)
  expect((await post(body, 'default:alerts:write')).status).toBe(202)
  expect((await server.request('GET', '/v1/alerts', { token: 'default:alerts:write' })).status).toBe(403)
})

test('alerts are listed latest first, by decision, of the own tenant only', async () => {
  await post(wireWebhook([wireAlert('A', 'b', NOW)]))
  await post(wireWebhook([wireAlert('W', 'b', NOW)]))
  await post(wireWebhook([wireAlert('Theirs', 'b', NOW)]), 'other')
  await db.updateTable('alerts').set({ decision: 'ignored', reason: 'watchdog: x' }).where('name', '=', 'W').execute()
  const list = async (query: string, token = 'default') =>
    (await server.request('GET', `/v1/alerts${query}`, { token })).json
  expect((await list('?decision=ignored')).alerts).toMatchObject([
    { name: 'W', reason: 'watchdog: x', incidentId: null },
  ])
  expect((await list('?decision=waiting')).alerts).toMatchObject([{ name: 'A', summary: 'A is firing' }])
  expect((await list('')).alerts).toHaveLength(2)
  expect((await list('?limit=1')).alerts).toHaveLength(1)
  expect(await list('')).toMatchObject({ waiting: 1, now: NOW })
  expect((await list('', 'other')).alerts).toMatchObject([{ name: 'Theirs' }])
  expect((await list('?decision=maybe')).error).toMatchObject({ field: 'decision' })
})

describe('a sender that cannot set headers', () => {
  const body = JSON.stringify({ title: 'A', status: 'firing' })
  const send = (path: string, headers: Record<string, string> = {}) =>
    fetch(server.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })

  test('is asked for a user and a password as well as for a token, and only where senders come', async () => {
    const refused = await send('/v1/alerts/generic')
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="midwatch", Basic realm="midwatch"')
    const reading = await fetch(`${server.url}/v1/alerts`)
    expect(reading.headers.get('www-authenticate')).toBe('Bearer realm="midwatch"')
  })
})

describe('senders', () => {
  const postTo = (path: string, json: unknown) => server.request('POST', path, { json })
  const list = async (query: string) => (await server.request('GET', `/v1/alerts${query}`)).json.alerts

  test('an unknown one is a 404 that names those that are known, the own ones among them', async () => {
    const answer = await postTo('/v1/alerts/nagiosx', {})
    expect(answer.status).toBe(404)
    expect(answer.json.error.message).toMatch(/No sender is called nagiosx.*cloudwatch.*grafana.*zabbix/)
  })

  test('the address of a sender takes no GET, and that of an alert does', async () => {
    expect((await server.request('GET', PATH)).status).toBe(405)
    expect((await server.request('GET', '/v1/alerts/zabbix')).status).toBe(405)
    expect((await server.request('GET', '/v1/alerts/alr_0')).status).toBe(404)
  })

  test('one of the config has its own address', async () => {
    expect((await postTo('/v1/alerts/zabbix', { trigger: 'Disk full', value: 'PROBLEM', id: 5 })).status).toBe(202)
    expect(await list('?source=zabbix')).toMatchObject([{ name: 'Disk full', status: 'firing', source: 'zabbix' }])
  })

  test('a body that is sent to none in particular is known by its shape', async () => {
    const answer = await postTo('/v1/alerts', {
      ruleName: 'CPU',
      state: 'alerting',
      title: '[Alerting] CPU',
      ruleId: 1,
    })
    expect(answer.json).toMatchObject({ accepted: 1, sender: 'grafana' })
  })

  test('what cannot be understood is taken, kept as it came, and shown with the reason and whose it looks like', async () => {
    const body = { ruleName: 'CPU', state: 'alerting', title: '[Alerting] CPU' }
    const answer = await postTo('/v1/alerts/datadog', { nothing: 'here' })
    expect(answer).toMatchObject({
      status: 202,
      json: { accepted: 1, notUnderstood: [expect.stringMatching(/no title/)] },
    })
    const [kept] = await list('?decision=not_understood')
    expect(kept).toMatchObject({
      source: 'datadog',
      decision: 'not_understood',
      reason: expect.stringMatching(/no title/),
    })
    const whole = await server.request('GET', `/v1/alerts/${kept.id}`)
    expect(JSON.parse(whole.json.raw)).toEqual({ nothing: 'here' })
    expect(stored).toBe(0)
    const elsewhere = await postTo('/v1/alerts/alertmanager', body)
    expect(elsewhere.json.error).toMatchObject({
      field: 'alerts',
      message: expect.stringMatching(/looks like Grafana: send it to \/v1\/alerts\/grafana/),
    })
  })

  test('a state called like what every object inherits is kept as not understood, and answered 202', async () => {
    const alert = { alertId: '1', message: 'x' }
    for (const action of ['constructor', '__proto__', 'toString'])
      expect((await postTo('/v1/alerts/opsgenie', { action, alert })).status).toBe(202)
    expect(await list('?source=opsgenie')).toHaveLength(3)
  })

  test('an alert tells its hosts, labels and links, and only to its own tenant', async () => {
    await postTo('/v1/alerts/generic', { title: 'A', host: 'web1', url: 'https://x.example/1', severity: 'P1' })
    const [alert] = await list('')
    expect(alert).toMatchObject({ hosts: ['web1'], links: { alert: 'https://x.example/1' }, severity: 'critical' })
    expect((await server.request('GET', `/v1/alerts/${alert.id}`, { token: 'other' })).status).toBe(404)
  })

  test('a list with one body that is broken is refused whole, naming its place', async () => {
    const good = wireWebhook([wireAlert('A', 'b', NOW)])
    const answer = await postTo('/v1/alerts/alertmanager', [good, wireWebhook([{ labels: { a: 'b' } }])])
    expect(answer.json.error).toMatchObject({ code: 'malformed', field: '1.alerts.0.startsAt' })
    expect(await countAlerts()).toBe(0)
    expect((await postTo('/v1/alerts/alertmanager', [good, wireAlert('B', 'b', NOW)])).json).toMatchObject({
      accepted: 2,
    })
  })
})
