// Midwatch as the lab runs it: the product's own command in a process of its own, so that it can be killed and started
// again like anywhere else, with a config file written for the lab's faster life.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { ActionConfig } from '../src/config/schema.ts'
import { type Child, startChild } from './child.ts'

const ROOT = join(import.meta.dirname, '..')
/** The Node that the package brings: the machine's own may be too old. */
const NODE = process.execPath

export interface MidwatchOptions {
  readonly workDir: string
  readonly port: number
  /** The scripted model's address, ending in `/v1`. */
  readonly modelProviderUrl: string
  readonly logsDir: string
  readonly targetFile: string
  /** Where a real Prometheus is asked; otherwise Midwatch scrapes the targets itself. */
  readonly prometheusUrl: string | undefined
  readonly scrapeSeconds: number
  readonly actions: readonly ActionConfig[]
  readonly onUnexpectedEnd: (message: string) => void
}

export interface Midwatch {
  readonly url: string
  readonly configFile: string
  readonly logFile: string
  readonly databaseFile: string
  /** Starts it and waits until it takes requests. Throws AppError `unavailable` with the end of its log. */
  start(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  /** SIGTERM, and waits. */
  stop(): Promise<void>
  running(): boolean
}

const START_TIMEOUT_MS = 60_000

export function prepareMidwatch(options: MidwatchOptions): Midwatch {
  const url = `http://127.0.0.1:${options.port}`
  const dataDir = join(options.workDir, 'midwatch')
  mkdirSync(dataDir, { recursive: true })
  const configFile = join(options.workDir, 'midwatch.yaml')
  const logFile = join(options.workDir, 'midwatch.log')
  writeFileSync(configFile, stringify(midwatchConfig(options, dataDir)))
  let child: Child | undefined
  return {
    url,
    configFile,
    logFile,
    databaseFile: join(dataDir, 'midwatch.db'),
    start: async () => {
      child = await startChild({
        name: 'Midwatch',
        command: NODE,
        args: [join(ROOT, 'src', 'main.ts'), 'start', '--config', configFile],
        cwd: ROOT,
        logFile,
        onUnexpectedEnd: options.onUnexpectedEnd,
      })
      await child.waitUntil(
        async () => (await fetch(`${url}/ready`, { signal: AbortSignal.timeout(2000) })).ok,
        START_TIMEOUT_MS,
      )
    },
    kill: async () => child?.kill(),
    stop: async () => child?.stop(),
    running: () => child?.running() ?? false,
  }
}

/** What stands in midwatch.yaml. */
function midwatchConfig(options: MidwatchOptions, dataDir: string) {
  const metrics =
    options.prometheusUrl === undefined
      ? {
          scrape: {
            targetFiles: [options.targetFile],
            intervalSeconds: options.scrapeSeconds,
            retentionSeconds: 3600,
          },
        }
      : { prometheus: { url: options.prometheusUrl } }
  const scripted = { targets: [{ provider: 'model-provider', model: 'scripted' }] }
  return {
    server: { host: '127.0.0.1', port: options.port },
    data: dataDir,
    auth: { mode: 'off' },
    providers: { 'model-provider': { kind: 'openai', baseUrl: options.modelProviderUrl } },
    models: { assistant: scripted, oncall: scripted },
    agent: {
      model: 'oncall',
      sources: { ...metrics, files: { paths: [options.logsDir] } },
      // Every fault is a new incident, also when the one before it set off the same alert minutes ago.
      folding: { groupWaitSeconds: 5, windowSeconds: 120, reopenWithinSeconds: 0, flapping: { times: 1000 } },
      diagnosis: { baselineSeconds: 120, stepSeconds: 2 },
      actions: options.actions,
      verify: { withinSeconds: 75, everySeconds: 3 },
    },
  }
}
