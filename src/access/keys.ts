// API keys: made, listed, revoked. `mw_` and 43 characters (32 random bytes in base 62). A key is shown once, when
// it is made; afterwards only its hash exists.
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { type Caller, SCOPES, type Scope } from '../core/caller.ts'
import type { Clock } from '../core/clock.ts'
import { sha256Hex } from '../core/hash.ts'
import { newId } from '../core/ids.ts'
import type { Db } from '../db/connect.ts'
import type { AccessTables, ApiKeyRow } from './tables.ts'

/** A key as people may see it again. Times are ms since the epoch. */
export interface ApiKey {
  readonly id: string
  readonly tenant: string
  readonly name: string
  /** How the key begins. */
  readonly hint: string
  readonly scopes: readonly Scope[]
  readonly createdAt: number
  /** To the minute. */
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
}

export interface NewApiKey {
  readonly tenant: string
  readonly name: string
  readonly scopes: readonly Scope[]
}

const KEY = /^mw_[0-9A-Za-z]{43}$/

/** Whether a text can be one of our keys at all; what cannot is refused without asking the database. */
export const looksLikeKey = (text: string): boolean => KEY.test(text)

export const hashKey = (key: string): string => sha256Hex(key)

/** Makes a key. `key` is the only time it can be read. */
export async function createKey(
  db: Db<AccessTables>,
  wanted: NewApiKey,
  clock: Clock,
): Promise<ApiKey & { readonly key: string }> {
  const key = `mw_${base62(randomBytes(32))}`
  const row: ApiKeyRow = {
    id: newId('key', clock.now()),
    tenant: wanted.tenant,
    name: wanted.name,
    hash: hashKey(key),
    hint: key.slice(0, 8),
    scopes: JSON.stringify(wanted.scopes),
    created_at: clock.now(),
    last_used_at: null,
    revoked_at: null,
  }
  await db.insertInto('api_keys').values(row).execute()
  return { ...toApiKey(row), key }
}

/** The keys of a tenant, or of all of them; newest first, revoked ones too. */
export async function listKeys(db: Db<AccessTables>, tenant?: string): Promise<readonly ApiKey[]> {
  let query = db.selectFrom('api_keys').selectAll().orderBy('created_at', 'desc').orderBy('id', 'desc')
  if (tenant !== undefined) query = query.where('tenant', '=', tenant)
  return (await query.execute()).map(toApiKey)
}

/** Revokes a key for good. False when there is no such key (in that tenant); revoking twice is true again. */
export async function revokeKey(db: Db<AccessTables>, id: string, clock: Clock, tenant?: string): Promise<boolean> {
  let find = db.selectFrom('api_keys').select(['id', 'revoked_at']).where('id', '=', id)
  if (tenant !== undefined) find = find.where('tenant', '=', tenant)
  const row = await find.executeTakeFirst()
  if (!row) return false
  await db
    .updateTable('api_keys')
    .set({ revoked_at: clock.now() })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .execute()
  return true
}

/** The caller behind a key's hash: undefined when there is none, or it was revoked. */
export async function findCaller(db: Db<AccessTables>, hash: string): Promise<Caller | undefined> {
  const row = await db
    .selectFrom('api_keys')
    .selectAll()
    .where('hash', '=', hash)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return row && toCaller(row)
}

export const toCaller = (row: ApiKeyRow): Caller => ({
  tenant: row.tenant,
  keyId: row.id,
  name: row.name,
  scopes: readScopes(row.scopes),
})

const toApiKey = (row: ApiKeyRow): ApiKey => ({
  id: row.id,
  tenant: row.tenant,
  name: row.name,
  hint: row.hint,
  scopes: readScopes(row.scopes),
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
  revokedAt: row.revoked_at,
})

const scopesInRow = z.array(z.enum(SCOPES))
const readScopes = (text: string): Scope[] => scopesInRow.parse(JSON.parse(text))

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** 256 bits fit in 43 digits of base 62 (62^43 is about 2^256.03), so every key has the same length. */
function base62(bytes: Uint8Array): string {
  let number = BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  let text = ''
  for (let i = 0; i < 43; i++, number /= 62n) text = DIGITS[Number(number % 62n)] + text
  return text
}
