// API keys: made, listed, revoked. `mw_` and 43 characters (32 random bytes in base 62). A key is shown once, when
// it is made; afterwards only its hash exists. A key may belong to a team and have limits of its own.
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { type Caller, mayDo, SCOPES, type Scope } from '../core/caller.ts'
import type { Clock } from '../core/clock.ts'
import { sha256Hex } from '../core/hash.ts'
import { newId } from '../core/ids.ts'
import { type LimitConfig, limitSet } from '../core/limits.ts'
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
  readonly team: string | null
  /** Its own; what is not in it is as the config says for all keys. */
  readonly limits: LimitConfig
}

export interface NewApiKey {
  readonly tenant: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly team?: string | undefined
  readonly limits?: LimitConfig | undefined
}

/** What of a key can be changed. null takes away. */
export interface KeyChange {
  readonly team?: string | null | undefined
  /** Field by field; what is not named stays. */
  readonly limits?: { readonly [F in keyof LimitConfig]: LimitConfig[F] | null } | undefined
}

/** The names of teams are those of the config. */
export const TEAM_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

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
    team: wanted.team ?? null,
    limits: writeLimits(wanted.limits ?? {}),
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

/** The key as it is afterwards; undefined when there is none that is valid (in that tenant). */
export async function changeKey(
  db: Db<AccessTables>,
  id: string,
  change: KeyChange,
  tenant?: string,
): Promise<ApiKey | undefined> {
  return db.transaction().execute(async (trx) => {
    let find = trx.selectFrom('api_keys').selectAll().where('id', '=', id).where('revoked_at', 'is', null)
    if (tenant !== undefined) find = find.where('tenant', '=', tenant)
    const row = await find.executeTakeFirst()
    if (!row) return undefined
    const limits = Object.entries({ ...readLimits(row.limits), ...change.limits }).filter(
      ([, value]) => value !== null && value !== undefined,
    )
    const changed = {
      team: change.team === undefined ? row.team : change.team,
      limits: writeLimits(Object.fromEntries(limits)),
    }
    await trx.updateTable('api_keys').set(changed).where('id', '=', id).execute()
    return toApiKey({ ...row, ...changed })
  })
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

/** The caller as they are now; undefined where the key is revoked or was never one. */
export async function findCallerByKeyId(db: Db<AccessTables>, id: string): Promise<Caller | undefined> {
  const row = await db
    .selectFrom('api_keys')
    .selectAll()
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return row && toCaller(row)
}

/** Of the valid keys of that name in a tenant the newest that may do this, else the newest; undefined where there is none. */
export async function findCallerByName(
  db: Db<AccessTables>,
  { tenant, name, scope }: { readonly tenant: string; readonly name: string; readonly scope: Scope },
): Promise<Caller | undefined> {
  const rows = await db
    .selectFrom('api_keys')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('name', '=', name)
    .where('revoked_at', 'is', null)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
  const callers = rows.map(toCaller)
  return callers.find((caller) => mayDo(caller, scope)) ?? callers[0]
}

export const toCaller = (row: ApiKeyRow): Caller => ({
  tenant: row.tenant,
  keyId: row.id,
  name: row.name,
  scopes: readScopes(row.scopes),
  ...(row.team === null ? {} : { team: row.team }),
  ...(row.limits === null ? {} : { limits: readLimits(row.limits) }),
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
  team: row.team,
  limits: readLimits(row.limits),
})

const scopesInRow = z.array(z.enum(SCOPES))
const readScopes = (text: string): Scope[] => scopesInRow.parse(JSON.parse(text))

const readLimits = (text: string | null): LimitConfig => (text === null ? {} : limitSet.parse(JSON.parse(text)))
const writeLimits = (limits: LimitConfig): string | null =>
  Object.keys(limits).length === 0 ? null : JSON.stringify(limits)

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** 256 bits fit in 43 digits of base 62 (62^43 is about 2^256.03), so every key has the same length. */
function base62(bytes: Uint8Array): string {
  let number = BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  let text = ''
  for (let i = 0; i < 43; i++, number /= 62n) text = DIGITS[Number(number % 62n)] + text
  return text
}
