// How dangerous a proposal is, 0 to 10, and what made it so: every part is told with the points that it adds or takes.
import type { Edge } from '../../core/telemetry.ts'
import type { ActionRecord } from './acting/record.ts'

export interface RiskInput {
  /** The catalogue's number. */
  readonly base: number
  readonly service: string
  readonly topology: readonly Edge[]
  /** Of the cause, 0 to 1; null where a person asks for an action. */
  readonly confidence: number | null
  /** Why this hour is a risky one, if it is. */
  readonly hour?: string | undefined
  /** What came of this action so far. */
  readonly record: ActionRecord
}

export interface Risk {
  readonly risk: number
  /** `base 4`, `+1: 2 services depend on inventory`, `−1: it worked 5 of 5 times`. */
  readonly reasons: readonly string[]
  /** Everyone who calls the service, directly or through others. */
  readonly callers: readonly string[]
}

interface Part {
  readonly points: number
  readonly why: string
}

/** With fewer runs than this nothing is learnt from a record that is good. */
const ENOUGH_RUNS = 3

export function weighRisk({ base, service, topology, confidence, hour, record }: RiskInput): Risk {
  const callers = callersOf(service, topology)
  const parts = [
    ofCallers(callers.length, service),
    ofConfidence(confidence),
    hour === undefined ? undefined : { points: 1, why: hour },
    ofRecord(record),
  ].filter((part) => part !== undefined)
  const sum = parts.reduce((all, { points }) => all + points, base)
  const reasons = parts.map(({ points, why }) => `${points > 0 ? '+' : '−'}${Math.abs(points)}: ${why}`)
  return { risk: Math.max(0, Math.min(10, sum)), reasons: [`base ${base}`, ...reasons], callers }
}

function ofCallers(callers: number, service: string): Part | undefined {
  if (callers < 2) return undefined
  return { points: callers >= 4 ? 2 : 1, why: `${callers} services depend on ${service}` }
}

function ofConfidence(confidence: number | null): Part | undefined {
  if (confidence === null || confidence >= 0.75) return undefined
  return { points: confidence < 0.6 ? 2 : 1, why: `the cause is only ${Math.round(confidence * 100)} % sure` }
}

function ofRecord({ judged, worked, worse }: ActionRecord): Part | undefined {
  if (worse > 0) return { points: 2, why: `after ${worse} of ${judged} runs it was worse` }
  if (judged >= ENOUGH_RUNS && worked === judged) return { points: -1, why: `it worked ${worked} of ${judged} times` }
  if (judged >= 2 && worked * 2 < judged) return { points: 1, why: `it worked only ${worked} of ${judged} times` }
  return undefined
}

function callersOf(service: string, topology: readonly Edge[]): readonly string[] {
  const found = new Set<string>()
  const next = [service]
  for (let at = next.pop(); at !== undefined; at = next.pop()) {
    for (const { caller, callee } of topology) {
      if (callee !== at || caller === service || found.has(caller)) continue
      found.add(caller)
      next.push(caller)
    }
  }
  return [...found].toSorted((a, b) => (a < b ? -1 : 1))
}
