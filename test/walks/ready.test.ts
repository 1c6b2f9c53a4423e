// Whether Midwatch may get traffic: not while no call could be served, and again as soon as one could.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freePort, startChild } from '../../lab/child.ts'
import { startRedis } from '../redis.ts'
import { requireService } from '../services.ts'

const ROOT = join(import.meta.dirname, '../..')
const SOON = { timeout: 20_000, interval: 200 }

async function start(yaml: string) {
  const folder = mkdtempSync(join(tmpdir(), 'midwatch-ready-'))
  const file = join(folder, 'midwatch.yaml')
  writeFileSync(
    file,
    `${yaml}
data: ${folder}/data
auth: { mode: off }
providers: { main: { kind: openai, baseUrl: "http://127.0.0.1:1/v1" } }
models: { fast: { targets: [{ provider: main, model: a }], retries: { max: 0 } } }
`,
  )
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = await startChild({
    name: 'Midwatch',
    command: process.execPath,
    args: [join(ROOT, 'src/main.ts'), 'start', '--config', file, '--port', String(port), '--roles', 'gateway'],
    cwd: ROOT,
    logFile: join(folder, 'log'),
  })
  onTestFinished(async () => {
    await child.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  await child.waitUntil(async () => (await fetch(`${url}/health`)).ok, 60_000)
  return {
    folder,
    ready: async () => {
      const response = await fetch(`${url}/ready`)
      return { status: response.status, ...((await response.json()) as { reason?: string }) }
    },
    checks: async () => {
      const detail = (await (await fetch(`${url}/health/detail`)).json()) as {
        checks: { name: string; ok: boolean; reason?: string }[]
      }
      return Object.fromEntries(detail.checks.map(({ name, ok, reason }) => [name, ok ? 'ok' : reason]))
    },
    call: async () => {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'fast', messages: [{ role: 'user', content: 'Hi' }] }),
      })
      await response.text()
      return response.status
    },
  }
}

const redisServer = requireService('redis-server')

test.skipIf(!redisServer)(
  'without the Redis that the limits are kept in there is no traffic, until it is there',
  async () => {
    const port = await freePort()
    const { ready, checks, call } = await start(`redis: { url: "redis://127.0.0.1:${port}" }`)
    expect(await ready()).toMatchObject({ status: 503, reason: 'limits' })
    expect((await checks())['limits']).toMatch(/Redis/)
    expect(await call()).toBe(503)
    const redis = await startRedis(redisServer ?? '', port)
    onTestFinished(() => redis.stop())
    await expect.poll(ready, SOON).toMatchObject({ status: 200 })
  },
)

test('a process that goes on alone is ready without Redis, and says what it lacks', async () => {
  const { ready, checks } = await start(
    `redis: { url: "redis://127.0.0.1:${await freePort()}" }\nlimits: { onRedisLoss: local }`,
  )
  expect(await ready()).toMatchObject({ status: 200 })
  expect((await checks())['limits']).toMatch(/Redis/)
})

test('a provider in trouble, or a config file that is gone, keeps no traffic away, and is told', async () => {
  const { folder, ready, checks, call } = await start('')
  for (let i = 0; i < 4; i++) expect(await call()).toBe(502)
  expect(await checks()).toMatchObject({ ledger: 'ok', limits: 'ok', config: 'ok' })
  expect((await checks())['providers']).toMatch(/^main is (failing|open)$/)
  expect(await ready()).toMatchObject({ status: 200 })
  renameSync(join(folder, 'midwatch.yaml'), join(folder, 'away.yaml'))
  await expect.poll(async () => (await checks())['config'], SOON).toMatch(/cannot be read/)
  expect(await ready()).toMatchObject({ status: 200 })
})
