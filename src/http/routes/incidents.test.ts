import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { createIncidentFeed, type IncidentFeed } from '../../incidents/feed.ts'
import { remember } from '../../incidents/memory/keep.ts'
import { closeTrouble } from '../../incidents/memory/testing.ts'
import { addEvent, moveIncident } from '../../incidents/store.ts'
import { insertIncident, openTestDb, type TestDb } from '../../incidents/testing.ts'
import { incidentList, incidentView } from '../../incidents/view.ts'
import { incidentRoutes } from './incidents.ts'
import { startTestServer, type TestServer } from './testing.ts'

const NOW = Date.UTC(2026, 10, 23, 3, 12)
let db: TestDb
let feed: IncidentFeed
let clock: ManualClock
let server: TestServer
let end: () => Promise<void>

beforeEach(async () => {
  const opened = await openTestDb()
  db = opened.db
  feed = createIncidentFeed()
  clock = new ManualClock(NOW)
  server = await startTestServer(incidentRoutes({ db, feed, clock, confirmFromRisk: 6 }))
  end = async () => {
    await server.stop()
    await opened.connection.close()
  }
})
afterEach(() => end())

const get = (path: string, token = 'default') => server.request('GET', path, { token })

const note = async (incidentId: string, text: string) => {
  await db.transaction().execute((trx) => addEvent(trx, incidentId, { at: NOW, kind: 'note', text }))
  feed.publish(incidentId)
}

describe('reading', () => {
  test('incidents are listed newest first, by state, page by page', async () => {
    for (const n of [1, 2, 3, 4]) await insertIncident(db, `inc_${n}`, n)
    await moveIncident(db, 'inc_2', 'closed', { outcome: 'recovered' }, { at: NOW, kind: 'closed', text: 'Over.' })
    const numbers = async (query: string) => {
      const { json } = await get(`/v1/incidents${query}`)
      return incidentList.parse(json).incidents.map(({ number }) => number)
    }
    expect(await numbers('')).toEqual([4, 3, 2, 1])
    expect(await numbers('?state=open')).toEqual([4, 3, 1])
    expect(await numbers('?state=closed')).toEqual([2])
    expect(await numbers('?limit=2')).toEqual([4, 3])
    expect(await numbers('?limit=2&before=3')).toEqual([2, 1])
    expect((await get('/v1/incidents?state=maybe')).json.error).toMatchObject({ field: 'state' })
    expect((await get('/v1/incidents?limit=100000')).status).toBe(400)
  })

  test('an incident is found by its id and by its number, in the agreed shape', async () => {
    await insertIncident(db, 'inc_a', 7)
    await note('inc_a', 'Something.')
    const delivery = { id: 'dlv_1', tenant: 'default', source: 'alertmanager', body_hash: 'h', body: '{}', times: 1 }
    await db
      .insertInto('deliveries')
      .values({ ...delivery, first_at: 1, last_at: 1 })
      .execute()
    for (const status of ['firing', 'resolved'] as const) {
      await db
        .insertInto('alerts')
        .values({
          id: `alr_${status}`,
          tenant: 'default',
          source: 'alertmanager',
          identity: status,
          fingerprint: 'f',
          name: 'A',
          service: 'b',
          severity: 'critical',
          status,
          starts_at: 1,
          ends_at: null,
          labels: '{}',
          annotations: '{"description":"why"}',
          url: null,
          group_key: null,
          delivery_id: 'dlv_1',
          times: 1,
          first_at: 1,
          last_at: 1,
          decision: 'joined',
          reason: 'service: x',
          incident_id: 'inc_a',
        })
        .execute()
    }
    const action = {
      name: 'roll',
      does: 'roll-back',
      service: 'b',
      parameters: {},
      title: 'Roll b back',
      expected: '',
      undo: '',
      touches: 'b',
      risk: 6,
      riskReasons: [],
      ifNothing: '',
    }
    for (const n of [1, 2])
      await db
        .insertInto('approvals')
        .values({
          id: `apr_${n}`,
          incident_id: 'inc_a',
          action: JSON.stringify(action),
          risk: 4 + n,
          state: 'pending',
          requested_at: n,
          expires_at: 9,
          decided_at: null,
          decided_by: null,
          reason: null,
        })
        .execute()
    const trace = { tenant: 'default', incident_id: 'inc_a', recipient: '', reference: '10012', at: 5 }
    await db
      .insertInto('told_traces')
      .values([
        { ...trace, channel: 'jira', title: 'OPS-12', url: 'https://jira.example/browse/OPS-12' },
        { ...trace, channel: 'pagerduty', title: 'PagerDuty', url: null, at: 4 },
      ])
      .execute()
    const byId = incidentView.parse((await get('/v1/incidents/inc_a')).json)
    expect((await get('/v1/incidents/7')).json).toEqual(byId)
    expect(byId).toMatchObject({
      number: 7,
      alerts: 2,
      firing: 1,
      cause: null,
      report: null,
      told: [
        { channel: 'pagerduty', title: 'PagerDuty', url: null },
        { channel: 'jira', title: 'OPS-12', url: 'https://jira.example/browse/OPS-12' },
      ],
      timeline: [{ seq: 1, kind: 'note', text: 'Something.' }],
      alertList: [
        { status: 'firing', summary: 'why' },
        { status: 'resolved', reason: 'service: x' },
      ],
      approval: { id: 'apr_2', confirm: true },
      approvals: [{ id: 'apr_1', confirm: false }],
    })
  })

  test("another tenant's incidents are not there", async () => {
    await insertIncident(db, 'inc_a', 1)
    for (const path of ['/v1/incidents/inc_a', '/v1/incidents/1', '/v1/incidents/inc_a/events', '/v1/incidents/none']) {
      const answer = await get(path, 'other')
      expect(answer.status, path).toBe(404)
    }
    expect((await get('/v1/incidents', 'other')).json).toMatchObject({ incidents: [], waiting: 0 })
  })

  test('reading needs incidents:read', async () => {
    for (const path of ['/v1/incidents', '/v1/incidents/1', '/v1/incidents/events', '/v1/incidents/1/events'])
      expect((await get(path, 'default:alerts:write')).status).toBe(403)
  })
})

