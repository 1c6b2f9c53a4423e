// A MetricSource over what Midwatch saw itself: places that know only how they are now (scrape targets, a database's statistics,
// probes, a cluster) are looked at on a grid of time, and what was seen is kept. One loop a place, a bounded number of looks
// at once, and a bounded memory; what was seen within retention survives a restart, see journal.ts.
import type { Clock } from '../../core/clock.ts'
import { AppError, describeError } from '../../core/errors.ts'
import type { Labels, MetricSource, TimeRange } from '../../core/telemetry.ts'
import type { SourceLog } from '../log.ts'
import { type DeclaredFamily, familiesOf, sampleNamesOf } from '../metric-families.ts'
import { checkQuery, printPromql } from '../promql.ts'
import { evaluate } from './evaluate.ts'
import type { Family, Sample } from './sample.ts'
import { Journal } from './journal.ts'
import type { JournalEntry, JournalRow } from './journal-format.ts'
import { Slots } from './slots.ts'
import { SampleStore } from './store.ts'
import { hasSample, stepCount } from './window.ts'

/** What one look gave. A look that failed may have samples all the same: that it failed is a number too. */
export interface Seen {
  /** Empty when all is well, else why not. */
  readonly problem: string
  readonly samples: readonly Sample[]
  readonly families: readonly Family[]
}

/** A place that is looked at. */
export interface Place {
  /** The same for equal places. */
  readonly key: string
  /** Put on everything that is seen there. */
  readonly labels: Labels
  /** How the log names it. */
  readonly detail: Readonly<Record<string, unknown>>
  /** One look, at `atMs`. Whatever it throws counts as seen nothing. */
  look(atMs: number, signal: AbortSignal): Promise<Seen>
}

export interface SamplerOptions {
  readonly name: string
  /** Asked again and again: places may come and go. */
  readonly places: () => Promise<ReadonlyMap<string, Place>>
  readonly intervalMs: number
  readonly retentionMs: number
  /** Where recent samples are kept; null keeps them in memory alone. */
  readonly folder: string | null
  readonly clock: Clock
  readonly log: SourceLog
  /** Said in the log of a place that cannot be seen, and of one that can be seen again. */
  readonly words: { readonly failed: string; readonly again: string }
  /** New series are refused beyond it. */
  readonly maxSeries?: number | undefined
  readonly maxParallel?: number | undefined
}

export interface Sampler extends MetricSource {
  start(): void
  /** Ends every loop and waits until what was seen is written. */
  stop(): Promise<void>
}

interface Loop {
  readonly place: Place
  readonly ending: AbortController
  readonly done: Promise<void>
}

const MAX_STEPS = 100_000

export function createSampler(options: SamplerOptions): Sampler {
  const { name, clock, log, intervalMs, retentionMs, folder } = options
  const store = new SampleStore({ maxSeries: options.maxSeries ?? 50_000 })
  const families = new Map<string, DeclaredFamily>()
  const slots = new Slots(options.maxParallel ?? 32)
  const journal = folder === null ? null : new Journal({ folder, retentionMs, log })
  const stopping = new AbortController()
  const loops = new Map<string, Loop>()
  const reasons = new Map<string, string>()
  let running: Promise<void> | undefined
  let loaded: Promise<void> = Promise.resolve()
  let refusing = false

  const declare = ({ name: metric, type, help }: Family) => families.set(metric, { type, help })

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

  const look = async (place: Place, signal: AbortSignal) => {
    const atMs = clock.now()
    const seen = await place
      .look(atMs, signal)
      .catch((error: unknown): Seen => ({ problem: publicReason(error), samples: [], families: [] }))
    if (signal.aborted) return
    tell(place, seen.problem)
    keep({ targetKey: place.key, targetLabels: place.labels, atMs, samples: seen.samples }, seen.families)
  }

  const tell = (place: Place, reason: string) => {
    const before = reasons.get(place.key) ?? ''
    reasons.set(place.key, reason)
    if ((reason === '') === (before === '')) return
    if (reason === '') log.info(place.detail, options.words.again)
    else log.warn({ ...place.detail, reason }, options.words.failed)
  }

  const watch = async (place: Place, signal: AbortSignal) => {
    while (!signal.aborted) {
      await slots.use(signal, () => look(place, signal))
      await sleepUntil(nextOnGrid(clock.now(), intervalMs), signal)
    }
  }

  const sleepUntil = async (ms: number, signal: AbortSignal) => {
    await clock.sleep(ms - clock.now(), signal).catch(() => undefined)
  }

  const run = async () => {
    await loaded
    while (!stopping.signal.aborted) {
      const places = await options.places()
      for (const [key, place] of places) {
        if (loops.has(key) || stopping.signal.aborted) continue
        const ending = new AbortController()
        loops.set(key, { place, ending, done: watch(place, AbortSignal.any([ending.signal, stopping.signal])) })
      }
      for (const [key, loop] of loops) {
        if (places.has(key)) continue
        loop.ending.abort()
        loops.delete(key)
        reasons.delete(key)
        await loop.done
        // An empty row: everything that this place had has ended.
        keep({ targetKey: key, targetLabels: loop.place.labels, atMs: clock.now(), samples: [] }, [])
      }
      store.expire(clock.now() - retentionMs)
      for (const metric of families.keys()) if (!store.hasMetric(metric)) families.delete(metric)
      await sleepUntil(nextOnGrid(clock.now(), Math.min(intervalMs, 5000)), stopping.signal)
    }
    await Promise.all([...loops.values()].map(({ done }) => done))
  }

  const reach = (stepMs: number) => ({ lookbackMs: intervalMs * 2.5, windowMs: Math.max(4 * intervalMs, stepMs) })
  const promql = (query: Parameters<MetricSource['query']>[0], stepMs = 0) =>
    printPromql(query, reach(stepMs).windowMs, { kind: 'label', label: 'service' })

  return {
    name,
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
      for (const sample of store.sampleNames()) {
        for (const series of store.named(sample)) {
          if (!hasSample(series, range.fromMs, range.toMs)) continue
          names.add(sample)
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

const publicReason = (error: unknown): string => (error instanceof AppError ? error.message : describeError(error))

const nextOnGrid = (nowMs: number, everyMs: number): number => (Math.floor(nowMs / everyMs) + 1) * everyMs

function checkRange(range: TimeRange): void {
  if (!(range.stepMs > 0)) throw new AppError('malformed', 'The step must be more than zero.', { field: 'stepMs' })
  if (stepCount(range) > MAX_STEPS) {
    throw new AppError('malformed', `The range has more than ${MAX_STEPS} steps. Take longer steps.`, {
      field: 'stepMs',
    })
  }
}
