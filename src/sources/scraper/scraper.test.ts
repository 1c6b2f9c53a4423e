import { mkdtemp, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { MetricQuery } from '../../core/telemetry.ts'
import type { SourceLog } from '../log.ts'
import { createScraper, type Scraper, type ScraperOptions } from './scraper.ts'

const never = new AbortController().signal
let folder: string
let told: string[]
const opened: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'midwatch-scraper-'))
  told = []
})
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
  await rm(folder, { recursive: true, force: true })
})

const log: SourceLog = {
  info: (_detail, message) => void told.push(message),
  warn: (_detail, message) => void told.push(message),
}

async function target(answer: RequestListener): Promise<string> {
  const server: Server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function started(options: Partial<ScraperOptions>): Scraper {
  const scraper = createScraper({
    targetFiles: [],
    targets: [],
    intervalSeconds: 0.05,
    retentionSeconds: 600,
    dataDir: null,
    clock: systemClock,
    log,
    ...options,
  })
  scraper.start()
  opened.push(() => scraper.stop())
  return scraper
}

/** The last value of every series of a query in the last ten seconds, by service. */
async function latest(scraper: Scraper, query: MetricQuery | string): Promise<Record<string, number | undefined>> {
  const now = Date.now()
  const asked: MetricQuery = typeof query === 'string' ? { metric: query, as: 'value' } : query
  const found = await scraper.query(asked, { fromMs: now - 10_000, toMs: now, stepMs: 10 }, never)
  return Object.fromEntries(found.map(({ service, points }) => [service, points.at(-1)?.[1]]))
}

const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 8000, interval: 20 })

describe('a scrape that fails', () => {
  const failing: [string, RequestListener][] = [
    ['an error', (_request, response) => response.writeHead(500).end('a 1\n')],
    ['garbage', (_request, response) => response.end('<html>no metrics here</html>')],
    ['half a line', (_request, response) => response.end('a 1\nb{c="')],
    ['more than the bound', (_request, response) => response.end(`a 1\n#${'x'.repeat(2_000_000)}\n`)],
    ['nothing, for ever', () => undefined],
    ['a drop, for ever', (_request, response) => void response.write('a 1\n')],
    ['a broken connection', (_request, response) => void response.destroy()],
  ]
  test.each(failing)(
    'when the target answers %s, up is 0, nothing else is kept, and it is told once',
    async (_kind, answer) => {
      const scraper = started({ targets: [{ service: 'cart', url: await target(answer) }], maxBodyBytes: 1_000_000 })
      await eventually(async () => expect(await latest(scraper, 'up')).toEqual({ cart: 0 }))
      await systemClock.sleep(200)
      expect(await latest(scraper, 'a')).toEqual({})
      expect(told).toEqual(['target cannot be scraped'])
    },
  )

  test('does not hold up the targets that answer', async () => {
    const stuck = await target(() => undefined)
    const fine = await target((_request, response) => response.end('a 1\n'))
    const targets = [
      ...Array.from({ length: 5 }, () => ({ service: 'stuck', url: stuck })),
      { service: 'fine', url: fine },
    ]
    const scraper = started({ targets, intervalSeconds: 0.2 })
    await eventually(async () => expect(await latest(scraper, 'up')).toMatchObject({ fine: 1, stuck: 0 }))
  })
})

describe('targets', () => {
  test('a target file is read again when it changes, and what left it ends', async () => {
    const url = await target((_request, response) => response.end('a 1\n'))
    const file = join(folder, 'targets.json')
    const write = async (services: readonly string[]) => {
      const groups = services.map((service) => ({ targets: [new URL(url).host], labels: { service } }))
      await writeFile(`${file}.new`, JSON.stringify(groups))
      await rename(`${file}.new`, file)
    }
    const scraper = started({ targetFiles: [file] })
    await eventually(async () => expect(told).toEqual(['target file not usable']))
    await write(['cart'])
    await eventually(async () => expect(await latest(scraper, 'a')).toEqual({ cart: 1 }))
    await write(['pay'])
    await eventually(async () => expect(await latest(scraper, 'a')).toHaveProperty('pay'))
    const goneMs = Date.now()
    await systemClock.sleep(300)
    const range = { fromMs: goneMs + 150, toMs: Date.now(), stepMs: 10 }
    const up = await scraper.query({ metric: 'up', as: 'value' }, range, never)
    expect(up.map(({ service }) => service)).toEqual(['pay'])
    await writeFile(file, '[{"targets":')
    await systemClock.sleep(200)
    expect(await latest(scraper, 'up')).toHaveProperty('pay', 1)
    expect(told).toEqual(['target file not usable', 'target file not usable'])
  })

  test('a password in the address of a target is used and never shown', async () => {
    const url = await target((request, response) => {
      response.writeHead(request.headers.authorization === 'Basic bWU6c2VjcmV0' ? 200 : 401).end('a 1\n')
    })
    const scraper = started({ targets: [{ service: 'cart', url: url.replace('//', '//me:secret@') }] })
    await eventually(async () => expect(await latest(scraper, 'a')).toEqual({ cart: 1 }))
    const now = Date.now()
    const found = await scraper.query(
      { metric: 'a', as: 'value', by: ['instance'] },
      { fromMs: now - 5000, toMs: now, stepMs: 10 },
      never,
    )
    expect(JSON.stringify(found)).not.toContain('secret')
  })
})

