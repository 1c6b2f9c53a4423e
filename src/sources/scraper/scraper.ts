// The embedded scraper: a MetricSource that looks at the targets itself and keeps what it saw, so that a small system
// needs no Prometheus. One loop a target, on a grid of time that all share; a bounded number of scrapes at once. What
// it saw within retention survives a restart, see journal.ts. Timestamps that targets give are only used to leave out
// samples that are old: every sample counts as seen when it was scraped.
import { join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { MetricSource, TimeRange } from '../../core/telemetry.ts'
import type { SourceLog } from '../log.ts'
import { type DeclaredFamily, familiesOf, sampleNamesOf } from '../metric-families.ts'
import { checkQuery, printPromql } from '../promql.ts'
import { Discovery } from './discovery.ts'
import { evaluate } from './evaluate.ts'
import type { Family, Sample } from './exposition.ts'
import { Journal } from './journal.ts'
import type { JournalEntry, JournalRow } from './journal-format.ts'
import { scrape, type ScrapeResult } from './scrape.ts'
import { Slots } from './slots.ts'
import { SampleStore } from './store.ts'
import type { StaticTarget, Target } from './target.ts'
import { hasSample, stepCount } from './window.ts'

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

export interface Scraper extends MetricSource {
  start(): void
  /** Ends every loop and waits until what was seen is written. */
  stop(): Promise<void>
}

interface Loop {
  readonly target: Target
  readonly ending: AbortController
  readonly done: Promise<void>
}

/** Prometheus too takes a sample as current for five minutes. */
const OLD_SAMPLE_MS = 5 * 60_000
const MAX_STEPS = 100_000

export function createScraper(options: ScraperOptions): Scraper {
  const { clock, log } = options
  const intervalMs = options.intervalSeconds * 1000
  const retentionMs = options.retentionSeconds * 1000
  const limits = { timeoutMs: Math.min(10_000, intervalMs * 0.8), maxBytes: options.maxBodyBytes ?? 16 * 1024 * 1024 }
  const store = new SampleStore({ maxSeries: options.maxSeries ?? 50_000 })
  const families = new Map<string, DeclaredFamily>()
  const discovery = new Discovery(options)
  const slots = new Slots(options.maxParallel ?? 32)
  const journal =
    options.dataDir === null ? null : new Journal({ folder: join(options.dataDir, 'scrape'), retentionMs, log })
  const stopping = new AbortController()
  const loops = new Map<string, Loop>()
  const reasons = new Map<string, string>()
  let running: Promise<void> | undefined
  let loaded: Promise<void> = Promise.resolve()
  let refusing = false

  const declare = ({ name, type, help }: Family) => families.set(name, { type, help })

  const keep = (row: JournalRow, declared: readonly Family[]) => {
    for (const family of declared) declare(family)
    const { accepted, refused } = store.append(row.targetKey, row.targetLabels, row.atMs, row.samples)
    if (refused > 0 && !refusing) {
      refusing = true
      log.warn({ refused, series: store.seriesCount }, 'no room for more series: new ones are left out')
    }
    if (accepted) journal?.add(row, declared)
  }

  const restore = (nowMs: number) => (entry: JournalEntry) => {
    if (entry.kind === 'family') declare(entry.family)
    if (entry.kind !== 'row') return
    const { targetKey, targetLabels, atMs, samples } = entry.row
    if (atMs >= nowMs - retentionMs && atMs <= nowMs) store.append(targetKey, targetLabels, atMs, samples)
  }

  const look = async (target: Target, signal: AbortSignal) => {
    const atMs = clock.now()
    const result = await scrape(target.url, limits, signal)
    if (signal.aborted) return
    tell(target, result)
    const samples = result.ok ? result.exposition.samples.filter((sample) => isRecent(sample, atMs)) : []
    const up: Sample = { name: 'up', labels: [], value: result.ok ? 1 : 0 }
    const row = { targetKey: target.key, targetLabels: target.labels, atMs, samples: [up, ...samples] }
    keep(row, result.ok ? result.exposition.families : [])
  }

  const tell = (target: Target, result: ScrapeResult) => {
    const reason = result.ok ? '' : result.reason
    const before = reasons.get(target.key) ?? ''
    reasons.set(target.key, reason)
    if ((reason === '') === (before === '')) return
    const detail = { url: target.url, service: target.labels['service'] }
    if (reason === '') log.info(detail, 'target answers again')
    else log.warn({ ...detail, reason }, 'target cannot be scraped')
  }

  const watch = async (target: Target, signal: AbortSignal) => {
    while (!signal.aborted) {
      await slots.use(signal, () => look(target, signal))
      await sleepUntil(nextOnGrid(clock.now(), intervalMs), signal)
    }
  }

  const sleepUntil = async (ms: number, signal: AbortSignal) => {
    await clock.sleep(ms - clock.now(), signal).catch(() => undefined)
  }

  const run = async () => {
    await loaded
    while (!stopping.signal.aborted) {
      const targets = await discovery.targets()
      for (const [key, target] of targets) {
        if (loops.has(key) || stopping.signal.aborted) continue
        const ending = new AbortController()
        loops.set(key, { target, ending, done: watch(target, AbortSignal.any([ending.signal, stopping.signal])) })
      }
      for (const [key, loop] of loops) {
        if (targets.has(key)) continue
        loop.ending.abort()
        loops.delete(key)
        reasons.delete(key)
        await loop.done
        // An empty row: everything that this target had has ended.
        keep({ targetKey: key, targetLabels: loop.target.labels, atMs: clock.now(), samples: [] }, [])
      }
      store.expire(clock.now() - retentionMs)
      for (const name of families.keys()) if (!store.hasMetric(name)) families.delete(name)
      await sleepUntil(nextOnGrid(clock.now(), Math.min(intervalMs, 5000)), stopping.signal)
    }
    await Promise.all([...loops.values()].map(({ done }) => done))
  }

  const reach = (stepMs: number) => ({ lookbackMs: intervalMs * 2.5, windowMs: Math.max(4 * intervalMs, stepMs) })
  const promql = (query: Parameters<MetricSource['query']>[0], stepMs = 0) =>
    printPromql(query, reach(stepMs).windowMs, { kind: 'label', label: 'service' })

  return {
    name: 'scrape',
    start() {
      if (running) return
      loaded = journal?.load(restore(clock.now()), clock.now()) ?? loaded
      running = run()
    },
    async stop() {
      stopping.abort()
      await running
      await journal?.close()
    },
    async catalogue(range, signal) {
      await ready(signal)
      const names = new Set<string>()
      for (const name of store.sampleNames()) {
        for (const series of store.named(name)) {
          if (!hasSample(series, range.fromMs, range.toMs)) continue
          names.add(name)
          break
        }
      }
      return familiesOf(names, families)
    },
    async labelNames(metric, range, signal) {
      await ready(signal)
      const names = new Set<string>()
      for (const sample of sampleNamesOf(metric)) {
        for (const series of store.named(sample)) {
          if (hasSample(series, range.fromMs, range.toMs))
            for (const label of Object.keys(series.labels)) names.add(label)
        }
      }
      names.delete('le')
      return [...names].sort()
    },
    async query(query, range, signal) {
      checkQuery(query)
      checkRange(range)
      await ready(signal)
      return evaluate(store, query, range, reach(range.stepMs), promql(query, range.stepMs))
    },
    promql: (query) => promql(query),
  }

  /** Questions wait until the past is loaded. */
  async function ready(signal: AbortSignal): Promise<void> {
    await loaded
    signal.throwIfAborted()
  }
}

const isRecent = (sample: Sample, atMs: number): boolean =>
  sample.timestampMs === undefined || sample.timestampMs > atMs - OLD_SAMPLE_MS

const nextOnGrid = (nowMs: number, everyMs: number): number => (Math.floor(nowMs / everyMs) + 1) * everyMs

function checkRange(range: TimeRange): void {
  if (!(range.stepMs > 0)) throw new AppError('malformed', 'The step must be more than zero.', { field: 'stepMs' })
  if (stepCount(range) > MAX_STEPS) {
    throw new AppError('malformed', `The range has more than ${MAX_STEPS} steps. Take longer steps.`, {
      field: 'stepMs',
    })
  }
}
