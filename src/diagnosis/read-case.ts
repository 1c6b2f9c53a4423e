// One case, read once: signals, what left normal, who calls whom, the logs before and after. No judgement yet.
import type { Edge, LogLine, Series } from '../core/telemetry.ts'
import { findAddresses } from './addresses.ts'
import {
  CLOSE,
  findAnomaly,
  isOrdinary,
  yardstickFrom,
  type Anomaly,
  type Window,
  type Yardstick,
} from './anomalies.ts'
import { assignBlame, ERROR_ROLES, LATENCY_ROLES } from './blame.ts'
import type { CaseInput } from './case.ts'
import { findConsumers } from './consumers.ts'
import { findCallFlows } from './count-flow.ts'
import type { Context } from './context.ts'
import { findLoads } from './load.ts'
import { lossOf } from './loss.ts'
import { compareLogs } from './log-evidence.ts'
import { findBrokenFlows } from './log-flow.ts'
import { tabulateLogs } from './log-table.ts'
import { looksLikeDatabase } from './metric-roles.ts'
import { findNetworkTrouble } from './network.ts'
import { readSignals, seriesKey, type Signal, type SignalRole } from './service-signals.ts'
import { firstAt, valuesBetween, type Track } from './stats.ts'
import { buildTopology, distances } from './topology.ts'

/** A healthy time of the same system, to compare with; without it the quiet part of the case is used. */
export interface Reference {
  readonly series: readonly Series[]
  readonly logs: readonly LogLine[]
}

export interface ReadOptions {
  readonly reference?: Reference
  /** Names that only observe (a front door as seen from outside) and are never a cause. */
  readonly observers?: readonly string[]
}

export function readCase(input: CaseInput, options: ReadOptions): Context {
  const signals = readSignals(input.series)
  const window = windowOf(input, signals)
  const keys = new Map(signals.map((one) => [one, signalKey(one)]))
  const quiet = quietPart(window)
  const alerted = new Set(input.symptoms.map(({ service }) => service))
  const past = options.reference ? healthyPast(options.reference, keys, window) : NO_PAST
  const anomalyOf = (one: Signal, yard: Yardstick): Anomaly | undefined => {
    const healthy = past.get(one)
    if (healthy && isOrdinary(one, healthy.whole)) return undefined
    return findAnomaly(one, window, quiet, healthy?.outside, yard)
  }
  const yard = yardstickFrom(
    signals.filter(({ service }) => alerted.has(service)).flatMap((one) => anomalyOf(one, CLOSE) ?? []),
  )
  const anomalies = signals
    .map((one) => anomalyOf(one, yard))
    .filter((one) => one !== undefined)
    .sort((a, b) => compare(keys.get(a.signal) ?? '', keys.get(b.signal) ?? ''))
  const calls = [...input.topology, ...edgesSeen(signals, input.series)]
  const consumers = findConsumers(signals, calls)
  const against = new Set(consumers.map(({ caller, callee }) => `${callee}\u0000${caller}`))
  const edges = [...calls.filter(({ caller, callee }) => !against.has(`${caller}\u0000${callee}`)), ...consumers]
  const topology = buildTopology([...edges, ...frontDoors(edges, signals, options.observers ?? [])])
  const byService = groupBy(anomalies)
  const spoken = spokenOf(input.symptoms)
  const latenessMeasured = signals.some(({ role, service }) => role === 'latency' && alerted.has(service))
  const loss = lossOf(
    anomalies.filter(({ signal }) => alerted.has(signal.service)),
    latenessMeasured && !spoken.latency ? (spoken.errors ? 0.4 : UNSEEN) : 1,
    anomalies,
  )
  const network = findNetworkTrouble(signals, anomalies, loss, window)
  const onsetMs = incidentOnset(anomalies, window)
  const providers = new Set(signals.flatMap((one) => (one.role.startsWith('provider') && one.peer ? [one.peer] : [])))
  const observed = new Set(signals.map(({ service }) => service))
  const names = [...new Set([...observed, ...topology.callers.keys(), ...topology.callees.keys(), ...providers])].sort()
  // With healthy lines to compare with, every line of the case may belong to the incident: alerts come late.
  const healthy = options.reference?.logs ?? NO_LINES
  const logsFromMs = healthy.length > 0 ? Number.NEGATIVE_INFINITY : onsetMs - RATES_LAG_STEPS * window.stepMs
  const callersOf = (service: string): readonly string[] => topology.callers.get(service) ?? []
  const counted =
    healthy.length > 0
      ? tabulateLogs(healthy, input.logs)
      : tabulateLogs(
          input.logs.filter(({ at }) => at < logsFromMs),
          input.logs.filter(({ at }) => at >= logsFromMs),
        )
  const living = servicesAlive(signals, window)
  // Who measures on and writes nothing has lost its lines on the way; who does neither may well have died.
  const table = { ...counted, silent: new Set([...counted.silent].filter((service) => living.has(service))) }
  return {
    window,
    topology,
    blame: assignBlame(topology, signals, anomalies, network),
    signals,
    anomalies,
    byService,
    loads: findLoads(topology, signals, anomalies),
    network,
    felt: feltBy(alerted, byService, spoken),
    loss,
    logs: compareLogs(table, names, callersOf),
    silent: table.silent,
    writers: new Set(table.rows.map(({ service }) => service)),
    callFlows: findCallFlows(signals, (one) => past.get(one)?.outside, window, callersOf),
    // What goes with what is learnt from a time that somebody calls healthy, not from the minutes before an alert.
    flows: healthy.length > 0 ? findBrokenFlows(table, names, callersOf) : [],
    changes: [...input.changes].sort((a, b) => a.at - b.at || compare(a.id, b.id)),
    onsetMs,
    alerted,
    distance: distances(topology, [...alerted]),
    providers,
    queuesOf: queuesByConsumer(consumers),
    addresses: findAddresses(topology, names),
    observers: new Set(options.observers ?? []),
    signalCounts: countSignals(signals),
    observed,
  }
}

