// A real PostgreSQL for tests, in a folder of its own and on a port of its own, where one is installed.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { absent } from '../../../../test/services.ts'

export interface PostgresServer {
  readonly port: number
  readonly child: ChildProcess
  /** By the superuser `postgres`, who needs no password; others need theirs. */
  url(user?: string, database?: string): string
  stop(): Promise<void>
}

const HOME = '/usr/lib/postgresql'

/** The folder of its programs, or undefined after having said that what needs it is skipped. */
export const postgresPrograms = findPrograms()

export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'midwatch-pg-'))
  const who = account()
  if (who) chownSync(folder, who.uid, who.gid)
  const data = join(folder, 'data')
  const made = spawnSync(
    join(postgresPrograms ?? '', 'initdb'),
    ['-D', data, '-U', 'postgres', '--no-sync', '--no-locale', '-E', 'UTF8', '--auth=trust', '--no-instructions'],
    { ...who, env: { LC_ALL: 'C', PATH: process.env['PATH'] } },
  )
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr.toString()}`)
  const port = await freePort()
  const child = spawn(
    join(postgresPrograms ?? '', 'postgres'),
    [
      '-D',
      data,
      '-p',
      String(port),
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'unix_socket_directories=',
      '-c',
      'fsync=off',
      ...settings.flatMap((one) => ['-c', one]),
    ],
    { ...who, env: { LC_ALL: 'C' }, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  await new Promise<void>((resolve, reject) => {
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('ready to accept connections')) resolve()
    })
    child.once('exit', () => reject(new Error(said)))
  })
  return {
    port,
    child,
    url: (user = 'postgres', database = 'postgres') => `postgres://${user}@127.0.0.1:${port}/${database}`,
    async stop() {
      if (child.exitCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve))
        child.kill('SIGQUIT')
        await ended
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** It refuses to run as root. */
function account(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith('postgres:'))
  const [, , uid, gid] = line?.split(':') ?? []
  return { uid: Number(uid ?? 65_534), gid: Number(gid ?? 65_534) }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

function findPrograms(): string | undefined {
  const versions = existsSync(HOME)
    ? readdirSync(HOME).filter((one) => existsSync(join(HOME, one, 'bin', 'initdb')))
    : []
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0]
  return newest === undefined ? absent('there is no PostgreSQL under /usr/lib/postgresql') : join(HOME, newest, 'bin')
}