test('a post-mortem is drafted for the tenant whose incident it is', async () => {
  await insertIncident(db, 'inc_a', 7)
  await note('inc_a', 'Something.')
  const { json } = await get('/v1/incidents/7/postmortem')
  expect(json.markdown).toMatch(/^# Post-mortem of incident 7[^]*Something\.[^]*Unknown\. No report was written\./)
  expect((await get('/v1/incidents/7/postmortem', 'other')).status).toBe(404)
  expect((await get('/v1/incidents/7/postmortem', 'default:rag:read')).status).toBe(403)
})

describe('live', () => {
  interface Told {
    readonly id: string | undefined
    readonly data: Record<string, unknown>
  }

  /** Reads a stream's frames one by one; a comment is a frame whose data is `{comment}`. */
  async function open(path: string, headers: Record<string, string> = {}) {
    const gone = new AbortController()
    const response = await fetch(server.url + path, {
      headers: { authorization: 'Bearer default', ...headers },
      signal: gone.signal,
    })
    const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const frame = async (): Promise<string | undefined> => {
      while (!text.includes('\n\n')) {
        const { value, done } = await reader.read()
        if (done) return undefined
        text += value
      }
      const [first = '', ...rest] = text.split('\n\n')
      text = rest.join('\n\n')
      return first
    }
    const next = async (): Promise<Told | undefined> => {
      const lines = await frame()
      if (lines === undefined) return undefined
      const field = (name: string) =>
        lines
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2)
      const data = field('data')
      return { id: field('id'), data: data === undefined ? { comment: lines } : JSON.parse(data) }
    }
    expect((await next())?.data).toEqual({ comment: 'retry: 2000' })
    return { response, next, close: () => gone.abort() }
  }

  test('a reader of one incident gets its timeline from the start, then what comes', async () => {
    await insertIncident(db, 'inc_a', 1)
    await insertIncident(db, 'inc_b', 2)
    await note('inc_a', 'one')
    await note('inc_b', 'not yours')
    const stream = await open('/v1/incidents/1/events')
    expect(stream.response.headers.get('content-type')).toMatch('text/event-stream')
    expect(await stream.next()).toMatchObject({
      id: '1',
      data: { incidentId: 'inc_a', number: 1, seq: 1, text: 'one' },
    })
    await note('inc_b', 'not yours either')
    await note('inc_a', 'two')
    expect(await stream.next()).toMatchObject({ id: '4', data: { seq: 2, text: 'two', kind: 'note', state: 'open' } })
    stream.close()
  })

  test('a reader that lost its connection goes on where it was, without a gap or a repeat', async () => {
    await insertIncident(db, 'inc_a', 1)
    await insertIncident(db, 'inc_b', 2)
    const stream = await open('/v1/incidents/events')
    await note('inc_a', '1')
    const first = await stream.next()
    stream.close()
    for (let n = 2; n <= 450; n++) await note(n % 2 ? 'inc_a' : 'inc_b', String(n))
    const again = await open('/v1/incidents/events', { 'last-event-id': first?.id ?? '' })
    for (let n = 2; n <= 450; n++) expect((await again.next())?.data['text']).toBe(String(n))
    await note('inc_a', 'live')
    expect((await again.next())?.data['text']).toBe('live')
    again.close()
  })

  test('a new reader of all incidents gets what comes from now on, of its own tenant', async () => {
    await insertIncident(db, 'inc_a', 1)
    await insertIncident(db, 'inc_theirs', 1, 'other')
    await note('inc_a', 'before')
    const stream = await open('/v1/incidents/events')
    await note('inc_theirs', 'secret')
    await note('inc_a', 'now')
    expect((await stream.next())?.data['text']).toBe('now')
    stream.close()
  })

  test('a change that is no event is told too', async () => {
    await insertIncident(db, 'inc_a', 1)
    const stream = await open('/v1/incidents/events')
    feed.publish('inc_a')
    expect(await stream.next()).toEqual({
      id: undefined,
      data: { incidentId: 'inc_a', number: 1, state: 'open', at: NOW, kind: 'changed' },
    })
    stream.close()
  })

  test('a quiet stream beats every 15 seconds', async () => {
    const stream = await open('/v1/incidents/events')
    for (let beats = 0; beats < 2; beats++) {
      const beat = stream.next()
      await advanceUntil(beat, 15_000)
      expect((await beat)?.data).toEqual({ comment: ': beat' })
    }
    stream.close()
  })

  /** The server takes its own turns: time moves on until it has answered. */
  const advanceUntil = async (done: Promise<unknown>, stepMs: number) => {
    const state = { over: false }
    void done.then(() => (state.over = true))
    while (!state.over) await clock.advance(stepMs)
  }

  test('a place that is no number is refused', async () => {
    const headers = { authorization: 'Bearer default', 'last-event-id': 'yesterday' }
    const answer = await fetch(`${server.url}/v1/incidents/events`, { headers })
    expect(answer.status).toBe(400)
  })

  test('a stop of the server ends the streams', async () => {
    const stream = await open('/v1/incidents/events')
    const stopped = server.stop()
    expect(await stream.next()).toBeUndefined()
    await stopped
  })

  test('a client that takes nothing is let go, and the server holds little for it', async () => {
    await insertIncident(db, 'inc_a', 1)
    const text = 'x'.repeat(3900)
    for (let n = 0; n < 3000; n++) await addEvent(db, 'inc_a', { at: NOW, kind: 'note', text })
    const socket = connect(server.port, '127.0.0.1')
    const closed = new Promise<string>((resolve) => {
      socket.on('error', () => resolve('closed')).on('close', () => resolve('closed'))
    })
    socket.write('GET /v1/incidents/1/events HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer default\r\n\r\n')
    socket.once('readable', () => socket.pause())
    const state = { over: false }
    void closed.then(() => (state.over = true))
    // It reads nothing more until the server has given up; then what is left in the pipe is read to see the end.
    for (let step = 0; step < 200 && !state.over; step++) {
      await clock.advance(1000)
      if (step === 150) socket.resume()
    }
    expect(await closed).toBe('closed')
    expect(socket.bytesRead).toBeLessThan(3000 * 3900)
  })
})

