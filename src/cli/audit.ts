// `midwatch audit`: reads and proves the audit log in the database itself, also while Midwatch runs.
import { Command } from 'commander'
import { listAudit } from '../audit/read.ts'
import type { AuditTables } from '../audit/tables.ts'
import { verifyAudit } from '../audit/verify.ts'
import { DEFAULT_TENANT } from '../core/caller.ts'
import { AppError } from '../core/errors.ts'
import type { Db } from '../db/connect.ts'
import { inStoredDatabase } from './in-database.ts'
import { readSettings } from './settings.ts'

interface Options {
  readonly config?: string
  readonly data?: string
  readonly json?: boolean
  readonly expect?: string
  readonly incident?: string
  readonly tenant: string
  readonly limit: string
}

export function auditCommand(): Command {
  return new Command('audit')
    .description('what the agent asked and did, entry by entry, in a chain that shows any edit')
    .addCommand(verifyCommand())
    .addCommand(listCommand())
}

const common = (command: Command): Command =>
  command
    .option('--config <file>', 'the config file (for its data folder)')
    .option('--data <folder>', 'the data folder')
    .option('--json', 'print JSON')

function verifyCommand(): Command {
  return common(new Command('verify'))
    .description('check every entry against the one before it; exits with 1 where the log was edited')
    .option('--expect <hash>', 'the head that an earlier check printed: it has to be in the log still')
    .action(async (options: Options) => {
      const verdict = await withAudit(options, (db) => verifyAudit(db, options.expect))
      if (options.json) console.log(JSON.stringify(verdict))
      else if (verdict.kind === 'whole')
        console.log(
          `The audit log is whole: ${verdict.entries} entries. Head ${verdict.head}\nKeep the head elsewhere; --expect shows later that nothing before it was rewritten.`,
        )
      if (verdict.kind === 'broken')
        throw new AppError('conflict', `The audit log was edited at entry ${verdict.seq}: ${verdict.reason}.`)
    })
}

function listCommand(): Command {
  return common(new Command('list'))
    .description('the entries, newest first')
    .option('--incident <id>', 'those about one incident')
    .option('--tenant <name>', 'whose', DEFAULT_TENANT)
    .option('--limit <n>', 'how many', '50')
    .action(async (options: Options) => {
      const { tenant, incident: subject } = options
      const limit = Math.min(500, Math.max(1, Number(options.limit) || 50))
      const entries = await withAudit(options, (db) => listAudit(db, { tenant, subject, limit }))
      if (entries.length === 0 && !options.json)
        console.log(`The audit log holds no entry${subject === undefined ? '' : ` about ${subject}`}.`)
      for (const entry of entries)
        console.log(
          options.json
            ? JSON.stringify(entry)
            : `${String(entry.seq).padStart(6)}  ${new Date(entry.at).toISOString()}  ${entry.actor}  ${entry.kind}  ${entry.subject}  ${JSON.stringify(entry.body).slice(0, 160)}`,
        )
    })
}

const withAudit = <T>(options: Options, use: (db: Db<AuditTables>) => Promise<T>): Promise<T> =>
  inStoredDatabase(options.data ?? readSettings(options.config).config.data, (connection) =>
    use(connection.as<AuditTables>()),
  )
