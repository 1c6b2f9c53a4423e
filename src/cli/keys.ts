// `midwatch keys`: makes, lists and revokes API keys in the database itself, so that the first key needs no key.
// A running Midwatch sees the change within seconds.
import { Command, InvalidArgumentError } from 'commander'
import { createKey, listKeys, revokeKey, TEAM_NAME } from '../access/keys.ts'
import type { AccessTables } from '../access/tables.ts'
import { DEFAULT_TENANT, SCOPES, type Scope } from '../core/caller.ts'
import { systemClock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { type LimitConfig, limitSet } from '../core/limits.ts'
import type { Db } from '../db/connect.ts'
import { inDatabase } from './in-database.ts'
import { readSettings } from './settings.ts'

interface Options {
  readonly config?: string
  readonly data?: string
  readonly json?: boolean
}

interface Wanted {
  readonly name: string
  readonly scope: Scope[]
  readonly tenant: string
  readonly team?: string
  readonly requestsPerMinute?: number
  readonly tokensPerMinute?: number
  readonly concurrency?: number
  readonly budget?: LimitConfig['budgetUsd']
}

export function keysCommand(): Command {
  return new Command('keys')
    .description('make, list and revoke API keys')
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand())
}

const common = (command: Command): Command =>
  command
    .option('--config <file>', 'the config file (for its data folder)')
    .option('--data <folder>', 'the data folder')
    .option('--json', 'print JSON')

function createCommand(): Command {
  return common(new Command('create'))
    .description('make a key; it is printed once and cannot be read again')
    .requiredOption('--name <name>', 'what it is for')
    .requiredOption('--scope <list>', `one or more of ${SCOPES.join(', ')}`, parseScopes)
    .option('--tenant <name>', 'the tenant it belongs to', DEFAULT_TENANT)
    .option('--team <name>', 'the team whose limits it shares', parseTeam)
    .option('--requests-per-minute <n>', 'its own limit', parseCount)
    .option('--tokens-per-minute <n>', 'its own limit', parseCount)
    .option('--concurrency <n>', 'how many of its calls may be under way at once', parseCount)
    .option('--budget <usd/period>', 'such as 500/month (or hour, day, week)', parseBudget)
    .action(async (options: Options & Wanted) => {
      const { tenant, name, scope: scopes, team } = options
      const wanted = { tenant, name, scopes, team, limits: limitsOf(options) }
      const made = await withKeys(options, (db) => createKey(db, wanted, systemClock))
      if (options.json) return console.log(JSON.stringify(made))
      console.log(made.key)
      console.error(`The key "${made.name}" may ${made.scopes.join(', ')}. Keep it now: only its hash is stored.`)
    })
}

function listCommand(): Command {
  return common(new Command('list'))
    .description('every key, without its secret')
    .action(async (options: Options) => {
      const keys = await withKeys(options, (db) => listKeys(db))
      if (options.json) return console.log(JSON.stringify(keys))
      if (keys.length === 0) console.log('No keys yet. Make one: midwatch keys create --name NAME --scope admin')
      for (const key of keys) {
        const state =
          key.revokedAt !== null
            ? 'revoked'
            : key.lastUsedAt === null
              ? 'never used'
              : `used ${new Date(key.lastUsedAt).toISOString().slice(0, 16)}Z`
        const more = [...(key.team === null ? [] : [`team ${key.team}`]), ...describeLimits(key.limits)]
        console.log(
          `${key.id}  ${key.hint}…  ${state.padEnd(23)}  ${key.tenant}  ${key.scopes.join(',')}  ${key.name}${more.length === 0 ? '' : `  (${more.join(', ')})`}`,
        )
      }
    })
}

function revokeCommand(): Command {
  return common(new Command('revoke'))
    .description('make a key invalid for good')
    .argument('<id>', 'the id that list shows')
    .action(async (id: string, options: Options) => {
      const revoked = await withKeys(options, (db) => revokeKey(db, id, systemClock))
      if (!revoked) throw new AppError('not_found', `There is no key ${id}. See: midwatch keys list`)
      console.log(options.json ? JSON.stringify({ id, revoked }) : `${id} is revoked.`)
    })
}

const withKeys = <T>(options: Options, use: (db: Db<AccessTables>) => Promise<T>): Promise<T> =>
  inDatabase(options.data ?? readSettings(options.config).config.data, (connection) =>
    use(connection.as<AccessTables>()),
  )

function parseScopes(list: string, before: Scope[] = []): Scope[] {
  const scopes = list.split(',').map((scope) => scope.trim())
  const wrong = scopes.find((scope) => !SCOPES.includes(scope as Scope))
  if (wrong !== undefined)
    throw new InvalidArgumentError(`There is no scope ${wrong}. Take some of ${SCOPES.join(', ')}.`)
  return [...new Set([...before, ...(scopes as Scope[])])]
}

/** Only what was given: the rest is as the config says for all keys. */
function limitsOf({ requestsPerMinute, tokensPerMinute, concurrency, budget }: Wanted): LimitConfig {
  const given = Object.entries({ requestsPerMinute, tokensPerMinute, concurrency, budgetUsd: budget })
  return limitSet.parse(Object.fromEntries(given.filter(([, value]) => value !== undefined)))
}

function describeLimits({ requestsPerMinute, tokensPerMinute, concurrency, budgetUsd }: LimitConfig): string[] {
  return [
    ...(requestsPerMinute === undefined ? [] : [`${requestsPerMinute} requests/minute`]),
    ...(tokensPerMinute === undefined ? [] : [`${tokensPerMinute} tokens/minute`]),
    ...(concurrency === undefined ? [] : [`${concurrency} at once`]),
    ...(budgetUsd === undefined ? [] : [`$${budgetUsd.amount}/${budgetUsd.per}`]),
  ]
}

function parseTeam(name: string): string {
  if (TEAM_NAME.test(name)) return name
  throw new InvalidArgumentError('It takes letters, digits, ".", "_" and "-", at most 64.')
}

function parseCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0
  if (count > 0 && Number.isSafeInteger(count)) return count
  throw new InvalidArgumentError('It has to be a whole number above 0.')
}

function parseBudget(text: string): LimitConfig['budgetUsd'] {
  const [, amount, per] = /^\$?(\d+(?:\.\d+)?)\/(\w+)$/.exec(text) ?? []
  const read = limitSet.shape.budgetUsd.safeParse({ amount: Number(amount), per })
  if (amount !== undefined && read.success) return read.data
  throw new InvalidArgumentError('Write it as dollars a period: 500/month, 20/day, 5/week or 0.5/hour.')
}
