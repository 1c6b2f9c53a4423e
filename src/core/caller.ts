// Who is asking, once the door has looked at the key. Everything behind the door trusts this and asks no more.
import type { LimitConfig } from './limits.ts'

export const SCOPES = [
  'llm:chat',
  'llm:embed',
  'rag:read',
  'rag:write',
  'incidents:read',
  'incidents:approve',
  'alerts:write',
  'admin',
] as const

export type Scope = (typeof SCOPES)[number]

export interface Caller {
  readonly tenant: string
  /** The key's id, or `local` where authentication is off. Never the key itself. */
  readonly keyId: string
  /** A name for people: shown on approvals and in the timeline. */
  readonly name: string
  readonly scopes: readonly Scope[]
  /** The team that the key belongs to. */
  readonly team?: string
  /** The key's own; what is not in it is as the config says for all keys. */
  readonly limits?: LimitConfig
}

export const DEFAULT_TENANT = 'default'

/** Who everyone is while `auth.mode` is off (which binds to loopback only). */
export const LOCAL_CALLER: Caller = { tenant: DEFAULT_TENANT, keyId: 'local', name: 'local user', scopes: ['admin'] }

/** `admin` includes every other scope. */
export const mayDo = (caller: Caller, scope: Scope): boolean =>
  caller.scopes.includes(scope) || caller.scopes.includes('admin')
