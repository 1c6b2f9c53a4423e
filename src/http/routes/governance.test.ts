import { afterEach, beforeEach, expect, test } from 'vitest'
import { createKey } from '../../access/keys.ts'
import { ManualClock } from '../../core/clock.ts'
import type { Scope } from '../../core/caller.ts'
import { type Stack, startStack } from '../../gateway/testing/stack.ts'
import { answersStatus, startUpstream, type Upstream } from '../../gateway/testing/upstream.ts'

let clock: ManualClock
let upstream: Upstream
let stack: Stack

beforeEach(async () => {
  clock = new ManualClock(Date.UTC(2026, 10, 23, 12))
  upstream = await startUpstream()
  stack = await startStack({
    clock,
    auth: 'required',
    yaml: `
providers: { main: { kind: openai, baseUrl: "${upstream.baseUrl}" } }
models:
  fast: { targets: [{ provider: main, model: gpt-real, price: { inputUsd: 1, outputUsd: 1 } }] }
  free: { targets: [{ provider: main, model: gpt-real }] }
`,
  })
})

afterEach(async () => {
  await stack.stop()
  await upstream.stop()
})

const newKey = (scopes: Scope[], tenant = 'acme') => createKey(stack.access, { tenant, name: 'test', scopes }, clock)
const call = (path: string, key: string, init: RequestInit = {}) =>
  fetch(`${stack.url}${path}`, { ...init, headers: { authorization: `Bearer ${key}` } })

test('a key made over HTTP is shown once, works, and ends when it is revoked', async () => {
  const { key } = await newKey(['admin'])
  const made = await call('/v1/keys', key, {
    method: 'POST',
    body: JSON.stringify({ name: 'shop', scopes: ['llm:chat', 'llm:chat'] }),
  })
  expect(made.status).toBe(201)
  const shop = (await made.json()) as { id: string; key: string; scopes: string[]; tenant: string }
  expect(shop).toMatchObject({ tenant: 'acme', scopes: ['llm:chat'] })
  expect((await call('/v1/models', shop.key)).status).toBe(200)
  const list = await (await call('/v1/keys', key)).text()
  expect(list).toContain(shop.id)
  expect(list).not.toContain(shop.key)
  expect((await call(`/v1/keys/${shop.id}`, key, { method: 'DELETE' })).status).toBe(204)
  await clock.advance(2_000)
  expect((await call('/v1/models', shop.key)).status).toBe(401)
})

test('keys are an affair of the admins of one tenant', async () => {
  const user = await newKey(['llm:chat', 'incidents:read'])
  const foreign = await newKey(['admin'], 'other')
  expect((await call('/v1/keys', user.key)).status).toBe(403)
  expect(((await (await call('/v1/keys', foreign.key)).json()) as { keys: unknown[] }).keys).toHaveLength(1)
  expect((await call(`/v1/keys/${user.id}`, foreign.key, { method: 'DELETE' })).status).toBe(404)
})

test('a key without the scope llm:chat cannot ask a model', async () => {
  const { key } = await newKey(['incidents:read'])
  expect((await call('/v1/chat/completions', key, { method: 'POST', body: '{}' })).status).toBe(403)
})

test.each([
  [{ scopes: ['llm:chat'] }, 'name'],
  [{ name: 'x', scopes: [] }, 'scopes'],
  [{ name: 'x', scopes: ['root'] }, 'scopes.0'],
  [{ name: 'x', scopes: ['llm:chat'], team: 'no spaces' }, 'team'],
  [{ name: 'x', scopes: ['llm:chat'], limits: { requestsPerMinute: 0 } }, 'limits.requestsPerMinute'],
  [{ name: 'x', scopes: ['llm:chat'], limits: { budgetUsd: { per: 'year', amount: 1 } } }, 'limits.budgetUsd.per'],
])('a wish for a key that is malformed names the field (%o)', async (body, field) => {
  const { key } = await newKey(['admin'])
  const response = await call('/v1/keys', key, { method: 'POST', body: JSON.stringify(body) })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { field } })
})

