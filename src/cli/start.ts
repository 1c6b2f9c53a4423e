// `midwatch start`: serves until it is told to stop, then finishes what it accepted.
import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { startApp } from '../app.ts'
import type { Config } from '../config/schema.ts'
import { createLog, LOG_LEVELS, type LogLevelName } from '../observe/log.ts'
import { readSettings } from './settings.ts'

interface StartOptions {
  readonly config?: string
  readonly port?: number
  readonly data?: string
  readonly logLevel: LogLevelName
  readonly roles: ReadonlySet<Role>
}

export function startCommand(): Command {
  return new Command('start')
    .description('serve the gateway, the knowledge base, the on-call agent and the page')
    .option('--config <file>', 'the config file (default: midwatch.yaml, else the embedded default)')
    .option('--port <number>', 'listen here instead of server.port', parsePort)
    .option('--data <folder>', 'keep the state here instead of data')
    .addOption(
      new Option('--roles <list>', 'what to serve').argParser(parseRoles).default(new Set(ROLES), ROLES.join(',')),
    )
    .option('--log-level <level>', `one of ${LOG_LEVELS.join(', ')}`, parseLevel, 'info')
    .action(async (options: StartOptions) => {
      const { config, file } = readSettings(options.config)
      const effective = withOptions(config, options)
      const read = (): Config => withOptions(file === null ? config : readSettings(file).config, options)
      const log = createLog({ level: options.logLevel, pretty: process.stderr.isTTY })
      const app = await startApp({ config: effective, source: { file, read }, roles: options.roles, log })
      log.info({ config: file ?? 'the embedded default', data: effective.data }, `Midwatch serves at ${app.url}`)
      console.log(`Midwatch serves at ${app.url}`)
      // Also without it a changed file is noticed.
      process.on('SIGHUP', () => app.reload())
      await stopSignal()
      log.info('Stopping: no new requests, finishing those under way')
      await app.stop()
      log.info('Stopped')
    })
}

/** What is said on the command line stands above the file. */
const withOptions = (config: Config, { port, data }: StartOptions): Config => ({
  ...config,
  server: { ...config.server, port: port ?? config.server.port },
  data: data === undefined ? config.data : resolve(data),
})

const ROLES = ['gateway', 'rag', 'agent'] as const
export type Role = (typeof ROLES)[number]

function parseRoles(list: string): ReadonlySet<Role> {
  const roles = list.split(',').map((role) => role.trim())
  const wrong = roles.find((role) => !ROLES.includes(role as Role))
  if (wrong !== undefined) throw new InvalidArgumentError(`There is no role ${wrong}. Take ${ROLES.join(', ')}.`)
  return new Set(roles as Role[])
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('A port is a whole number from 0 to 65535.')
  return port
}

function parseLevel(text: string): LogLevelName {
  const level = LOG_LEVELS.find((known) => known === text)
  if (!level) throw new InvalidArgumentError(`Take one of ${LOG_LEVELS.join(', ')}.`)
  return level
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      process.once('SIGINT', () => process.exit(130))
      process.once('SIGTERM', () => process.exit(143))
      resolve()
    }
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
  })
}
