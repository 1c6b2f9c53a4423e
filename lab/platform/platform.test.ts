// The platform with real processes, without load: what is asked of it is really carried out, once, and reported.
import { createServer, type Server } from 'node:http'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { changesBody } from '../../src/incidents/changes.ts'
import { silentLog } from '../../src/observe/log.ts'
import { scrape } from './look.ts'
import { listen } from '../shop/http-service.ts'
import { type Platform, SERVICES } from './platform.ts'
import { createRandom } from './random.ts'
import { newRelease } from './release-notes.ts'
import { startPlatform } from './start.ts'

describe('the platform', { timeout: 30_000 }, () => {
  const workDir = mkdtempSync(join(tmpdir(), 'midwatch-platform-'))
  const random = createRandom(11)
  const received: unknown[] = []
  let refusing = true
  let midwatch: Server
  let platform: Platform

  beforeAll(async () => {
    midwatch = createServer((request, response) => {
      void (async () => {
        let text = ''
        for await (const chunk of request) text += String(chunk)
        const known = request.headers.authorization === 'Bearer mw-key' && request.url === '/v1/changes'
        if (!refusing && known) received.push(JSON.parse(text))
        response.writeHead(refusing ? 503 : known ? 202 : 404).end('{}')
      })()
    })
    const port = await listen(midwatch, 0)
    platform = await startPlatform({
      workDir,
      midwatchUrl: `http://127.0.0.1:${port}`,
      midwatchKey: 'mw-key',
      seed: 5,
      load: 0,
      log: silentLog(),
    })
  }, 30_000)

  afterAll(async () => {
    await platform.stop()
    midwatch.close()
    rmSync(workDir, { recursive: true, force: true })
  })

  const post = async (path: string, key: string | undefined, body: unknown = {}) => {
    const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) }
    const response = await fetch(platform.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, body: z.record(z.string(), z.unknown()).parse(await response.json()) }
  }
  const shop = async (method: 'GET' | 'POST', path: string, body?: unknown) => {
    const response = await fetch(platform.shopUrl + path, {
      method,
      headers: { 'content-type': 'application/json', 'x-request-id': 'req-test' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: await response.json() }
  }
  const pidOf = (service: (typeof SERVICES)[number]) => platform.instances(service)[0]?.pid

  test('an order goes through every service and is shipped', async () => {
    expect(await shop('GET', '/?cart=c1')).toMatchObject({ status: 200 })
    expect(await shop('GET', '/products/3')).toMatchObject({ status: 200, body: { product: { id: 3 } } })
    expect(await shop('POST', '/carts/c1/items', { product: 3, quantity: 2 })).toMatchObject({ status: 200 })
    expect(await shop('POST', '/checkout', { cart: 'c1', customer: 4 })).toMatchObject({
      status: 200,
      body: { order: { cents: (150 + 37 * 3) * 2, ordersBefore: 0 } },
    })
    expect(await shop('POST', '/checkout', { cart: 'c1', customer: 4 })).toMatchObject({ status: 409 })
    await expect.poll(async () => doneJobs(await scrape(platform)), { timeout: 5000 }).toBe(1)
    await expect.poll(() => readFileSync(join(platform.logsDir, 'checkout.log'), 'utf8')).toContain('req-test')
  })

  test('every service shows the metrics of its own process', async () => {
    const samples = await scrape(platform)
    for (const service of SERVICES) {
      const own = (name: string) => samples.find((one) => one.service === service && one.name === name)?.value
      expect(own('up'), service).toBe(1)
      expect(own('process_resident_memory_bytes'), service).toBeGreaterThan(10e6)
      expect(own('process_cpu_seconds_total'), service).toBeGreaterThan(0)
      expect(own('nodejs_eventloop_lag_seconds'), service).toBeGreaterThanOrEqual(0)
    }
    expect(samples.some(({ service, name }) => service === 'cart' && name === 'db_pool_max')).toBe(true)
    expect(samples.some(({ service, name }) => service === 'orders-queue' && name === 'disk_free_bytes')).toBe(true)
  })

  test('a deploy is a new process, found by the others and by the scraper', async () => {
    const before = { pid: pidOf('catalogue'), targets: readFileSync(platform.targetFile, 'utf8') }
    const release = newRelease(random, { failShare: 1, failRoute: '/search', failMessage: 'no such field' })
    await platform.deploy('catalogue', release)
    expect(platform.revision('catalogue').release.hash).toBe(release.hash)
    expect(pidOf('catalogue')).not.toBe(before.pid)
    expect(readFileSync(platform.targetFile, 'utf8')).not.toBe(before.targets)
    expect(await shop('GET', '/search?q=tea')).toMatchObject({ status: 502 })
  })

  test('the same key is carried out once and answers the same, also side by side', async () => {
    const changeId = platform.changes().at(-1)?.id
    const ask = () => post('/v1/services/catalogue/rollback', 'run-1', { change: changeId })
    const [first, second] = await Promise.all([ask(), ask()])
    const pid = pidOf('catalogue')
    const third = await ask()
    expect(first).toMatchObject({ status: 200, body: { key: 'run-1', state: 'done', carriedOut: 1 } })
    expect([second.body.detail, third.body.detail]).toEqual([first.body.detail, first.body.detail])
    expect(pidOf('catalogue')).toBe(pid)
    expect(platform.operations()).toMatchObject([{ key: 'run-1', carriedOut: 1, asked: 3 }])
    expect(await shop('GET', '/search?q=tea')).toMatchObject({ status: 200 })
    expect(platform.changes().at(-1)).toMatchObject({ kind: 'deploy', service: 'catalogue', author: 'midwatch' })
  })

  test('whether a key arrived can be asked', async () => {
    const asked = await fetch(`${platform.url}/v1/operations/run-1`)
    expect([asked.status, await asked.json()]).toMatchObject([200, { state: 'done', action: 'rollback' }])
    expect((await fetch(`${platform.url}/v1/operations/run-2`)).status).toBe(404)
  })

  test('what cannot be done is refused with a reason and changes nothing', async () => {
    const pid = pidOf('cart')
    expect(await post('/v1/services/cart/restart', undefined)).toMatchObject({ status: 400 })
    expect(await post('/v1/services/nobody/restart', 'x-1')).toMatchObject({ status: 404 })
    expect(await post('/v1/services/cart/explode', 'x-2')).toMatchObject({ status: 404 })
    expect(await post('/v1/flags/report-jobs', 'x-3', { to: 'maybe' })).toMatchObject({ status: 400 })
    expect(await post('/v1/services/cart/restart', 'run-1')).toMatchObject({ status: 409 })
    const failed = await post('/v1/services/shop-db/scale', 'x-4', { to: 2 })
    expect(failed).toMatchObject({ status: 500, body: { state: 'failed', carriedOut: 0 } })
    expect(await post('/v1/services/cart/rollback', 'x-5')).toMatchObject({ status: 500, body: { state: 'failed' } })
    expect(pidOf('cart')).toBe(pid)
  })

  test('scaling adds processes that share the work, and takes them away again', async () => {
    expect(await post('/v1/services/recommendations/scale', 'scale-1', { by: '2' })).toMatchObject({ status: 200 })
    expect(platform.instances('recommendations').map(({ state }) => state)).toEqual(['ready', 'ready', 'ready'])
    for (let i = 1; i <= 6; i++) await shop('GET', `/products/${i}`)
    const served = (await scrape(platform)).filter(
      ({ service, name, labels }) =>
        service === 'recommendations' && name === 'http_requests_total' && labels.route === '/related/:id',
    )
    expect(served.map(({ value }) => value).length).toBe(3)
    await platform.scale('recommendations', 1)
    expect(platform.instances('recommendations')).toHaveLength(1)
    expect(await shop('GET', '/products/3')).toMatchObject({ status: 200 })
  })

  test('a flag reaches the running process', async () => {
    const pid = pidOf('assistant')
    expect(await post('/v1/flags/assistant-model-off', 'flag-1', { to: 'on' })).toMatchObject({ status: 200 })
    expect(await shop('POST', '/assist', { question: 'delivery?' })).toMatchObject({
      status: 200,
      body: { answer: { from: 'common questions' } },
    })
    expect(pidOf('assistant')).toBe(pid)
  })

  test('a process that dies is started again on its port', async () => {
    const [before] = platform.instances('payment')
    process.kill(before?.pid ?? -1, 'SIGKILL')
    await expect
      .poll(() => platform.instances('payment')[0], { timeout: 8000 })
      .toMatchObject({ state: 'ready', crashes: 1 })
    expect(platform.instances('payment')[0]?.port).toBe(before?.port)
  })

  test('changes wait while Midwatch is down and arrive in order', async () => {
    expect(received).toEqual([])
    const made = platform.changes()
    expect(platform.unreportedChanges()).toBe(made.length)
    refusing = false
    await expect.poll(() => platform.unreportedChanges(), { timeout: 10_000 }).toBe(0)
    expect(received).toEqual(made)
    for (const change of received) expect(changesBody.safeParse(change).success).toBe(true)
  })

  test('a harmless deploy is told like any other and hurts nobody', async () => {
    const { changeId, service } = await platform.harmlessDeploy(random)
    expect(platform.changes().at(-1)).toMatchObject({ id: changeId, service })
    expect(await shop('GET', '/products/5')).toMatchObject({ status: 200 })
  })
})

test('the processes end when their platform is killed', async () => {
  const workDir = mkdtempSync(join(tmpdir(), 'midwatch-orphans-'))
  const parent = fork(new URL('./main.ts', import.meta.url), ['--dir', workDir, '--load', '0'], {
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
    execArgv: [],
  })
  await once(parent.stdout ?? parent, 'data')
  const targets = z.array(z.object({ targets: z.array(z.string()) }))
  const ports = targets
    .parse(JSON.parse(readFileSync(join(workDir, 'targets.json'), 'utf8')))
    .flatMap((group) => group.targets)
  expect(ports.length).toBe(SERVICES.length)
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  const answers = () =>
    Promise.all(
      ports.map((target) =>
        fetch(`http://${target}/metrics`).then(
          () => true,
          () => false,
        ),
      ),
    )
  await expect.poll(async () => (await answers()).includes(true), { timeout: 8000 }).toBe(false)
  await wait(100)
  rmSync(workDir, { recursive: true, force: true })
}, 30_000)

const doneJobs = (samples: Awaited<ReturnType<typeof scrape>>): number | undefined =>
  samples.find(
    ({ name, service, labels }) => service === 'fulfilment' && name === 'queue_jobs_total' && labels.result === 'done',
  )?.value
