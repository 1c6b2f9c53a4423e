// The real `midwatch start` in a process of its own, over a config that a test writes.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { stringify } from 'yaml'
import { type Child, freePort, startChild } from '../../lab/child.ts'
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
  createKey(scope: string): Promise<string>
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
  readonly dataFolder?: string
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
  const command = (args: readonly string[], logTo: string) =>
    startChild({
      name: `midwatch ${args[0] ?? ''}`,
      command: process.execPath,
      args: [...(options.nodeOptions ?? []), join(ROOT, 'src/main.ts'), ...args],
      cwd: ROOT,
      logFile: logTo,
    })
  let child: Child | undefined
  return {
    url,
    dataFolder,
    start: async () => {
      const args = ['start', '--config', configFile, '--log-level', options.logLevel ?? 'error', '--roles', 'gateway']
      child = await command(args, logFile)
      await child.waitUntil(
        async () => (await fetch(`${url}/ready`, { signal: AbortSignal.timeout(2_000) })).ok,
        60_000,
      )
    },
    kill: async () => child?.kill(),
    stop: async () => child?.stop(20_000),
    createKey: async (scope) => {
      const out = join(workDir, `key-${scope.replaceAll(':', '-')}-${performance.now()}.json`)
      const create = ['keys', 'create', '--name', 'walk', '--scope', scope, '--json', '--config', configFile]
      const run = await command(create, out)
      while (run.running()) await new Promise((resolve) => setTimeout(resolve, 20))
      const key = /"key":"(mw_[\w-]+)"/.exec(readFileSync(out, 'utf8'))?.[1]
      if (key === undefined) throw new Error(`no key was created: ${readFileSync(out, 'utf8')}`)
      return key
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