describe('memory', () => {
  const erase = (json: unknown, token = 'default') =>
    server.request('POST', '/v1/incidents/cases/erasures', { token, json })

  test('a case is erased by an administrator alone, and only of the own tenant', async () => {
    const id = await closeTrouble(db, { number: 7, service: 'web', kind: 'cpu', moved: [['web', 'cpu_seconds_total']] })
    const retention = { keepDays: 10_000, keepCases: 10 }
    await remember(db, id, retention, NOW, new AbortController().signal)
    expect((await erase({ incident: '7' }, 'default:incidents:read')).status).toBe(403)
    expect((await erase({ incident: '7' }, 'other')).status).toBe(404)
    expect((await erase({ mentions: 'web' }, 'other')).json).toEqual({ erased: [] })
    expect((await erase({ incident: '7' })).json).toEqual({ erased: [7] })
    expect((await erase({ incident: '7' })).json).toEqual({ erased: [] })
    expect((await erase({ mentions: 'x' })).status).toBe(400)
  })

  test('a runbook is drafted where there are cases enough, and else it says from when on', async () => {
    await insertIncident(db, 'inc_a', 7)
    const { status, json } = await get('/v1/incidents/7/runbook')
    expect([status, JSON.stringify(json)]).toEqual([404, expect.stringContaining('from the second closed incident')])
  })
})