/** Services that still measure themselves after the alert; a probe from outside goes on when its target is dead. */
const servicesAlive = (signals: readonly Signal[], window: Window): ReadonlySet<string> =>
  new Set(
    signals.flatMap(({ service, role, track }) =>
      role !== 'up' && (track.times.at(-1) ?? Number.NEGATIVE_INFINITY) >= window.alertAtMs ? [service] : [],
    ),
  )

/** How much lateness counts elsewhere when users, whose waiting is measured, wait no longer than always. */
const UNSEEN = 0.8

/** A rate shows a change this much later than a log line does. */
const RATES_LAG_STEPS = 3

const NO_LINES: readonly LogLine[] = []
const NO_PAST: ReadonlyMap<Signal, Past> = new Map()
const tracksOf = new WeakMap<Reference, ReadonlyMap<string, Track>>()

/** Read once for all the cases that are compared with it. */
function healthyTracks(reference: Reference): ReadonlyMap<string, Track> {
  const known = tracksOf.get(reference)
  if (known) return known
  const tracks = new Map(readSignals(reference.series).map((one) => [signalKey(one), one.track]))
  tracksOf.set(reference, tracks)
  return tracks
}

/** A signal in the healthy time, with what that covers of the incident and without. */
interface Past {
  readonly whole: Track
  readonly outside: Track
}

function healthyPast(reference: Reference, keys: ReadonlyMap<Signal, string>, window: Window): Map<Signal, Past> {
  const tracks = healthyTracks(reference)
  const past = new Map<Signal, Past>()
  for (const [one, key] of keys) {
    const whole = tracks.get(key)
    if (whole) past.set(one, { whole, outside: outside(whole, window) })
  }
  return past
}

/** A healthy time that reaches into the incident is not healthy there. */
function outside(track: Track, { fromMs, toMs }: Window): Track {
  const [from, to] = [firstAt(track, fromMs - SLACK_MS), firstAt(track, toMs + SLACK_MS)]
  if (from === to) return track
  const cut = (values: Float64Array): Float64Array => {
    const left = new Float64Array(values.length - (to - from))
    left.set(values.subarray(0, from))
    left.set(values.subarray(to), from)
    return left
  }
  return { times: cut(track.times), values: cut(track.values) }
}

/** A point may speak of the minute that it begins. */
const SLACK_MS = 60_000

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const signalKey = (one: Signal): string => [one.role, one.name, one.peer ?? '', seriesKey(one)].join('\u0000')

function windowOf(input: CaseInput, signals: readonly Signal[]): Window {
  let fromMs = Number.POSITIVE_INFINITY
  let toMs = Number.NEGATIVE_INFINITY
  for (const { track } of signals) {
    fromMs = Math.min(fromMs, track.times[0] ?? fromMs)
    toMs = Math.max(toMs, track.times.at(-1) ?? toMs)
  }
  const stepMs = Number.isFinite(input.stepMs) && input.stepMs > 0 ? input.stepMs : 1000
  if (fromMs > toMs) {
    const at = Number.isFinite(input.alertAtMs) ? input.alertAtMs : 0
    return { fromMs: at, alertAtMs: at, toMs: at, stepMs }
  }
  const alertAtMs = Number.isFinite(input.alertAtMs) ? Math.min(Math.max(input.alertAtMs, fromMs), toMs) : toMs
  return { fromMs, alertAtMs, toMs, stepMs }
}

