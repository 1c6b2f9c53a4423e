// A finding is one observation put against one service: how much it weighs, for which kinds of cause, and what it was read
// from. Findings of one aspect do not add up (three latency percentiles are one observation); different aspects do.
import type { FaultKind } from '../core/fault-kinds.ts'
import type { Change } from '../core/telemetry.ts'
import type { Anomaly } from './anomalies.ts'
import type { LogFinding } from './log-evidence.ts'

export type Source =
  | { readonly kind: 'anomaly'; readonly anomaly: Anomaly }
  | { readonly kind: 'log'; readonly log: LogFinding }
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'topology'; readonly path: readonly string[] }

export interface Finding {
  readonly service: string
  /** What it is an observation of; the strongest of an aspect counts. */
  readonly aspect: string
  /** Above 0 speaks for, below 0 against. */
  readonly weight: number
  /** The kinds it speaks for; `any` is blame without a kind. */
  readonly kinds: readonly FaultKind[] | 'any'
  readonly claim: string
  readonly source: Source
}

/** The findings that count for one kind: the strongest of each aspect, for or against. */
export function findingsFor(findings: readonly Finding[], kind: FaultKind): Finding[] {
  const strongest = new Map<string, Finding>()
  for (const one of findings) {
    if (one.kinds !== 'any' && !one.kinds.includes(kind)) continue
    const known = strongest.get(one.aspect)
    if (!known || Math.abs(one.weight) > Math.abs(known.weight)) strongest.set(one.aspect, one)
  }
  return [...strongest.values()].sort((a, b) => b.weight - a.weight || (a.aspect < b.aspect ? -1 : 1))
}

export const scoreOf = (findings: readonly Finding[]): number => findings.reduce((sum, { weight }) => sum + weight, 0)
