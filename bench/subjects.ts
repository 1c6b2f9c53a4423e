// Who is compared: nobody in between, the bare proxy, and Midwatch as a user starts it.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'undici'
import { startChild } from './processes.ts'

export interface Subject {
  readonly name: string
  /** undefined: there is no process in between. */
  readonly pid: number | undefined
  readonly pool: Pool
  readonly headers: Readonly<Record<string, string>>
}

export interface Subjects {
  readonly subjects: readonly Subject[]
  stop(): Promise<void>
}

const here = (file: string) => join(import.meta.dirname, file)
const main = here('../src/main.ts')

export async function startSubjects(): Promise<Subjects> {
  const stops: (() => Promise<void> | void)[] = []
  const stop = async () => {
    for (let next = stops.pop(); next; next = stops.pop()) await next()
  }
  try {
    const upstream = await startChild(here('upstream.ts'), [])
    stops.push(() => upstream.stop())
    const origin = `http://127.0.0.1:${upstream.said}`
    const bare = await startChild(here('bare-proxy.ts'), [origin])
    stops.push(() => bare.stop())
    const folder = mkdtempSync(join(tmpdir(), 'midwatch-bench-'))
    stops.push(() => rmSync(folder, { recursive: true, force: true }))
    const { config, key } = prepareMidwatch(folder, origin)
    const midwatch = await startChild(main, ['start', '--config', config, '--roles', 'gateway', '--log-level', 'warn'])
    stops.push(() => midwatch.stop())
    const midwatchUrl = /http:\/\/\S+/.exec(midwatch.said)?.[0]
    if (midwatchUrl === undefined) throw new Error(`Midwatch did not say where it listens: ${midwatch.said}`)
    const subject = (
      name: string,
      url: string,
      pid: number | undefined,
      headers: Record<string, string> = {},
    ): Subject => {
      const pool = new Pool(url, { connections: null })
      stops.push(() => pool.destroy())
      return { name, pid, pool, headers: { 'content-type': 'application/json', ...headers } }
    }
    const subjects = [
      subject('direct', origin, undefined),
      subject('bare proxy', `http://127.0.0.1:${bare.said}`, bare.pid),
      subject('Midwatch', midwatchUrl, midwatch.pid, { authorization: `Bearer ${key}` }),
    ]
    return { subjects, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Keys, ledger and metrics are on, as they always are. */
function prepareMidwatch(folder: string, origin: string): { config: string; key: string } {
  const config = join(folder, 'midwatch.yaml')
  writeFileSync(
    config,
    `server: { port: 0 }
data: ./data
auth: { mode: required }
providers: { instant: { kind: openai, baseUrl: "${origin}/v1", apiKey: bench } }
models: { bench: { targets: [{ provider: instant, model: instant, price: { inputUsd: 1, outputUsd: 2 } }] } }
`,
  )
  const args = [main, 'keys', 'create', '--name', 'bench', '--scope', 'llm:chat', '--config', config, '--json']
  const made = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as { key: string }
  return { config, key: made.key }
}