/** What lies well before the alert: an alert is later than its cause, so its last stretch is left out. */
function quietPart(window: Window) {
  const untilMs = window.alertAtMs - 0.3 * (window.alertAtMs - window.fromMs)
  return (track: Track): Float64Array => {
    const before = valuesBetween(track, Number.NEGATIVE_INFINITY, untilMs)
    if (before.length >= 4) return before
    return track.values.subarray(0, firstAt(track, window.alertAtMs))
  }
}

const FELT: ReadonlySet<SignalRole> = new Set([
  'errors',
  'availability',
  'latency',
  'client_errors',
  'client_latency',
  'up',
])

/** When users began to feel it: the earliest of the strong symptoms, leaving out the earliest tenth as chance. */
function incidentOnset(anomalies: readonly Anomaly[], window: Window): number {
  const felt = anomalies.filter(({ signal, strength }) => FELT.has(signal.role) && strength > 0.3)
  const strong = felt.length > 0 ? felt : anomalies.filter(({ strength }) => strength > 0.3)
  const onsets = strong.map(({ onsetMs }) => onsetMs).sort((a, b) => a - b)
  return onsets[Math.floor(onsets.length / 10)] ?? window.alertAtMs
}

function queuesByConsumer(consumers: readonly Edge[]): Context['queuesOf'] {
  const queues = new Map<string, string[]>()
  for (const { caller, callee } of consumers) {
    const known = queues.get(callee) ?? []
    if (!known.includes(caller)) queues.set(callee, [...known, caller])
  }
  return queues
}

function countSignals(signals: readonly Signal[]): Context['signalCounts'] {
  const counts = new Map<string, Map<SignalRole, number>>()
  for (const { service, role } of signals) {
    const roles = counts.get(service) ?? new Map<SignalRole, number>()
    roles.set(role, (roles.get(role) ?? 0) + 1)
    counts.set(service, roles)
  }
  return counts
}

/** What the alerts themselves say hurts, by their names. */
function spokenOf(symptoms: CaseInput['symptoms']): { errors: boolean; latency: boolean } {
  const names = symptoms.map(({ name }) => name.toLowerCase())
  return {
    errors: names.some((name) => /error|fail|5xx|availab|success/.test(name)),
    latency: names.some((name) => /laten|slow|duration|p9\d/.test(name)),
  }
}

/** A named hurt counts as felt although the numbers, summed over all routes, hardly show it. */
const NAMED = 0.2

function feltBy(
  alerted: ReadonlySet<string>,
  byService: ReadonlyMap<string, readonly Anomaly[]>,
  spoken: { readonly errors: boolean; readonly latency: boolean },
): Context['felt'] {
  const worst = (roles: readonly SignalRole[]): number =>
    [...alerted]
      .flatMap((service) => byService.get(service) ?? [])
      .reduce((most, { signal, strength }) => (roles.includes(signal.role) ? Math.max(most, strength) : most), 0)
  return {
    errors: Math.max(worst(ERROR_ROLES), spoken.errors ? NAMED : 0),
    latency: Math.max(worst(LATENCY_ROLES), spoken.latency ? NAMED : 0),
  }
}

/** Edges that nobody drew but callers measure; and the database behind measured queries. */
function edgesSeen(signals: readonly Signal[], series: readonly Series[]): Edge[] {
  const seen = new Map<string, Edge>()
  for (const { role, service, peer } of signals) {
    if (peer === undefined || role === 'other') continue
    seen.set(`${service}\u0000${peer}`, { caller: service, callee: peer })
  }
  const databases = [
    ...new Set([...series.map((one) => one.service), ...signals.flatMap((one) => one.peer ?? [])]),
  ].filter(looksLikeDatabase)
  const [only] = databases
  if (databases.length === 1 && only !== undefined) {
    for (const { role, service } of signals) {
      if (role === 'database_latency') seen.set(`${service}\u0000${only}`, { caller: service, callee: only })
    }
  }
  return [...seen.values()]
}

/** What an observer sees is the work of the services that nobody else calls. */
function frontDoors(edges: readonly Edge[], signals: readonly Signal[], observers: readonly string[]): Edge[] {
  const called = new Set(edges.map(({ callee }) => callee))
  const observed = new Set(signals.map(({ service }) => service))
  const doors = [...new Set(edges.map(({ caller }) => caller))].filter((one) => !called.has(one) && observed.has(one))
  return observers.filter((one) => observed.has(one)).flatMap((caller) => doors.map((callee) => ({ caller, callee })))
}

function groupBy(anomalies: readonly Anomaly[]): Map<string, Anomaly[]> {
  const groups = new Map<string, Anomaly[]>()
  for (const one of anomalies) {
    const group = groups.get(one.signal.service)
    if (group) group.push(one)
    else groups.set(one.signal.service, [one])
  }
  return groups
}
