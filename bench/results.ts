// From what was measured to what is said: figures of each subject over the whole run, its ratio to the bare proxy slice by
// slice, and the stated targets. Nothing here measures or prints.
import type { Load, Slices } from './measure.ts'
import { quantile, type Spread, spreadOf } from './statistics.ts'
import type { SubjectName } from './subjects.ts'

export interface Measured {
  readonly names: readonly SubjectName[]
  readonly latencyMs: Slices<readonly number[]>
  readonly plain: Slices<Load>
  readonly streams: Slices<Load>
  readonly residentBytes: readonly (number | undefined)[]
}

export interface Figures {
  readonly name: SubjectName
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  readonly addedP50Ms: number | null
  readonly addedP99Ms: number | null
  readonly requestsPerSecond: number | null
  readonly cpuMicrosPerRequest: number | null
  readonly callerMicrosPerRequest: number | null
  readonly cpuMicrosPerChunk: number | null
  readonly addedFirstTokenP50Ms: number | null
  readonly addedFirstTokenP99Ms: number | null
  readonly residentMb: number | null
}

/** Null where it could not be measured, and of the direct call what there is only in between. */
export function figuresOf(measured: Measured): Figures[] {
  const direct = measured.names.indexOf('direct')
  const latencies = (at: number) => measured.latencyMs.flatMap((slice) => slice[at] ?? [])
  const firsts = (at: number) => measured.streams.flatMap((slice) => slice[at]?.firstMs ?? [])
  return measured.names.map((name, at) => {
    const added = (of: (at: number) => number[], q: number) =>
      at === direct ? null : round(quantile(of(at), q) - quantile(of(direct), q), 3)
    const bytes = measured.residentBytes[at]
    return {
      name,
      p50Ms: round(quantile(latencies(at), 0.5), 3),
      p99Ms: round(quantile(latencies(at), 0.99), 3),
      addedP50Ms: added(latencies, 0.5),
      addedP99Ms: added(latencies, 0.99),
      requestsPerSecond: middle(measured.plain, at, (load) => load.perSecond, 0),
      cpuMicrosPerRequest: middle(measured.plain, at, (load) => load.cpuMicros, 0),
      callerMicrosPerRequest: middle(measured.plain, at, (load) => load.callerMicros, 0),
      cpuMicrosPerChunk: middle(measured.streams, at, (load) => load.cpuMicros, 1),
      addedFirstTokenP50Ms: added(firsts, 0.5),
      addedFirstTokenP99Ms: added(firsts, 0.99),
      residentMb: bytes === undefined ? null : round(bytes / 1e6, 0),
    }
  })
}

function middle(slices: Slices<Load>, at: number, value: (load: Load) => number | undefined, digits: number) {
  const spread = spreadOf(slices.map((slice) => slice[at] && value(slice[at])))
  return spread === null ? null : round(spread.median, digits)
}

/** Null where it could not be measured. */
const round = (value: number, digits: number): number | null =>
  Number.isFinite(value) ? Number(value.toFixed(digits)) : null

export const MEASURES = ['cpuPerRequest', 'cpuPerChunk', 'addedP50', 'addedFirstTokenP50'] as const
export type Measure = (typeof MEASURES)[number]

/** One subject's cost over another's, within each slice. Null where either was not measured. */
export function ratio(measured: Measured, measure: Measure, over: SubjectName, under: SubjectName): Spread | null {
  const [top, bottom] = [measured.names.indexOf(over), measured.names.indexOf(under)]
  const costs = costsOf(measured, measure)
  return spreadOf(
    costs.map((slice) => {
      const [cost, base] = [slice[top], slice[bottom]]
      return cost === undefined || base === undefined || base <= 0 ? undefined : cost / base
    }),
  )
}

/** What each subject costs by one measure, slice by slice. */
function costsOf({ names, latencyMs, plain, streams }: Measured, measure: Measure): Slices<number | undefined> {
  const direct = names.indexOf('direct')
  const addedMedian = (of: readonly (readonly number[])[]) =>
    of.map((values) => quantile(values, 0.5) - quantile(of[direct] ?? [], 0.5))
  switch (measure) {
    case 'cpuPerRequest':
      return plain.map((slice) => slice.map((load) => load.cpuMicros))
    case 'cpuPerChunk':
      return streams.map((slice) => slice.map((load) => load.cpuMicros))
    case 'addedP50':
      return latencyMs.map(addedMedian)
    case 'addedFirstTokenP50':
      return streams.map((slice) => addedMedian(slice.map((load) => load.firstMs)))
  }
}

interface Target {
  readonly measure: Measure
  readonly than: SubjectName
  readonly atMost: number
}

/** What Midwatch is meant to reach with everything on. */
const TARGETS: readonly Target[] = [
  { measure: 'cpuPerRequest', than: 'bare', atMost: 2 },
  { measure: 'cpuPerRequest', than: 'portkey', atMost: 1 / 8 },
  { measure: 'cpuPerChunk', than: 'bare', atMost: 1.5 },
  { measure: 'addedP50', than: 'bare', atMost: 1.5 },
]

export interface Verdict extends Target {
  readonly ratio: Spread | null
  /** By the median; null where one of the two was not measured. */
  readonly met: boolean | null
}

export const verdicts = (measured: Measured): Verdict[] =>
  TARGETS.map((target) => {
    const found = ratio(measured, target.measure, 'midwatch', target.than)
    return { ...target, ratio: found, met: found && found.median <= target.atMost }
  })