describe('what is kept', () => {
  test('a bound on series holds, and is told once', async () => {
    const url = await target((_request, response) =>
      response.end(Array.from({ length: 100 }, (_, i) => `a{i="${i}"} 1\n`).join('')),
    )
    const scraper = started({ targets: [{ service: 'cart', url }], maxSeries: 11 })
    await eventually(async () => expect(await latest(scraper, 'a')).toEqual({ cart: 10 }))
    await systemClock.sleep(200)
    expect(told).toEqual(['no room for more series: new ones are left out'])
  })

  test('a sample that the target itself dates long ago is not current', async () => {
    const url = await target((_request, response) =>
      response.end(`old 1 ${Date.now() - 3_600_000}\nnew 1 ${Date.now()}\n`),
    )
    const scraper = started({ targets: [{ service: 'cart', url }] })
    await eventually(async () => expect(await latest(scraper, 'new')).toEqual({ cart: 1 }))
    expect(await latest(scraper, 'old')).toEqual({})
  })

  test('a restart remembers what was seen before it, also with a torn file and one of garbage', async () => {
    let count = 0
    const url = await target((_request, response) =>
      response.end(`# TYPE a_total counter\n# HELP a_total All.\na_total ${(count += 5)}\n`),
    )
    const fromMs = Date.now()
    const first = started({ targets: [{ service: 'cart', url }], dataDir: folder })
    await eventually(async () =>
      expect(Object.keys(await latest(first, { metric: 'a_total', as: 'rate' }))).toEqual(['cart']),
    )
    await systemClock.sleep(500)
    await first.stop()
    const range = { fromMs, toMs: Date.now(), stepMs: 50 }
    const before = await first.query({ metric: 'a_total', as: 'value' }, range, never)

    const [file = ''] = await readdir(join(folder, 'scrape'))
    const path = join(folder, 'scrape', file)
    await truncate(path, (await import('node:fs')).statSync(path).size - 3)
    await writeFile(join(folder, 'scrape', 'scrape-1.jsonl'), 'long ago')
    await writeFile(join(folder, 'scrape', `scrape-${fromMs - 1000}.jsonl`), '\u0000{"\n[1,2\n["row",0]\n')
    const second = started({ dataDir: folder })
    const after = await second.query({ metric: 'a_total', as: 'value' }, range, never)
    expect(after[0]?.points.length).toBeGreaterThan(5)
    expect(before[0]?.points.slice(0, -4)).toEqual(after[0]?.points.slice(0, (before[0]?.points.length ?? 0) - 4))
    expect(await second.catalogue(range, never)).toContainEqual({ name: 'a_total', type: 'counter', help: 'All.' })
    expect(await readdir(join(folder, 'scrape'))).not.toContain('scrape-1.jsonl')
  })

  test('a folder that cannot be written is told once, and scraping goes on', async () => {
    await writeFile(join(folder, 'scrape'), 'a file where the folder should be')
    const url = await target((_request, response) => response.end('a 1\n'))
    const scraper = started({ targets: [{ service: 'cart', url }], dataDir: folder })
    await systemClock.sleep(300)
    expect(await latest(scraper, 'a')).toEqual({ cart: 1 })
    expect(told).toEqual(['earlier samples cannot be read', 'recent samples cannot be kept on disk'])
  })

  test('what is older than retention is gone from memory and disk', async () => {
    const url = await target((_request, response) => response.end('a 1\n'))
    let aheadMs = 0
    const clock: Clock = { now: () => Date.now() + aheadMs, sleep: (ms, signal) => systemClock.sleep(ms, signal) }
    const fromMs = Date.now()
    const scraper = started({ targets: [{ service: 'cart', url }], dataDir: folder, retentionSeconds: 60, clock })
    await eventually(async () => expect(await latest(scraper, 'a')).toEqual({ cart: 1 }))
    aheadMs = 3_600_000
    // A full chunk expires as one.
    const range = { fromMs, toMs: fromMs + 60_000, stepMs: 50 }
    await eventually(async () => expect(await readdir(join(folder, 'scrape'))).toHaveLength(1))
    await vi.waitFor(async () => expect(await scraper.query({ metric: 'a', as: 'value' }, range, never)).toEqual([]), {
      timeout: 15_000,
      interval: 100,
    })
  })
})
