import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Connection, connectSqlite } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { decision, decisionText, ledgerRow, servedRow } from '../../gateway/ledger/testing/rows.ts'
import { type GatewayTables, gatewayMigrations, type LedgerRow } from '../../gateway/tables.ts'
import { requestRoutes } from './requests.ts'
import { startTestServer, type TestServer } from './testing.ts'

let connection: Connection
let server: TestServer
let flushes = 0

const at = (text: string): number => Date.parse(text)

// The test server takes the bearer token for tenant and key: `acme` is an admin, `acme:llm:chat` only its own key.
const ROWS: readonly LedgerRow[] = [
  ledgerRow('llm_1', { tenant: 'acme', key_id: 'acme', at: at('2026-11-23T10:00:00Z'), ...servedRow }),
  ledgerRow('llm_2', {
    tenant: 'acme',
    key_id: 'other',
    at: at('2026-11-23T23:59:59Z'),
    outcome: 'failed',
    status: 502,
  }),
  ledgerRow('llm_3', { tenant: 'acme', key_id: 'acme', at: at('2026-11-24T00:00:00Z'), model: 'big' }),
  ledgerRow('llm_4', {
    tenant: 'acme',
    key_id: 'acme',
    at: at('2026-11-24T00:00:00Z'),
    ...servedRow,
    decision: decisionText,
    cache_write_tokens: 7,
    cache_write_1h_tokens: 8,
    reasoning_tokens: 2,
    team: 'shop',
    user_hash: 'ab12',
  }),
  ledgerRow('llm_5', { tenant: 'globex', key_id: 'globex', at: at('2026-11-24T00:00:00Z'), ...servedRow }),
  ledgerRow('llm_6', { tenant: 'acme', key_id: 'acme', request_id: 'twice', at: 5, decision: 'not JSON' }),
  ledgerRow('llm_7', { tenant: 'acme', key_id: 'acme', request_id: 'twice', at: 4 }),
  // Callers choose this: it may be another row's id.
  ledgerRow('llm_8', { tenant: 'acme', key_id: 'acme', request_id: 'llm_1', at: 3 }),
]

beforeAll(async () => {
  connection = connectSqlite(':memory:')
  await migrate(connection, gatewayMigrations)
  const db = connection.as<GatewayTables>()
  await db.insertInto('ledger').values(ROWS).execute()
  server = await startTestServer(requestRoutes({ db, flush: async () => void flushes++ }))
})

afterAll(async () => {
  await server.stop()
  await connection.close()
})

const get = (path: string, token = 'acme') => server.request('GET', `/v1/requests${path}`, { token })
const ids = async (query: string, token?: string): Promise<string[]> => {
  const { status, json } = await get(query, token)
  expect(status).toBe(200)
  return (json.requests as { id: string }[]).map(({ id }) => id)
}

const ALL = ['llm_4', 'llm_3', 'llm_2', 'llm_1', 'llm_6', 'llm_7', 'llm_8']

test('an admin sees the requests of the tenant, newest first, and anybody else those of the own key', async () => {
  const before = flushes
  expect(await ids('')).toEqual(ALL)
  expect(flushes).toBe(before + 1)
  expect(await ids('', 'acme:llm:chat')).toEqual(ALL.filter((id) => id !== 'llm_2'))
  expect(await ids('', 'globex')).toEqual(['llm_5'])
  expect(await ids('', 'nobody')).toEqual([])
})

test('a request is shown with what it used and cost, and null is what nobody knows', async () => {
  const { json } = await get('?limit=2')
  expect(json.requests).toEqual([
    {
      id: 'llm_4',
      requestId: 'req_llm_4',
      at: at('2026-11-24T00:00:00Z'),
      keyId: 'acme',
      team: 'shop',
      user: 'ab12',
      model: 'fast',
      endpoint: '/v1/chat/completions',
      purpose: null,
      outcome: 'served',
      status: 200,
      error: null,
      provider: 'openai',
      providerModel: 'gpt-4o-mini',
      attempts: 1,
      cache: 'miss',
      tokens: { input: 12, cacheRead: 0, cacheWrite: 7, cacheWrite1h: 8, output: 5, reasoning: 2, source: 'measured' },
      costUsd: 0.75e-6,
      costSource: 'config',
      durationMs: 40.125,
      firstContentMs: 12.5,
    },
    expect.objectContaining({ id: 'llm_3', outcome: 'under-way', status: null, costUsd: null }),
  ])
})

test('pages follow one another without a row twice or missing, also among rows of one moment', async () => {
  for (const limit of [1, 2, 3, 7]) {
    const seen: string[] = []
    let next: string | null = ''
    while (next !== null) {
      const { json } = await get(`?limit=${limit}${next === '' ? '' : `&after=${next}`}`)
      seen.push(...(json.requests as { id: string }[]).map(({ id }) => id))
      next = json.next
    }
    expect(seen).toEqual(ALL)
  }
})

test('requests are found by model, outcome, key and time', async () => {
  expect(await ids('?model=big')).toEqual(['llm_3'])
  expect(await ids('?outcome=served')).toEqual(['llm_4', 'llm_1'])
  expect(await ids('?outcome=under-way&from=2026-01-01')).toEqual(['llm_3'])
  expect(await ids('?keyId=other')).toEqual(['llm_2'])
  expect(await ids('?keyId=other', 'acme:llm:chat')).toEqual([])
  expect(await ids('?from=2026-11-23&to=2026-11-23')).toEqual(['llm_2', 'llm_1'])
  expect(await ids('?from=2026-11-23T10:00:01Z&to=2026-11-24T00:00:00Z')).toEqual(['llm_2'])
})

test.each(['outcome=lost', 'from=yesterday', 'limit=0', 'limit=201', 'after=xyz', 'colour=red'])(
  'the question %s is refused with the field that is wrong',
  async (query) => {
    const { status, json } = await get(`?${query}`)
    expect(status).toBe(400)
    const { message } = (json as { error: { message: string } }).error
    expect(message).toContain(query.split('=')[0] ?? '')
    expect(message).toMatch(/^The query /)
  },
)

test('one request is told with its decision, by either of its ids', async () => {
  for (const id of ['llm_4', 'req_llm_4']) {
    const { status, json } = await get(`/${id}`)
    expect([status, json.id, json.decision]).toEqual([200, 'llm_4', decision])
  }
  expect((await get('/llm_3')).json.decision).toBe(null)
  expect((await get('/llm_6')).json.decision).toBe(null)
})

test('an id that a caller used twice finds the newest, and never hides a request of that name', async () => {
  expect((await get('/twice')).json.id).toBe('llm_6')
  expect((await get('/llm_1')).json.id).toBe('llm_1')
})

test('what another tenant or key asked is not there', async () => {
  for (const [path, token] of [
    ['/llm_5', 'acme'],
    ['/llm_4', 'globex'],
    ['/llm_2', 'acme:llm:chat'],
    ['/req_llm_2', 'acme:llm:chat'],
    ['/llm_99', 'acme'],
  ] as const) {
    expect((await get(path, token)).status).toBe(404)
  }
  expect((await get('', 'acme:alerts:write')).status).toBe(403)
})
