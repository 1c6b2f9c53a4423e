import { Gauge } from 'prom-client'
import { expect, it, onTestFinished } from 'vitest'
import { createMetrics } from '../../observe/metrics.ts'
import { type HealthCheck, operationsRoutes } from './operations.ts'
import { startTestServer } from './testing.ts'

const good: HealthCheck = { name: 'database', required: true, check: async () => ({ ok: true }) }
const broken: HealthCheck = { name: 'disk', required: true, check: () => Promise.reject(new Error('no space left')) }

async function serve(checks: readonly HealthCheck[], stopping = false) {
  const metrics = createMetrics({ process: false })
  new Gauge({ name: 'lamp', help: 'a lamp', registers: [metrics] }).set(3)
  const routes = operationsRoutes({
    checks,
    metrics,
    version: '1.2.3',
    startedAt: Date.now(),
    stopping: () => stopping,
  })
  const server = await startTestServer(routes)
  onTestFinished(() => server.stop())
  return { get: (path: string) => fetch(server.url + path, { headers: { authorization: 'Bearer default' } }) }
}

it('is alive whatever is broken, and ready only while everything required works', async () => {
  const server = await serve([good, broken])
  expect((await server.get('/health')).status).toBe(200)
  const ready = await server.get('/ready')
  expect(ready.status).toBe(503)
  expect(ready.headers.get('retry-after')).toBe('5')
  expect(await ready.json()).toEqual({ ready: false, reason: 'disk' })
  expect((await (await serve([good, { ...broken, required: false }])).get('/ready')).status).toBe(200)
})

it('gets no more traffic once it was asked to stop', async () => {
  const server = await serve([good], true)
  expect((await server.get('/ready')).status).toBe(503)
  expect((await server.get('/health')).status).toBe(200)
})

it('says what exactly is wrong to those who may know', async () => {
  const server = await serve([good, broken])
  const detail = await server.get('/health/detail')
  expect(await detail.json()).toMatchObject({
    status: 'down',
    version: '1.2.3',
    checks: [
      { name: 'database', ok: true },
      { name: 'disk', ok: false, reason: 'no space left' },
    ],
  })
})

it('answers in time although a check hangs', { timeout: 10_000 }, async () => {
  const server = await serve([{ name: 'hung', required: true, check: () => new Promise(() => undefined) }])
  expect(await (await server.get('/ready')).json()).toEqual({ ready: false, reason: 'hung' })
})

it('gives its numbers in the format that Prometheus reads', async () => {
  const answer = await (await serve([])).get('/metrics')
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(await answer.text()).toContain('lamp 3')
})
