import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LOCAL_CALLER } from '../core/caller.ts'
import { ManualClock } from '../core/clock.ts'
import { type Connection, connectSqlite } from '../db/connect.ts'
import { migrate } from '../db/migrate.ts'
import { silentLog } from '../observe/log.ts'
import { createIdentify } from './identify.ts'
import { createKeyRing, type KeyRing } from './key-ring.ts'
import { changeKey, createKey, listKeys, revokeKey } from './keys.ts'
import { type AccessTables, accessMigrations } from './tables.ts'

let clock: ManualClock
let connection: Connection
let ring: KeyRing
const db = () => connection.as<AccessTables>()
const make = (name = 'ci', tenant = 'acme') => createKey(db(), { tenant, name, scopes: ['llm:chat'] }, clock)

beforeEach(async () => {
  clock = new ManualClock()
  connection = connectSqlite(':memory:')
  await migrate(connection, accessMigrations)
  ring = createKeyRing({ db: db(), clock, log: silentLog() })
})

afterEach(async () => {
  await ring.stop()
  await connection.close()
})

/** From now on every question to the database fails. */
const loseDatabase = () => db().schema.alterTable('api_keys').renameTo('gone').execute()
const findDatabase = () => connection.as().schema.alterTable('gone').renameTo('api_keys').execute()

test('a key is 43 random characters, and nothing that is stored can be turned back into it', async () => {
  const made = await make()
  expect(made.key).toMatch(/^mw_[0-9A-Za-z]{43}$/)
  expect((await make()).key).not.toBe(made.key)
  const stored = JSON.stringify(await db().selectFrom('api_keys').selectAll().execute())
  expect(stored).not.toContain(made.key.slice(0, 12))
})

test('a key tells who is calling', async () => {
  const { key, id } = await make()
  expect(await ring.identify(key)).toEqual({ tenant: 'acme', keyId: id, name: 'ci', scopes: ['llm:chat'] })
})

test.each(['', 'mw_', 'sk-123', `mw_${'a'.repeat(43)}`, `mw_${'a'.repeat(5000)}`])('%s is no key', async (key) => {
  await expect(ring.identify(key)).rejects.toMatchObject({ code: 'unauthenticated' })
})

test('a key that another process made is found at its first use', async () => {
  await ring.identify((await make()).key)
  const other = await make('later')
  expect((await ring.identify(other.key)).name).toBe('later')
})

test('a revocation by another process is seen within two seconds, also after a long silence', async () => {
  const busy = await make()
  const idle = await make('idle')
  await ring.identify(busy.key)
  await ring.identify(idle.key)
  await revokeKey(db(), busy.id, clock)
  await clock.advance(2000)
  await expect(ring.identify(busy.key)).rejects.toMatchObject({ code: 'unauthenticated' })
  await revokeKey(db(), idle.id, clock)
  await clock.advance(3_600_000)
  await expect(ring.identify(idle.key)).rejects.toMatchObject({ code: 'unauthenticated' })
})

test('the team and the limits of a key come with its caller, and a change is seen within two seconds', async () => {
  const limits = { concurrency: 4, tokensPerMinute: 1000 }
  const wanted = { tenant: 'acme', name: 'ci', scopes: ['llm:chat'], team: 'web', limits } as const
  const { key, id } = await createKey(db(), wanted, clock)
  expect(await ring.identify(key)).toMatchObject({ team: 'web', limits })
  await changeKey(db(), id, { team: 'shop', limits: { tokensPerMinute: null } })
  await clock.advance(2000)
  expect(await ring.identify(key)).toMatchObject({ team: 'shop', limits: { concurrency: 4 } })
  expect((await ring.identify(key)).limits).not.toHaveProperty('tokensPerMinute')
  await revokeKey(db(), id, clock)
  expect(await changeKey(db(), id, { team: 'late' })).toBeUndefined()
})

