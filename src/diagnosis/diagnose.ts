// The diagnosis: signals, what left normal, who suffers from whom, what speaks for which cause, and how sure that is.
// Deterministic and pure: the same case gives the same answer, in any order of its series.
import { FAULT_KINDS, type FaultKind } from '../core/fault-kinds.ts'
import type { CaseInput, Diagnosis } from './case.ts'
import { confidenceOf, LEAST_SCORE } from './confidence.ts'
import type { Context } from './context.ts'
import { writeEvidence } from './evidence-writer.ts'
import type { Cause } from './evidence.ts'
import { findingsFor, scoreOf, type Finding } from './findings.ts'
import { judgeService } from './kinds.ts'
import { readCase, type ReadOptions } from './read-case.ts'
import { ruleOut, sayEffect, sayMissing } from './summary.ts'
import { failurePath } from './topology.ts'
import type { Weights } from './weights.ts'

export interface DiagnoseOptions extends ReadOptions {
  /** How many causes to give; 5 when not said. */
  readonly limit?: number
  /** Below this score no cause is named; `LEAST_SCORE` when not said. */
  readonly leastScore?: number
}

/** Names the cause of what the alerts point at, or abstains. Never throws, whatever the numbers are. */
export function diagnose(input: CaseInput, options: DiagnoseOptions = {}): Diagnosis {
  const context = readCase(input, options)
  const judged = judgeAll(context)
  const [best] = judged
  const abstained = !best || best.score < (options.leastScore ?? LEAST_SCORE)
  const near = judged
    .filter(({ score }) => score > (abstained ? LEAST_LEAD : Math.min(0, options.leastScore ?? 0)))
    .slice(0, options.limit ?? 5)
    .map((one) => toCause(context, one, judged))
  const causes = abstained ? [] : near
  const path = best && !abstained ? pathTo(context, best.service) : []
  return {
    onsetMs: context.anomalies.length === 0 ? null : (causes[0]?.onset ?? context.onsetMs),
    causes,
    abstained,
    leads: abstained ? near : [],
    effect: sayEffect(context),
    ruledOut: abstained ? [] : ruleOut(context, judged),
    missing: sayMissing(context, causes),
    path,
  }
}

/** Every candidate with what can be said for and against it, best first. Where weights are tried, with those. */
export function judgeAll(context: Context, weights: Weights = {}): Judged[] {
  return candidatesOf(context)
    .filter((service) => !context.observers.has(service) && !context.addresses.has(service))
    .map((service) => judge(context, service, weights))
    .sort((a, b) => b.score - a.score || (a.service < b.service ? -1 : 1))
}

/** Below this there is nothing to look at. */
const LEAST_LEAD = 0.3

export interface Judged {
  readonly service: string
  readonly kind: FaultKind
  readonly score: number
  readonly findings: readonly Finding[]
}

function judge(context: Context, service: string, weights: Weights): Judged {
  const addresses = [...context.addresses].flatMap(([address, of]) => (of === service ? [address] : []))
  const findings = [service, ...addresses].flatMap((one) => judgeService(context, one, weights))
  let best: Judged = { service, kind: 'slow_dependency', score: Number.NEGATIVE_INFINITY, findings: [] }
  for (const kind of FAULT_KINDS) {
    const its = findingsFor(findings, kind)
    const score = scoreOf(its)
    if (score > best.score + 1e-9) best = { service, kind, score, findings: its }
  }
  return best
}

const candidatesOf = (context: Context): string[] =>
  [
    ...new Set([
      ...context.observed,
      ...context.topology.callers.keys(),
      ...context.providers,
      ...context.logs.map(({ service }) => service),
    ]),
  ].sort()

function toCause(context: Context, one: Judged, all: readonly Judged[]): Cause {
  const runnerUp = all.find(({ service }) => service !== one.service)?.score ?? 0
  const forIt = one.findings.filter(({ weight }) => weight > 0)
  const witnesses = new Set(forIt.filter(({ weight }) => weight > 0.3).map(({ aspect }) => aspect.split(':')[0])).size
  const { evidence, against } = writeEvidence(context, one.findings, pathTo(context, one.service))
  const shown = forIt.find(({ source }) => source.kind === 'anomaly')?.source
  // The onset is read where it shows best: faint signals stray early by chance.
  const plain = forIt.filter(({ weight }) => weight >= 0.5 * (forIt[0]?.weight ?? 0))
  const onsets = plain.flatMap(({ source }) => (source.kind === 'anomaly' ? [source.anomaly.onsetMs] : []))
  return {
    service: one.service,
    kind: one.kind,
    metric: shown?.kind === 'anomaly' ? shown.anomaly.signal.metric : '',
    score: Math.round(one.score * 1000) / 1000,
    confidence: confidenceOf({
      score: one.score,
      runnerUp: one === all[0] ? runnerUp : (all[0]?.score ?? 0),
      witnesses,
    }),
    onset: onsets.length === 0 ? null : Math.min(...onsets),
    evidence,
    against,
  }
}

function pathTo(context: Context, service: string): string[] {
  const { topology, alerted, blame } = context
  const entries = [...topology.callees.keys()].filter((one) => !topology.callers.has(one)).sort()
  for (const from of [entries, [...alerted].sort()]) {
    const path = failurePath(topology, from, service, (one) => blame.symptom(one))
    if (path.length > 0) return path
  }
  return [service]
}
