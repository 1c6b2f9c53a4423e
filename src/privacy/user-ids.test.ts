import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempFolder } from '../../test/temp.ts'
import { Secret } from '../core/secret.ts'
import { anonymiseUsers, loadUserIdKey, pseudonymOf } from './user-ids.ts'

const key = new Secret('ab'.repeat(32))
const anonymised = (body: string): string => anonymiseUsers(Buffer.from(body), key, 'shop').toString()

test('the key is made once, for its owner alone, and stays', () => {
  const folder = tempFolder()
  const first = loadUserIdKey(folder).reveal()
  expect(first).toMatch(/^[0-9a-f]{64}$/)
  expect(loadUserIdKey(folder).reveal()).toBe(first)
  expect(readdirSync(folder)).toEqual(['user-id.key'])
  expect(statSync(join(folder, 'user-id.key')).mode & 0o777).toBe(0o600)
})

test('a damaged key is told, and never replaced silently', () => {
  const folder = tempFolder()
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'user-id.key'), 'half')
  expect(() => loadUserIdKey(folder)).toThrow('is not a key')
})

test('a pseudonym is stable, of one tenant, and says nothing of the id', () => {
  const jo = pseudonymOf(key, 'shop', 'jo@example.com')
  expect(jo).toMatch(/^user_[\w-]{27}$/)
  expect(pseudonymOf(key, 'shop', 'jo@example.com')).toBe(jo)
  expect(pseudonymOf(key, 'bank', 'jo@example.com')).not.toBe(jo)
  expect(pseudonymOf(new Secret('cd'.repeat(32)), 'shop', 'jo@example.com')).not.toBe(jo)
})

test('the fields of every dialect are replaced, and every other byte stays', () => {
  const jo = pseudonymOf(key, 'shop', 'jo')
  expect(anonymised('{ "user" : "jo","n":1.50,"messages":[{"role":"user","user":"jo"}] }')).toBe(
    `{ "user" : "${jo}","n":1.50,"messages":[{"role":"user","user":"jo"}] }`,
  )
  expect(anonymised('{"safety_identifier":"jo","metadata":{ "user_id":"jo","x":1}}')).toBe(
    `{"safety_identifier":"${jo}","metadata":{ "user_id":"${jo}","x":1}}`,
  )
  expect(anonymised('{"\\u0075ser":"j\\u006f"}')).toBe(`{"\\u0075ser":"${jo}"}`)
})

test('a body without an id passes as it is', () => {
  const body = Buffer.from('{"messages":[{"role":"user","content":"hi"}],"user":null,"metadata":null}')
  expect(anonymiseUsers(body, key, 'shop')).toBe(body)
})
