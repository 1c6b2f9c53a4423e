// A running Midwatch whose config file is changed: calls under way end as they began, new ones see the new config, and a
// file that is wrong, or half written, changes nothing.
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Child, freePort, startChild } from '../../lab/child.ts'
import { answers, chunk, DONE, startUpstream, stream, type Upstream } from '../../src/gateway/testing/upstream.ts'

const ROOT = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'midwatch-reload-'))
const file = join(folder, 'midwatch.yaml')
const logFile = join(folder, 'log')
let old: Upstream
let fresh: Upstream
let midwatch: Child
let url = ''

const yaml = (provider: 'old' | 'fresh', more = '') => `
data: ${folder}/data
auth: { mode: off }
providers:
  old: { kind: openai, baseUrl: "${old.baseUrl}" }
  fresh: { kind: openai, baseUrl: "${fresh.baseUrl}" }
models:
  fast: { targets: [{ provider: ${provider}, model: real }] }
${more}`

beforeAll(async () => {
  old = await startUpstream()
  fresh = await startUpstream(answers('from the fresh one'))
  writeFileSync(file, yaml('old'))
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  midwatch = await startChild({
    name: 'Midwatch',
    command: process.execPath,
    args: [join(ROOT, 'src/main.ts'), 'start', '--config', file, '--port', String(port), '--roles', 'gateway'],
    cwd: ROOT,
    logFile,
  })
  await midwatch.waitUntil(async () => (await fetch(`${url}/ready`)).ok, 60_000)
})

afterAll(async () => {
  await midwatch.stop()
  await old.stop()
  await fresh.stop()
  rmSync(folder, { recursive: true, force: true })
})

const ask = (body: object = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'fast', messages: [{ role: 'user', content: 'Hi' }], ...body }),
  })
const askedOf = async () => {
  const response = await ask()
  await response.text()
  return response.headers.get('x-midwatch-provider')
}
const metric = async (name: string) =>
  Number(
    (await (await fetch(`${url}/metrics`)).text())
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1],
  )
const taken = () => metric('midwatch_config_reloads_total{result="taken"}')
const refused = () => metric('midwatch_config_reloads_total{result="refused"}')
const state = async () => ((await (await fetch(`${url}/health/detail`)).json()) as { config: unknown }).config
const SOON = { timeout: 15_000, interval: 100 }

test('streams under way end where they began, while new calls go to the new target', async () => {
  const go = Promise.withResolvers<void>()
  old.behave(async ({ response }) => {
    await stream(response, [chunk({ role: 'assistant', content: 'from ' })])
    await go.promise
    await stream(response, [chunk({ content: 'the old one' }), chunk({}, { finish_reason: 'stop' }), DONE])
    response.end()
  })
  const under = await Promise.all(Array.from({ length: 20 }, () => ask({ stream: true })))
  // As editors do it: another file takes its place. The old provider is gone from the config altogether.
  writeFileSync(`${file}.new`, yaml('fresh').replace(/ {2}old: .*\n/, ''))
  renameSync(`${file}.new`, file)
  await expect.poll(taken, SOON).toBe(1)
  expect(await askedOf()).toBe('fresh')
  go.resolve()
  for (const response of under) {
    const text = await response.text()
    expect(text).toContain('the old one')
    expect(text.endsWith(DONE)).toBe(true)
  }
  expect(await metric('midwatch_config_last_reload_successful')).toBe(1)
  expect(await state()).toMatchObject({ file, refused: null, needRestart: [] })
})

test('a wrong file changes nothing, is told with all that is wrong, and is forgiven once it is right', async () => {
  const since = await metric('midwatch_config_last_reload_success_timestamp_seconds')
  writeFileSync(file, yaml('old', 'limits: { requestsPerMinut: 1 }\nserver: { port: nine }\n'))
  await expect.poll(refused, SOON).toBe(1)
  expect(await askedOf()).toBe('fresh')
  expect(await metric('midwatch_config_last_reload_successful')).toBe(0)
  expect(await metric('midwatch_config_last_reload_success_timestamp_seconds')).toBe(since)
  const problems = [expect.stringContaining('server.port'), expect.stringContaining('did you mean requestsPerMinute?')]
  expect(await state()).toMatchObject({ refused: { problems } })
  expect(readFileSync(logFile, 'utf8')).toContain('did you mean requestsPerMinute?')
  writeFileSync(file, yaml('fresh'))
  await expect.poll(taken, SOON).toBe(2)
  expect(await metric('midwatch_config_last_reload_successful')).toBe(1)
  expect(await state()).toMatchObject({ refused: null })
})

test('a file that is written in parts is never taken by half', async () => {
  const before = [await taken(), await refused()]
  const whole = yaml('old', 'limits: { requestsPerMinute: 100000 }\n')
  // Up to here it would be right by itself, without a limit; and a little before that it is no YAML.
  const parts = [whole.slice(0, whole.indexOf('model: real') + 3), whole.slice(0, whole.indexOf('limits')), whole]
  for (const part of parts) {
    writeFileSync(file, part)
    await wait(400)
    expect([await taken(), await refused()]).toEqual(before)
  }
  await expect.poll(taken, SOON).toBe((before[0] ?? 0) + 1)
  expect(await refused()).toBe(before[1])
  const response = await ask()
  await response.text()
  expect(response.headers.get('x-ratelimit-limit-requests')).toBe('100000')
})

test('what needs a restart keeps its value, and is named', async () => {
  writeFileSync(file, yaml('old', 'tracing: { otlpUrl: "http://127.0.0.1:1/v1/traces" }\n'))
  await expect.poll(state, SOON).toMatchObject({ needRestart: ['tracing.otlpUrl'] })
  expect(readFileSync(logFile, 'utf8')).toContain('need a restart')
})

test('SIGHUP reads the file at once', async () => {
  const before = await taken()
  process.kill(midwatch.pid, 'SIGHUP')
  await expect.poll(taken, SOON).toBe(before + 1)
  expect(midwatch.running()).toBe(true)
})
