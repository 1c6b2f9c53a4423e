// The embedded scraper: a MetricSource that looks at the targets itself and keeps what it saw, so that a small system
// needs no Prometheus. When and how it looks is the sampler's matter. Timestamps that targets give are only used to leave
// out samples that are old: every sample counts as seen when it was scraped.
import { join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import type { SourceLog } from '../log.ts'
import type { Sample } from '../sampling/sample.ts'
import { createSampler, type Place, type Sampler } from '../sampling/sampler.ts'
import { Discovery } from './discovery.ts'
import { scrape, type ScrapeLimits } from './scrape.ts'
import type { StaticTarget, Target } from './target.ts'

export interface ScraperOptions {
  /** Prometheus `file_sd` JSON files. */
  readonly targetFiles: readonly string[]
  readonly targets: readonly StaticTarget[]
  readonly intervalSeconds: number
  readonly retentionSeconds: number
  /** Recent samples are kept in `scrape/` under it; null keeps them in memory alone. */
  readonly dataDir: string | null
  readonly clock: Clock
  readonly log: SourceLog
  /** New series are refused beyond it. */
  readonly maxSeries?: number
  readonly maxBodyBytes?: number
  readonly maxParallel?: number
}

export type Scraper = Sampler

/** Prometheus too takes a sample as current for five minutes. */
const OLD_SAMPLE_MS = 5 * 60_000

export function createScraper(options: ScraperOptions): Scraper {
  const { clock, log, maxSeries, maxParallel } = options
  const intervalMs = options.intervalSeconds * 1000
  const limits = { timeoutMs: Math.min(10_000, intervalMs * 0.8), maxBytes: options.maxBodyBytes ?? 16 * 1024 * 1024 }
  const discovery = new Discovery(options)
  return createSampler({
    name: 'scrape',
    places: async () =>
      new Map([...(await discovery.targets())].map(([key, target]) => [key, placeOf(target, limits)])),
    intervalMs,
    retentionMs: options.retentionSeconds * 1000,
    folder: options.dataDir === null ? null : join(options.dataDir, 'scrape'),
    clock,
    log,
    words: { failed: 'target cannot be scraped', again: 'target answers again' },
    maxSeries,
    maxParallel,
  })
}

const placeOf = (target: Target, limits: ScrapeLimits): Place => ({
  key: target.key,
  labels: target.labels,
  detail: { url: target.url, service: target.labels['service'] },
  async look(atMs, signal) {
    const result = await scrape(target.url, limits, signal)
    const up: Sample = { name: 'up', labels: [], value: result.ok ? 1 : 0 }
    if (!result.ok) return { problem: result.reason, samples: [up], families: [] }
    const { samples, families } = result.exposition
    return { problem: '', samples: [up, ...samples.filter((sample) => isRecent(sample, atMs))], families }
  },
})

const isRecent = (sample: Sample, atMs: number): boolean =>
  sample.timestampMs === undefined || sample.timestampMs > atMs - OLD_SAMPLE_MS
