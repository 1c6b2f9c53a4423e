// `midwatch doctor`: looks at everything a start would need and says what is wrong and what to do.
import { access, constants, mkdir, rm, statfs, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Command } from 'commander'
import { ConfigError } from '../config/load.ts'
import type { Config, ProviderConfig } from '../config/schema.ts'
import { AppError, describeError } from '../core/errors.ts'
import { channelLooks } from './doctor-channels.ts'
import { sourceLooks } from './doctor-sources.ts'
import { readSettings } from './settings.ts'

interface Finding {
  readonly what: string
  readonly ok: boolean
  readonly detail: string
}

const LOW_DISK_BYTES = 200 * 1024 * 1024
const PROBE_TIMEOUT_MS = 3000

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check what Midwatch needs: config, data folder, port, providers, sources, channels')
    .option('--config <file>', 'the config file')
    .option('--json', 'print JSON')
    .action(async (options: { config?: string; json?: boolean }) => {
      const findings = await examine(options.config)
      if (options.json) console.log(JSON.stringify(findings))
      else for (const { what, ok, detail } of findings) console.log(`${ok ? 'ok  ' : 'FAIL'}  ${what}: ${detail}`)
      process.exitCode = findings.every((finding) => finding.ok) ? 0 : 1
    })
}

async function examine(file: string | undefined): Promise<Finding[]> {
  let config: Config
  const findings: Finding[] = [{ what: 'Node', ok: true, detail: process.version }]
  try {
    const settings = readSettings(file)
    config = settings.config
    findings.push({ what: 'config', ok: true, detail: settings.file ?? 'the embedded default (no midwatch.yaml here)' })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [...findings, { what: 'config', ok: false, detail: error.message }]
  }
  const { prometheus, files, loki, elasticsearch, jaeger } = config.agent.sources
  const probes = [
    probe('data folder', () => examineFolder(config.data)),
    probe('port', () => examinePort(config.server.host, config.server.port)),
    ...Object.entries(config.providers).map(([name, settings]) =>
      probe(`provider ${name}`, () =>
        settings.kind === 'local' ? examineReadable(settings.path) : examineUrl(addressOf(settings)),
      ),
    ),
    ...(prometheus ? [probe('prometheus', () => examineUrl(new URL('/-/ready', prometheus.url).href))] : []),
    ...(loki ? [probe('loki', () => examineUrl(new URL('/ready', withoutUser(loki.url)).href))] : []),
    ...(elasticsearch ? [probe('elasticsearch', () => examineUrl(withoutUser(elasticsearch.url)))] : []),
    ...(jaeger ? [probe('jaeger', () => examineUrl(withoutUser(jaeger.url)))] : []),
    ...[...sourceLooks(config), ...channelLooks(config)].map(({ what, look }) => probe(what, look)),
    ...(files?.paths ?? []).map((path) => probe('log files', () => examineReadable(path))),
  ]
  return [...findings, ...(await Promise.all(probes))]
}

/** Where a provider is reached. */
const addressOf = (settings: Exclude<ProviderConfig, { kind: 'local' }>): string =>
  settings.baseUrl ?? `https://bedrock-runtime.${settings.kind === 'bedrock' ? settings.region : ''}.amazonaws.com`

/** What is printed shows no password, and fetch takes none in an address. */
function withoutUser(address: string): string {
  const url = new URL(address)
  url.username = ''
  url.password = ''
  return url.href
}

async function probe(what: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { what, ok: true, detail: await look() }
  } catch (error) {
    return { what, ok: false, detail: error instanceof AppError ? error.message : describeError(error) }
  }
}

async function examineFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const trial = join(folder, `.doctor-${process.pid}`)
  await writeFile(trial, '')
  await rm(trial)
  const { bavail, bsize } = await statfs(folder)
  const freeBytes = bavail * bsize
  if (freeBytes < LOW_DISK_BYTES) throw new Error(`${folder} has only ${Math.round(freeBytes / 1e6)} MB left`)
  return `${folder} is writable, ${(freeBytes / 1e9).toFixed(1)} GB free`
}

function examinePort(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`${host}:${port} is in use; Midwatch may run already, or choose another server.port`)
          : error,
      ),
    )
    server.listen(port, host, () => server.close(() => resolve(`${host}:${port} is free`)))
  })
}

async function examineReadable(path: string): Promise<string> {
  await access(path, constants.R_OK)
  return `${path} is readable`
}

/** Any HTTP answer will do: it shows that something is there. */
async function examineUrl(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })
  await response.body?.cancel()
  return `${url} answers (${response.status})`
}