test('the team and the limits of a key can be changed field by field, by an admin of its tenant', async () => {
  const { key } = await newKey(['admin'])
  const foreign = await newKey(['admin'], 'other')
  const limits = { requestsPerMinute: 10, budgetUsd: { per: 'month', amount: 500 } }
  const body = JSON.stringify({ name: 'shop', scopes: ['llm:chat'], team: 'web', limits })
  const made = (await (await call('/v1/keys', key, { method: 'POST', body })).json()) as { id: string }
  expect(made).toMatchObject({ team: 'web', limits })
  const patch = (by: string, change: unknown) =>
    call(`/v1/keys/${made.id}`, by, { method: 'PATCH', body: JSON.stringify(change) })
  expect((await patch(foreign.key, { team: 'theirs' })).status).toBe(404)
  expect((await patch(key, { limits: { rpm: 1 } })).status).toBe(400)
  const changed = await patch(key, { limits: { requestsPerMinute: null, concurrency: 2 } })
  expect(await changed.json()).toMatchObject({ team: 'web', limits: { concurrency: 2, budgetUsd: limits.budgetUsd } })
  await patch(key, { team: null })
  const { keys } = (await (await call('/v1/keys', key)).json()) as { keys: { id: string }[] }
  expect(keys.find(({ id }) => id === made.id)).toMatchObject({
    team: null,
    limits: { concurrency: 2, budgetUsd: limits.budgetUsd },
  })
})

test('usage is summed by day and model, and an unknown cost is counted apart', async () => {
  const { key } = await newKey(['llm:chat'])
  const other = await newKey(['llm:chat'])
  const admin = await newKey(['admin'])
  const foreign = await newKey(['admin'], 'other')
  const ask = async (by: string, model: string) =>
    (
      await call('/v1/chat/completions', by, {
        method: 'POST',
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }] }),
      })
    ).text()
  await ask(key, 'fast')
  await ask(other.key, 'fast')
  await clock.advance(86_400_000)
  await ask(key, 'fast')
  await ask(key, 'free')
  await ask(key, 'no-such-model')
  upstream.behave(answersStatus(500, ''))
  await ask(key, 'fast')
  const usage = async (by: string, query = '') => (await call(`/v1/usage${query}`, by)).json()
  const line = {
    requests: 1,
    served: 1,
    servedFromCache: 0,
    inputTokens: 12,
    cachedTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 5,
  }
  expect(await usage(key)).toEqual({
    from: '2026-10-26',
    to: '2026-11-24',
    usage: [
      { ...line, day: '2026-11-24', model: 'fast', requests: 2, costUsd: 0.000017, requestsOfUnknownCost: 1 },
      { ...line, day: '2026-11-24', model: 'free', costUsd: 0, requestsOfUnknownCost: 1 },
      { ...line, day: '2026-11-23', model: 'fast', costUsd: 0.000017, requestsOfUnknownCost: 0 },
    ],
  })
  expect(await usage(admin.key, '?from=2026-11-23&to=2026-11-23')).toMatchObject({
    usage: [{ day: '2026-11-23', requests: 2, inputTokens: 24 }],
  })
  expect(await usage(foreign.key)).toMatchObject({ usage: [] })
  expect(await usage(key, '?from=yesterday')).toMatchObject({ error: { field: 'from' } })
})

test('the page hands its key in once, and the browser sends it from then on', async () => {
  const { key } = await newKey(['llm:chat'])
  const opened = await fetch(`${stack.url}/v1/session`, { method: 'POST', body: JSON.stringify({ key }) })
  expect(opened.status).toBe(204)
  const cookie = opened.headers.get('set-cookie') ?? ''
  expect(cookie).toContain('HttpOnly; SameSite=Strict')
  const asPage = { headers: { cookie: cookie.split(';')[0] ?? '' } }
  expect((await fetch(`${stack.url}/v1/models`, asPage)).status).toBe(200)
  const closed = await fetch(`${stack.url}/v1/session`, { method: 'DELETE' })
  expect(closed.headers.get('set-cookie')).toContain('Max-Age=0')
  const wrong = await fetch(`${stack.url}/v1/session`, { method: 'POST', body: JSON.stringify({ key: 'mw_no' }) })
  expect([wrong.status, wrong.headers.has('set-cookie')]).toEqual([401, false])
})
