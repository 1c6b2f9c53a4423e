// The real `midwatch start` in a process of its own, over a config that a test writes.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { stringify } from 'yaml'
import { type Child, freePort, startChild } from '../../lab/child.ts'
import { createKey, type NewApiKey } from '../../src/access/keys.ts'
import type { AccessTables } from '../../src/access/tables.ts'
import { DEFAULT_TENANT, type Scope } from '../../src/core/caller.ts'
import { systemClock } from '../../src/core/clock.ts'
import { openDatabase } from '../../src/database.ts'
import type { LedgerRow } from '../../src/gateway/tables.ts'

const ROOT = join(import.meta.dirname, '../..')

export interface GatewayProcess {
  readonly url: string
  readonly dataFolder: string
  start(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  /** SIGTERM, and waits. */
  stop(): Promise<void>
  /** Writes a key to the data folder, as the command does. */
  createKey(scopes: readonly Scope[], limits?: NewApiKey['limits']): Promise<string>
  /** Of the ledger, while it is stopped. */
  rows(): LedgerRow[]
  metrics(): Promise<string>
  /** The end of what it wrote to its log. */
  log(): string
  /** Takes the files away. */
  clean(): void
}

export interface GatewayProcessOptions {
  /** The config, without `server` and `data`. */
  readonly config: object
  /** Where the data is kept; a folder of its own where not given. */
  readonly dataFolder?: string | undefined
  readonly logLevel?: string
  readonly nodeOptions?: readonly string[]
}

export async function prepareGateway(options: GatewayProcessOptions): Promise<GatewayProcess> {
  const workDir = mkdtempSync(join(tmpdir(), 'midwatch-walk-'))
  const dataFolder = options.dataFolder ?? join(workDir, 'data')
  mkdirSync(dataFolder, { recursive: true })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const configFile = join(workDir, 'midwatch.yaml')
  const logFile = join(workDir, 'midwatch.log')
  writeFileSync(
    configFile,
    stringify(
      { server: { host: '127.0.0.1', port }, data: dataFolder, ...options.config },
      { aliasDuplicateObjects: false },
    ),
  )
  let child: Child | undefined
  return {
    url,
    dataFolder,
    start: async () => {
      const start = ['start', '--config', configFile, '--log-level', options.logLevel ?? 'error', '--roles', 'gateway']
      child = await startChild({
        name: 'Midwatch',
        command: process.execPath,
        args: [...(options.nodeOptions ?? []), join(ROOT, 'src/main.ts'), ...start],
        cwd: ROOT,
        logFile,
      })
      await child.waitUntil(
        async () => (await fetch(`${url}/ready`, { signal: AbortSignal.timeout(2_000) })).ok,
        60_000,
      )
    },
    kill: async () => child?.kill(),
    stop: async () => child?.stop(20_000),
    createKey: async (scopes, limits) => {
      const connection = await openDatabase(dataFolder)
      try {
        const wanted = { tenant: DEFAULT_TENANT, name: 'walk', scopes, ...(limits ? { limits } : {}) }
        return (await createKey(connection.as<AccessTables>(), wanted, systemClock)).key
      } finally {
        await connection.close()
      }
    },
    rows: () => {
      const database = new DatabaseSync(join(dataFolder, 'midwatch.db'), { readOnly: true })
      const rows = database.prepare('select * from ledger order by rowid').all() as unknown as LedgerRow[]
      database.close()
      return rows
    },
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    log: () => readFileSync(logFile, 'utf8').slice(-4_000),
    clean: () => rmSync(workDir, { recursive: true, force: true }),
  }
}
