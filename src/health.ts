// What `/health/detail` and `/ready` look at: whether what Midwatch depends on does its work, and how its config and its
// knowledge stand.
import type { Role } from './cli/start.ts'
import type { ConfigState, LiveConfig } from './config/live.ts'
import type { Config } from './config/schema.ts'
import type { Clock } from './core/clock.ts'
import type { Db } from './db/connect.ts'
import { checkWritable, type WriteCheckTables } from './db/write-check.ts'
import type { Gateway } from './gateway/gateway.ts'
import type { CheckResult, HealthCheck } from './http/routes/operations.ts'
import type { Knowledge } from './rag/knowledge.ts'

export interface Watched {
  readonly config: Config
  readonly roles: ReadonlySet<Role>
  readonly db: Db<WriteCheckTables>
  readonly gateway: Gateway
  readonly knowledge: Knowledge
  readonly live: Pick<LiveConfig, 'state'>
  readonly clock: Clock
}

export const healthChecks = ({ config, roles, db, gateway, knowledge, live, clock }: Watched): HealthCheck[] => [
  {
    name: 'database',
    required: true,
    check: async () => {
      await checkWritable(db, clock.now())
      return { ok: true }
    },
  },
  ...(roles.has('gateway') ? gatewayChecks(gateway, config) : []),
  ...(roles.has('rag') ? [knowledgeCheck(knowledge)] : []),
  {
    name: 'config',
    required: false,
    check: async () => toCheck(live.state.refused?.problems.join('; ')),
  },
]

export const healthDetail = ({ roles, knowledge, live }: Watched) => ({
  config: tellConfig(live.state),
  ...(roles.has('rag') ? { knowledge: knowledge.health() } : {}),
})

const tellConfig = ({ loadedAt, refused, ...state }: ConfigState) => ({
  ...state,
  loadedAt: new Date(loadedAt).toISOString(),
  refused: refused && { at: new Date(refused.at).toISOString(), problems: refused.problems },
})

/** Without the first two no call could be served. */
const gatewayChecks = (gateway: Gateway, { limits }: Config): HealthCheck[] => [
  { name: 'ledger', required: true, check: async () => toCheck(gateway.trouble().ledger) },
  {
    name: 'limits',
    required: limits.onRedisLoss === 'refuse',
    check: async () => toCheck(gateway.trouble().limits),
  },
  {
    name: 'providers',
    required: false,
    check: async () => {
      const bad = [...gateway.providerStates()].filter(([, state]) => state !== 'ok')
      return toCheck(bad.map(([name, state]) => `${name} is ${state}`).join(', '))
    },
  },
]

/** What is told in the detail; a collection out of date is no reason to get no traffic. */
const knowledgeCheck = (knowledge: Knowledge): HealthCheck => ({
  name: 'knowledge',
  required: false,
  check: async () => {
    const { reason, collections, wordsOnly } = knowledge.health()
    const bad = Object.entries(collections).flatMap(([name, state]) =>
      state.state === 'failed' ? [`${name}: ${state.reason}`] : [],
    )
    const without = Object.keys(wordsOnly).map(
      (model) => `${model} is not to be had: its collections are searched by words alone`,
    )
    return toCheck([...(reason === undefined ? [] : [reason]), ...bad, ...without].join('; '))
  },
})

const toCheck = (trouble: string | undefined): CheckResult =>
  trouble === undefined || trouble === '' ? { ok: true } : { ok: false, reason: trouble }