describe('while the database is lost', () => {
  test('a key that was used works, and is checked again afterwards', async () => {
    const { key, id } = await make()
    await ring.identify(key)
    await loseDatabase()
    await clock.advance(3_600_000)
    expect((await ring.identify(key)).keyId).toBe(id)
    await findDatabase()
    await revokeKey(db(), id, clock)
    await clock.advance(2000)
    await expect(ring.identify(key)).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  test('a key that was loaded at the start works too', async () => {
    const { key, id } = await make()
    await ring.load()
    await loseDatabase()
    expect((await ring.identify(key)).keyId).toBe(id)
  })

  test('an unknown key is 503: we cannot know, which is not the same as no', async () => {
    await loseDatabase()
    await expect(ring.identify(`mw_${'a'.repeat(43)}`)).rejects.toMatchObject({ code: 'unavailable', status: 503 })
  })
})

test('when a key was last used is noted to the minute, and not at each request', async () => {
  const { key } = await make()
  const lastUsed = async () => (await listKeys(db()))[0]?.lastUsedAt
  const firstUse = clock.now()
  await ring.identify(key)
  await expect.poll(lastUsed).toBe(firstUse)
  await clock.advance(59_000)
  await ring.identify(key)
  await clock.advance(2_000)
  const laterUse = clock.now()
  await ring.identify(key)
  await expect.poll(lastUsed).toBe(laterUse)
})

test('keys are listed and revoked within their tenant', async () => {
  const ours = await make('ours')
  const theirs = await make('theirs', 'other')
  expect((await listKeys(db(), 'acme')).map(({ name }) => name)).toEqual(['ours'])
  expect(await listKeys(db())).toHaveLength(2)
  expect(await revokeKey(db(), theirs.id, clock, 'acme')).toBe(false)
  expect(await revokeKey(db(), ours.id, clock, 'acme')).toBe(true)
  const revokedAt = clock.now()
  await clock.advance(1000)
  expect(await revokeKey(db(), ours.id, clock, 'acme')).toBe(true)
  expect((await listKeys(db(), 'acme'))[0]?.revokedAt).toBe(revokedAt)
})

describe('the request', () => {
  const ask = (headers: IncomingHttpHeaders, mode: 'required' | 'off' = 'required') =>
    createIdentify({ mode, keyRing: ring })({ headers } as unknown as IncomingMessage)

  test('may carry its key in any of three places', async () => {
    const { key, id } = await make()
    const carriers: IncomingHttpHeaders[] = [
      { authorization: `Bearer ${key}` },
      { authorization: `bearer  ${key} ` },
      { 'x-api-key': key },
      { cookie: `theme=dark; midwatch_session=${key}; x=1` },
    ]
    for (const headers of carriers) expect((await ask(headers)).keyId, JSON.stringify(headers)).toBe(id)
  })

  test('without a key is let in only where none is asked for', async () => {
    expect(await ask({}, 'off')).toBe(LOCAL_CALLER)
    await expect(ask({}, 'required')).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  test('with a wrong key of ours is refused even where none is asked for; one that a client made up is not', async () => {
    const unknown = `Bearer mw_${'x'.repeat(43)}`
    await expect(ask({ authorization: unknown }, 'off')).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(await ask({ authorization: 'Bearer not-needed' }, 'off')).toBe(LOCAL_CALLER)
    await expect(ask({ authorization: 'Bearer not-needed' })).rejects.toMatchObject({ code: 'unauthenticated' })
  })
})

describe('the key of a sender of webhooks, which can set no headers', () => {
  const ask = async (headers: IncomingHttpHeaders, url: string, keyInUrl: boolean) =>
    (await createIdentify({ mode: 'required', keyRing: ring })({ headers, url } as IncomingMessage, { keyInUrl })).name
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })

  test('may be the password, or the user where there is no password, or stand in the address', async () => {
    const { key } = await make()
    expect(await ask(basic(`sns:${key}`), '/v1/alerts/cloudwatch', true)).toBe('ci')
    expect(await ask(basic(`${key}:`), '/v1/alerts/cloudwatch', true)).toBe('ci')
    expect(await ask({}, `/v1/alerts/sentry?key=${key}`, true)).toBe('ci')
    expect(await ask({ authorization: `Bearer ${key}` }, '/v1/alerts/sentry?key=wrong', true)).toBe('ci')
  })

  test('is no key anywhere else', async () => {
    const { key } = await make()
    await expect(ask({}, `/v1/incidents?key=${key}`, false)).rejects.toMatchObject({ code: 'unauthenticated' })
    await expect(ask(basic(`sns:${key}`), '/v1/incidents', false)).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  test('is refused when it is wrong, whichever way it comes', async () => {
    for (const [headers, url] of [
      [basic('sns:wrong'), '/v1/alerts/sns'],
      [{}, '/v1/alerts/sns?key=wrong'],
      [{ authorization: 'Basic !!' }, '/v1/alerts/sns'],
      [{}, '/v1/alerts/sns'],
    ] as const)
      await expect(ask(headers, url, true)).rejects.toMatchObject({ code: 'unauthenticated' })
  })
})
