// Asks again for everything a diagnosis claims: series over their window, log lines word for word, changes with their
// time, the path through the topology. A claim whose evidence does not resolve is taken out and counted.
import type { Change, Edge, LogLine, MetricQuery, MetricSource } from '../../core/telemetry.ts'
import type { Cause, Evidence, EvidenceRef } from '../../diagnosis/evidence.ts'
import { roleOf } from '../../diagnosis/metric-roles.ts'
import type { Signal, SignalRole } from '../../diagnosis/service-signals.ts'
import { median } from '../../diagnosis/stats.ts'

type SeriesRef = Extract<EvidenceRef, { kind: 'series' }>
type LogRef = Extract<EvidenceRef, { kind: 'log' }>

/** How the evidence is asked for again. Who cannot be asked answers with nothing. */
export interface Witnesses {
  /** Everything that can be computed from these queries now, over the window of the investigation. */
  signals(source: MetricSource, queries: readonly MetricQuery[]): Promise<readonly Signal[]>
  line(ref: string): Promise<LogLine | undefined>
  /** What a service wrote since the alert; null when it cannot be known. */
  latestLines(service: string): Promise<readonly LogLine[] | null>
  readonly asked: readonly { readonly source: MetricSource; readonly queries: readonly MetricQuery[] }[]
  readonly changes: readonly Change[]
  readonly topology: readonly Edge[]
}

export interface Rechecked {
  readonly causes: readonly Cause[]
  readonly claimsRemoved: number
}

/** A cause that lost more than this share of what spoke for it is given up. */
const CARRIED = 0.5

export async function recheck(causes: readonly Cause[], witnesses: Witnesses): Promise<Rechecked> {
  const kept: Cause[] = []
  let claimsRemoved = 0
  for (const cause of causes) {
    const evidence = await stillTrue(cause.evidence, witnesses)
    const against = await stillTrue(cause.against, witnesses)
    claimsRemoved += cause.evidence.length - evidence.length + cause.against.length - against.length
    const share = weightOf(cause.evidence) === 0 ? 1 : weightOf(evidence) / weightOf(cause.evidence)
    if (evidence.length === 0 || share < CARRIED) continue
    kept.push({ ...cause, evidence, against, confidence: round(cause.confidence * share), score: cause.score * share })
  }
  return { causes: kept.sort((a, b) => b.score - a.score), claimsRemoved }
}

const weightOf = (evidence: readonly Evidence[]): number =>
  evidence.reduce((sum, { weight }) => sum + Math.max(0, weight), 0)

const round = (value: number): number => Math.round(value * 1000) / 1000

async function stillTrue(evidence: readonly Evidence[], witnesses: Witnesses): Promise<Evidence[]> {
  const checked = await Promise.all(
    evidence.map(async (claim): Promise<Evidence | undefined> => {
      const ref = await resolveRef(claim.ref, witnesses)
      return ref && { ...claim, ref }
    }),
  )
  return checked.filter((claim) => claim !== undefined)
}

/** The reference as it still is, or undefined when it does not say that any more. */
export async function resolveRef(ref: EvidenceRef, witnesses: Witnesses): Promise<EvidenceRef | undefined> {
  switch (ref.kind) {
    case 'series': {
      return (await findSeries(ref, witnesses)) && ref
    }
    case 'log': {
      return await resolveLog(ref, witnesses)
    }
    case 'change': {
      return witnesses.changes.some(({ id, at, service }) => id === ref.id && at === ref.at && service === ref.service)
        ? ref
        : undefined
    }
    case 'topology': {
      return ref.path.every((name, i) => i === 0 || connected(witnesses.topology, ref.path[i - 1] ?? '', name))
        ? ref
        : undefined
    }
  }
}

const connected = (topology: readonly Edge[], a: string, b: string): boolean =>
  topology.some(({ caller, callee }) => (caller === a && callee === b) || (caller === b && callee === a))

/** Keeps the lines that are still there, word for word. That a line fell silent is checked by looking for it again. */
async function resolveLog(ref: LogRef, witnesses: Witnesses): Promise<LogRef | undefined> {
  if (ref.countAfter === 0) {
    const latest = await witnesses.latestLines(ref.service)
    return !latest || latest.some(({ message }) => fitsTemplate(message, ref.template)) ? undefined : ref
  }
  const lines = await Promise.all(
    ref.lines.map(async (cited) => {
      const found = await witnesses.line(cited.ref)
      return found?.message === cited.message && found.at === cited.at ? cited : undefined
    }),
  )
  const there = lines.filter((line) => line !== undefined)
  return there.length > 0 ? { ...ref, lines: there } : undefined
}

