// Both sources look at the same targets at the same time: each must keep the contract, and they must agree.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { requireService } from '../../test/services.ts'
import { systemClock } from '../core/clock.ts'
import type { MetricQuery, MetricSource, Series, TimeRange } from '../core/telemetry.ts'
import { silentLog } from '../observe/log.ts'
import { metricSourceContract } from './metric-source-contract.ts'
import { openShop, SHOP, type Shop } from './metric-source-shop.ts'
import { createPrometheusSource } from './prometheus/prometheus.ts'
import { createScraper, type Scraper } from './scraper/scraper.ts'

const never = new AbortController().signal
const prometheus = requireService('prometheus')
const INTERVAL_MS = 500

let folder: string
let shop: Shop
let scraper: Scraper
let server: ChildProcess | undefined
let viaPrometheus: MetricSource
let range: TimeRange

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'midwatch-sources-'))
  shop = await openShop()
  await writeTargets()
  if (prometheus !== undefined) await startPrometheus(prometheus)
  scraper = createScraper({
    targetFiles: [join(folder, 'scraper.json')],
    targets: [],
    intervalSeconds: INTERVAL_MS / 1000,
    retentionSeconds: 600,
    dataDir: null,
    clock: systemClock,
    log: silentLog(),
  })
  scraper.start()
  const now = () => ({ fromMs: Date.now(), toMs: Date.now(), stepMs: 1000 })
  for (const source of [scraper, ...(prometheus === undefined ? [] : [viaPrometheus])]) {
    await vi.waitFor(
      async () => {
        const up = await source.query({ metric: 'up', as: 'value' }, now(), never)
        expect(up.reduce((sum, { points }) => sum + (points.at(-1)?.[1] ?? 0), 0)).toBe(4)
      },
      { timeout: 30_000, interval: 100 },
    )
  }
  shop.begin()
  const fromMs = Date.now()
  await systemClock.sleep(SHOP.endAt * 1000)
  range = { fromMs, toMs: fromMs + SHOP.endAt * 1000 - INTERVAL_MS, stepMs: INTERVAL_MS }
}, 60_000)

afterAll(async () => {
  await scraper?.stop()
  if (server && server.exitCode === null) {
    const ended = new Promise((resolve) => server?.once('exit', resolve))
    server.kill('SIGKILL')
    await ended
  }
  await shop?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function writeTargets(): Promise<void> {
  const groups = (byJob: boolean, label: 'service' | 'job') =>
    shop.targets
      .filter((target) => target.byJob === byJob)
      .map(({ service, address }) => ({ targets: [address], labels: { [label]: service } }))
  await writeFile(join(folder, 'shop.json'), JSON.stringify(groups(false, 'service')))
  await writeFile(join(folder, 'scraper.json'), JSON.stringify([...groups(false, 'service'), ...groups(true, 'job')]))
}

async function startPrometheus(program: string): Promise<void> {
  const legacy = shop.targets.filter(({ byJob }) => byJob).map(({ address }) => address)
  const config = {
    global: { scrape_interval: `${INTERVAL_MS}ms`, scrape_timeout: `${INTERVAL_MS}ms` },
    scrape_configs: [
      { job_name: 'shop', file_sd_configs: [{ files: [join(folder, 'shop.json')] }] },
      { job_name: 'legacy', static_configs: [{ targets: legacy }] },
    ],
  }
  // JSON is YAML.
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config))
  const port = await freePort()
  server = spawn(
    program,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'tsdb')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const url = `http://127.0.0.1:${port}`
  await vi.waitFor(async () => expect((await fetch(`${url}/-/ready`)).status).toBe(200), {
    timeout: 20_000,
    interval: 50,
  })
  viaPrometheus = createPrometheusSource({ url, serviceLabel: 'service', clock: systemClock })
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

metricSourceContract('the embedded scraper', () => ({ source: scraper, range }))

describe.skipIf(prometheus === undefined)('with a real Prometheus', () => {
  metricSourceContract('Prometheus', () => ({ source: viaPrometheus, range }))

  const DURATION = 'http_request_duration_seconds'
  const QUERIES: readonly MetricQuery[] = [
    { metric: 'up', as: 'value' },
    { metric: 'db_pool_connections', as: 'value', by: ['state'] },
    { metric: 'http_requests_total', as: 'rate' },
    { metric: 'http_requests_total', as: 'rate', by: ['method', 'instance'] },
    { metric: DURATION, as: 'mean' },
    { metric: DURATION, as: 'quantile', q: 0.95 },
    { metric: DURATION, as: 'quantile', q: 0.3, by: ['route'] },
  ]

  test.each(QUERIES)('both give the same answer: $as of $metric', async (query) => {
    const [ours, theirs] = await Promise.all([scraper, viaPrometheus].map((each) => each.query(query, range, never)))
    const keys = (all: readonly Series[] | undefined) => all?.map(({ service, labels }) => ({ service, labels }))
    expect(keys(ours)).toEqual(keys(theirs))
    for (const [i, series] of (ours ?? []).entries()) {
      const other = new Map(theirs?.[i]?.points)
      const both = series.points.filter(([at]) => other.has(at))
      // Where a series begins or ends, the one that scraped first knows first.
      expect(both.length).toBeGreaterThanOrEqual(Math.max(series.points.length, other.size) - 4)
      const pairs = both
        .filter(([at]) => isSteady(at, series.points.at(-1)?.[0] ?? 0))
        .map(([at, value]) => [value, other.get(at) ?? Number.NaN] as const)
      expect(pairs.length).toBeGreaterThan(4)
      // On a busy machine a scrape comes late, which bends single points and evens out over all of them.
      const apart = pairs.map(([a, b]) => Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b), 1e-9))
      expect(apart.sort((a, b) => a - b)[Math.floor(apart.length / 2)]).toBeLessThan(0.05)
      const [sum = 0, otherSum = 0] = [0, 1].map((side) => pairs.reduce((all, pair) => all + (pair[side] ?? 0), 0))
      expect(Math.abs(sum - otherSum)).toBeLessThanOrEqual(0.05 * Math.max(sum, otherSum))
    }
  })

  /**
   * Not within a window of a series' begin, restart or end: there Prometheus divides what it counted by the whole
   * window, and the scraper by the time it was counted in.
   */
  function isSteady(at: number, endMs: number): boolean {
    const second = (at - range.fromMs) / 1000
    const window = (5 * INTERVAL_MS) / 1000
    const restarting = second >= SHOP.restartAt && second <= SHOP.restartAt + window
    return second >= window && !restarting && at <= endMs - window * 1000
  }

  test('both print the same PromQL where services are named by their label', async () => {
    const query: MetricQuery = { metric: DURATION, as: 'mean', by: ['route'], where: { service: 'cart' } }
    const [ours, theirs] = await Promise.all([scraper, viaPrometheus].map((each) => each.query(query, range, never)))
    expect(ours?.[0]?.query).toBe(theirs?.[0]?.query)
    expect(scraper.promql(query)).toBe(viaPrometheus.promql(query))
  })
})
