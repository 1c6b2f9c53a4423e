// Recent samples in memory. Every scrape of a target is one row: a time, and a value for each series that was there.
// A series without a value in a row has ended at that row, so staleness needs no marker and nothing is carried on.
// Rows are kept in chunks; a full chunk keeps a column that never moved as one number. Whole chunks expire.
import type { Labels } from '../../core/telemetry.ts'
import { sampleNamesOf } from '../metric-families.ts'
import type { Sample } from './sample.ts'

export interface Chunk {
  /** Times of its rows, ascending; `rows` of them are in use. */
  readonly times: Float64Array
  rows: number
  readonly members: StoredSeries[]
}

interface Column {
  readonly chunk: Chunk
  /** A value a row, NaN where there is none; or the one value of every row. */
  values: Float64Array | number
}

export interface StoredSeries {
  readonly name: string
  /** Tells it from its siblings at the same target. */
  readonly key: string
  /** With the target's labels. */
  readonly labels: Labels
  readonly target: TargetRows
  /** Oldest first. A chunk that is missing has no value of this series. */
  readonly columns: Column[]
}

export interface TargetRows {
  readonly key: string
  readonly labels: Labels
  readonly chunks: Chunk[]
  readonly byKey: Map<string, StoredSeries>
}

export interface AppendResult {
  /** False when the row is not later than the last one. */
  readonly accepted: boolean
  /** New series that the bound left no room for. */
  readonly refused: number
}

const ROWS_PER_CHUNK = 128

export class SampleStore {
  readonly #maxSeries: number
  readonly #targets = new Map<string, TargetRows>()
  readonly #byName = new Map<string, Set<StoredSeries>>()
  #seriesCount = 0

  constructor(options: { maxSeries: number }) {
    this.#maxSeries = options.maxSeries
  }

  get seriesCount(): number {
    return this.#seriesCount
  }

  /** The series stored under a sample name. */
  named(name: string): Iterable<StoredSeries> {
    return this.#byName.get(name) ?? []
  }

  /** Whether anything of a metric is stored, be it under its own name or under those of its parts. */
  hasMetric(name: string): boolean {
    return [...sampleNamesOf(name), `${name}_total`].some((sample) => this.#byName.has(sample))
  }

  sampleNames(): Iterable<string> {
    return this.#byName.keys()
  }

  /** Adds one row. A value that is no number is the same as no value. The first of two samples of a series counts. */
  append(targetKey: string, targetLabels: Labels, atMs: number, samples: readonly Sample[]): AppendResult {
    const target = this.#targetFor(targetKey, targetLabels)
    let chunk = target.chunks.at(-1)
    const lastMs = chunk?.times[chunk.rows - 1]
    if (lastMs !== undefined && atMs <= lastMs) return { accepted: false, refused: 0 }
    if (!chunk || chunk.rows === ROWS_PER_CHUNK) {
      if (chunk) seal(chunk)
      chunk = { times: new Float64Array(ROWS_PER_CHUNK), rows: 0, members: [] }
      target.chunks.push(chunk)
    }
    const row = chunk.rows++
    chunk.times[row] = atMs
    let refused = 0
    for (const sample of samples) {
      if (Number.isNaN(sample.value)) continue
      const series = this.#seriesFor(target, sample)
      if (!series) refused++
      else set(series, chunk, row, sample.value)
    }
    return { accepted: true, refused }
  }

  /** Lets go of chunks that ended before a time, and of series and targets that have nothing left. */
  expire(beforeMs: number): void {
    for (const target of this.#targets.values()) {
      for (let chunk = target.chunks[0]; chunk; chunk = target.chunks[0]) {
        if ((chunk.times[chunk.rows - 1] ?? 0) >= beforeMs) break
        target.chunks.shift()
        for (const series of chunk.members) {
          series.columns.shift()
          if (series.columns.length === 0) this.#forget(series)
        }
      }
      if (target.chunks.length === 0) this.#targets.delete(target.key)
    }
  }

  #targetFor(key: string, labels: Labels): TargetRows {
    let target = this.#targets.get(key)
    if (!target) this.#targets.set(key, (target = { key, labels, chunks: [], byKey: new Map() }))
    return target
  }

  #seriesFor(target: TargetRows, sample: Sample): StoredSeries | undefined {
    const key = keyOf(sample)
    const known = target.byKey.get(key)
    if (known) return known
    if (this.#seriesCount >= this.#maxSeries) return undefined
    const series = { name: sample.name, key, labels: withTarget(sample, target.labels), target, columns: [] }
    target.byKey.set(key, series)
    const named = this.#byName.get(sample.name)
    if (named) named.add(series)
    else this.#byName.set(sample.name, new Set([series]))
    this.#seriesCount++
    return series
  }

  #forget(series: StoredSeries): void {
    const named = this.#byName.get(series.name)
    named?.delete(series)
    if (named?.size === 0) this.#byName.delete(series.name)
    series.target.byKey.delete(series.key)
    this.#seriesCount--
  }
}

function set(series: StoredSeries, chunk: Chunk, row: number, value: number): void {
  let column = series.columns.at(-1)
  if (column?.chunk !== chunk) {
    column = { chunk, values: new Float64Array(ROWS_PER_CHUNK).fill(Number.NaN) }
    series.columns.push(column)
    chunk.members.push(series)
  }
  const values = column.values as Float64Array
  if (Number.isNaN(values[row])) values[row] = value
}

/** Most series of a system at rest are flat: those cost one number a chunk. */
function seal(chunk: Chunk): void {
  for (const series of chunk.members) {
    const column = series.columns.at(-1)
    if (column?.chunk !== chunk || typeof column.values === 'number') continue
    const first = column.values[0] ?? Number.NaN
    if (column.values.every((value) => value === first)) column.values = first
  }
}

const keyOf = ({ name, labels }: Sample): string =>
  labels.length === 0 ? name : `${name}${labels.map(([label, value]) => `\u0000${label}\u0001${value}`).join('')}`

/** The target's labels win; what the target itself says under such a name is kept as `exported_…`, as in Prometheus. */
function withTarget(sample: Sample, targetLabels: Labels): Labels {
  const own = sample.labels.map(([label, value]) => [
    Object.hasOwn(targetLabels, label) ? `exported_${label}` : label,
    value,
  ])
  return { ...(Object.fromEntries(own) as Labels), ...targetLabels }
}