/** Whether the fixed parts of a template stand in a message, in their order. No pattern is built out of what was read. */
function fitsTemplate(message: string, template: string): boolean {
  const parts = template.split('<*>')
  if (!message.startsWith(parts[0] ?? '') || !message.endsWith(parts.at(-1) ?? '')) return false
  let at = 0
  for (const part of parts) {
    const found = message.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return true
}

/** Calls that the signals themselves show, also to what has no metrics of its own, such as a model provider. */
export const callsIn = (signals: readonly Signal[]): Edge[] =>
  signals.flatMap(({ service, peer }) => (peer === undefined ? [] : [{ caller: service, callee: peer }]))

/** What was asked, and where, to compute a piece of evidence. */
export interface FoundSeries {
  readonly source: MetricSource
  readonly queries: readonly MetricQuery[]
  readonly role: SignalRole
}

/** Finds a series again. undefined when no source gives the same numbers for the same times any more. */
export async function findSeries(ref: SeriesRef, witnesses: Witnesses): Promise<FoundSeries | undefined> {
  for (const { source, queries } of witnesses.asked) {
    const behind = queriesBehind(ref, queries)
    if (behind.length === 0) continue
    const signals = await witnesses.signals(source, behind)
    const signal = signals.find((one) => matches(one, ref) && agrees(one, ref))
    if (signal) return { source, queries: behind, role: signal.role }
  }
  return undefined
}

/** A use is computed against a size: that metric has to be asked too. */
const COMPUTED_WITH = new Set(['pool_max', 'disk_size'])

function queriesBehind(ref: SeriesRef, queries: readonly MetricQuery[]): readonly MetricQuery[] {
  const own = queries.filter(({ metric }) => metric === ref.metric)
  if (own.length === 0) return []
  return [
    ...own,
    ...queries.filter((query) => COMPUTED_WITH.has(roleOf(query.metric, query.by ?? [])) && !own.includes(query)),
  ]
}

/** Whether a signal is the one that a reference names. */
export const matches = (signal: Signal, ref: Pick<SeriesRef, 'service' | 'metric' | 'labels' | 'unit'>): boolean =>
  (signal.service === ref.service || signal.peer === ref.service) &&
  signal.metric === ref.metric &&
  signal.unit === ref.unit &&
  sameLabels(signal.labels, ref.labels)

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

/** Of the points cited, how many must be found with the same value. */
const POINTS_AGREE = 0.9
/** Relative difference that is rounding, or a sample that came late. */
const POINT_TOLERANCE = 0.02
/** How far the centres may differ, as a share of the move that is claimed. */
const CENTRE_TOLERANCE = 0.35

function agrees({ track }: Signal, ref: SeriesRef): boolean {
  const values = new Map(Array.from(track.times, (time, i) => [time, track.values[i] ?? 0]))
  const same = ref.points.filter(([time, value]) => {
    const now = values.get(time)
    return (
      now !== undefined && Math.abs(now - value) <= POINT_TOLERANCE * Math.max(Math.abs(now), Math.abs(value), 1e-9)
    )
  })
  if (ref.points.length > 0 && same.length < POINTS_AGREE * ref.points.length) return false
  return ref.onsetMs === null || centresAgree(track, ref, ref.onsetMs)
}

/** The numbers in the claim, computed again: the series must have moved from about there to about there, in that direction. */
function centresAgree(track: Signal['track'], ref: SeriesRef, onsetMs: number): boolean {
  const { before, after } = ref
  if (before === null || after === null) return true
  const between = (fromMs: number, toMs: number): Float64Array =>
    track.values.filter((_, i) => (track.times[i] ?? 0) >= fromMs && (track.times[i] ?? 0) <= toMs)
  const earlier = between(ref.fromMs, onsetMs - 1)
  const later = between(onsetMs, ref.toMs)
  if (later.length === 0) return false
  const near = CENTRE_TOLERANCE * Math.abs(after - before) + 1e-9
  // A slope has its centre anywhere between its ends, so the level has to be reached, not to be the median.
  const reaches = (values: Float64Array, level: number): boolean => values.some((v) => Math.abs(v - level) <= near)
  if (!reaches(later, after)) return false
  if (earlier.length === 0) return true
  return reaches(earlier, before) && (median(later) - median(earlier)) * (after - before) >= 0
}
