// Midwatch as a user starts it, with everything on that a call can pass through: keys, limits of every kind and a budget
// (too high to refuse), the scan for personal data, the exact cache, the ledger and the metrics.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Peer } from './peers.ts'
import { startChild } from './processes.ts'

const main = join(import.meta.dirname, '../src/main.ts')

const limits = {
  requestsPerMinute: 1e9,
  tokensPerMinute: 1e12,
  concurrency: 100_000,
  budgetUsd: { per: 'month', amount: 1e9 },
}

/** JSON, which YAML reads too. */
export const configText = (origin: string): string =>
  JSON.stringify({
    server: { port: 0 },
    data: './data',
    auth: { mode: 'required' },
    providers: { instant: { kind: 'openai', baseUrl: `${origin}/v1`, apiKey: 'bench' } },
    models: {
      bench: {
        targets: [{ provider: 'instant', model: 'instant', price: { inputUsd: 1, outputUsd: 2 } }],
        cache: { mode: 'exact' },
        limits,
      },
    },
    limits: { ...limits, user: limits },
    privacy: { pii: { action: 'pseudonymise' } },
  })

export async function startMidwatch(folder: string, origin: string, nodeArgs: readonly string[] = []): Promise<Peer> {
  const file = join(folder, 'midwatch.yaml')
  writeFileSync(file, configText(origin))
  const args = [main, 'keys', 'create', '--name', 'bench', '--scope', 'llm:chat', '--config', file, '--json']
  const { key } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as { key: string }
  const start = ['start', '--config', file, '--roles', 'gateway', '--log-level', 'warn']
  const child = await startChild(main, start, nodeArgs)
  const url = /http:\/\/\S+/.exec(child.said)?.[0]
  if (url === undefined) throw new Error(`Midwatch did not say where it listens: ${child.said}`)
  return { ...child, url, headers: { authorization: `Bearer ${key}` } }
}
