// The real thing: Prometheus and Alertmanager with the same rules, targets and receiver as the embedded alerter.
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { stringify } from 'yaml'
import { AppError } from '../../src/core/errors.ts'
import { type Child, freePort, startChild } from '../child.ts'
import { ALERT_RULES, rulesFile } from './rules.ts'
import { GROUPING } from './timing.ts'

export interface PrometheusOptions {
  readonly workDir: string
  /** Prometheus's own. */
  readonly port: number
  readonly targetFile: string
  readonly webhookUrl: string
  readonly scrapeSeconds: number
  readonly onUnexpectedEnd: (message: string) => void
}

export interface RunningPrometheus {
  readonly url: string
  stop(): Promise<void>
}

/** Debian calls Alertmanager differently. */
const ALERTMANAGER_NAMES = ['prometheus-alertmanager', 'alertmanager']

/** What of the two is not on the PATH, by name. */
export function missingPrometheus(): readonly string[] {
  return [
    ...(findCommand(['prometheus']) ? [] : ['prometheus']),
    ...(findCommand(ALERTMANAGER_NAMES) ? [] : ['alertmanager']),
  ]
}

/** Starts both and waits until they are ready. Throws AppError `unavailable`. */
export async function startPrometheus(options: PrometheusOptions): Promise<RunningPrometheus> {
  const prometheus = findCommand(['prometheus'])
  const alertmanager = findCommand(ALERTMANAGER_NAMES)
  if (!prometheus || !alertmanager) {
    const missing = missingPrometheus().join(' and ')
    throw new AppError('unavailable', `${missing} not found on the PATH. Install it, or run without --prometheus.`)
  }
  const dir = join(options.workDir, 'prometheus')
  mkdirSync(dir, { recursive: true })
  const alertmanagerPort = await freePort()
  writeConfigs(dir, options, alertmanagerPort)
  const children: Child[] = []
  const start = async (name: string, command: string, args: readonly string[], readyUrl: string) => {
    const logFile = join(options.workDir, `${name.toLowerCase()}.log`)
    const child = await startChild({ name, command, args, cwd: dir, logFile, onUnexpectedEnd: options.onUnexpectedEnd })
    children.push(child)
    await child.waitUntil(async () => (await fetch(readyUrl, { signal: AbortSignal.timeout(1000) })).ok, 30_000)
  }
  const stop = async () => {
    await Promise.all(children.map((child) => child.stop()))
  }
  try {
    await start(
      'Alertmanager',
      alertmanager,
      [
        `--config.file=${join(dir, 'alertmanager.yml')}`,
        `--storage.path=${join(dir, 'alertmanager-data')}`,
        `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
        '--cluster.listen-address=',
      ],
      `http://127.0.0.1:${alertmanagerPort}/-/ready`,
    )
    await start(
      'Prometheus',
      prometheus,
      [
        `--config.file=${join(dir, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(dir, 'prometheus-data')}`,
        `--web.listen-address=127.0.0.1:${options.port}`,
        '--storage.tsdb.retention.time=6h',
      ],
      `http://127.0.0.1:${options.port}/-/ready`,
    )
  } catch (error) {
    await stop()
    throw error
  }
  return { url: `http://127.0.0.1:${options.port}`, stop }
}

function writeConfigs(dir: string, options: PrometheusOptions, alertmanagerPort: number): void {
  const interval = `${options.scrapeSeconds}s`
  writeFileSync(join(dir, 'rules.yml'), rulesFile(ALERT_RULES, options.scrapeSeconds))
  writeFileSync(
    join(dir, 'prometheus.yml'),
    stringify({
      global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
      rule_files: ['rules.yml'],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanagerPort}`] }] }] },
      scrape_configs: [
        { job_name: 'shop', file_sd_configs: [{ files: [options.targetFile], refresh_interval: '5s' }] },
      ],
    }),
  )
  writeFileSync(
    join(dir, 'alertmanager.yml'),
    stringify({
      route: {
        receiver: 'midwatch',
        group_by: GROUPING.groupBy,
        group_wait: `${GROUPING.groupWaitMs}ms`,
        group_interval: `${GROUPING.groupIntervalMs}ms`,
        repeat_interval: `${GROUPING.repeatIntervalMs}ms`,
      },
      receivers: [{ name: 'midwatch', webhook_configs: [{ url: options.webhookUrl, send_resolved: true }] }],
    }),
  )
}

function findCommand(names: readonly string[]): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // Not here.
      }
    }
  }
  return undefined
}
