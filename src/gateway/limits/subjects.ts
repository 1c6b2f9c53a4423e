// Whom a call counts against: its key, the user it names, the team of its key, and its model. Users and teams are counted
// tenant by tenant; a user's name is kept as a hash, for it may be an address.
import type { Config } from '../../config/schema.ts'
import type { Caller } from '../../core/caller.ts'
import { sha256Hex } from '../../core/hash.ts'
import type { LimitConfig } from '../../core/limits.ts'

export type SubjectKind = 'key' | 'user' | 'team' | 'model'

export interface Subject {
  readonly kind: SubjectKind
  /** Unique among all subjects. */
  readonly id: string
  /** How it stands in the ledger: the key's id, the hash of the user, the team, the model. */
  readonly value: string
  /** Only calls of this tenant count; undefined: of all. */
  readonly tenant: string | undefined
  /** For people. */
  readonly label: string
  readonly limits: LimitConfig
}

export type LimitsOf = Pick<Config, 'limits' | 'models'>

/** A user as the ledger and the counters know them. */
const userHash = (tenant: string, user: string): string => sha256Hex(JSON.stringify([tenant, user])).slice(0, 32)

/** A key's own limits take the place of the defaults one by one. */
const limitsOfKey = (caller: Caller, { limits }: LimitsOf): LimitConfig => {
  const { requestsPerMinute, tokensPerMinute, concurrency, budgetUsd } = limits
  return { requestsPerMinute, tokensPerMinute, concurrency, budgetUsd, ...caller.limits }
}

/**
 * Whom a call counts against. Those without any limit are among them: one that gets its first limit while calls are
 * under way has to be told from one that had it all along.
 */
export function subjectsFor(caller: Caller, user: string | undefined, model: string, config: LimitsOf): Subject[] {
  const { tenant } = caller
  const subjects: Subject[] = [
    {
      kind: 'key',
      id: `key:${caller.keyId}`,
      value: caller.keyId,
      tenant,
      label: `the key "${caller.name}"`,
      limits: limitsOfKey(caller, config),
    },
  ]
  if (user !== undefined && user !== '') {
    const value = userHash(tenant, user)
    subjects.push({ kind: 'user', id: `user:${value}`, value, tenant, label: 'this user', limits: config.limits.user })
  }
  const { team } = caller
  if (team !== undefined) {
    subjects.push({
      kind: 'team',
      id: `team:${JSON.stringify([tenant, team])}`,
      value: team,
      tenant,
      label: `the team ${team}`,
      limits: Object.hasOwn(config.limits.teams, team) ? (config.limits.teams[team] ?? {}) : {},
    })
  }
  subjects.push({
    kind: 'model',
    id: `model:${model}`,
    value: model,
    tenant: undefined,
    label: `the model ${model}`,
    limits: Object.hasOwn(config.models, model) ? (config.models[model]?.limits ?? {}) : {},
  })
  return subjects
}

/** A caller's subjects that are kept: callers can make up users without end. */
const KEPT = 1_000

/** The same, from memory where it can be: most calls come from few callers. Made anew when the config changes. */
export function createSubjects(
  config: LimitsOf,
): (caller: Caller, user: string | undefined, model: string) => readonly Subject[] {
  const known = new WeakMap<Caller, Map<string, readonly Subject[]>>()
  return (caller, user, model) => {
    let ofCaller = known.get(caller)
    if (!ofCaller) known.set(caller, (ofCaller = new Map()))
    // No model of the config has a line break in its name.
    const under = user === undefined ? model : `${model}\n${user}`
    let subjects = ofCaller.get(under)
    if (!subjects) {
      if (ofCaller.size >= KEPT) ofCaller.clear()
      subjects = subjectsFor(caller, user, model, config)
      ofCaller.set(under, subjects)
    }
    return subjects
  }
}
