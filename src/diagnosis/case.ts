// What the diagnosis is given and what it gives back. Pure data both: no I/O happens in this folder.
import type { Change, Edge, LogLine, Series } from '../core/telemetry.ts'
import type { Cause } from './evidence.ts'

export interface CaseInput {
  /** When the first alert began by its own clock; the onset is usually earlier. */
  readonly alertAtMs: number
  readonly stepMs: number
  /** What hurts: where the alerts point. */
  readonly symptoms: readonly { readonly service: string; readonly name: string; readonly startsAtMs: number }[]
  /** From well before the onset until now. */
  readonly series: readonly Series[]
  readonly logs: readonly LogLine[]
  readonly changes: readonly Change[]
  readonly topology: readonly Edge[]
}

export interface Diagnosis {
  readonly onsetMs: number | null
  /** Best first. Empty when abstained. */
  readonly causes: readonly Cause[]
  readonly abstained: boolean
  /** The nearest, best first, where none is named: where to look next. */
  readonly leads: readonly Cause[]
  /** "checkout fails for 31 % of requests": the symptom as the users feel it. */
  readonly effect: string
  readonly ruledOut: readonly { readonly service: string; readonly reason: string }[]
  /** What would settle it, when it is not settled. */
  readonly missing: readonly string[]
  /** The path of the failure from what the users touch to the cause. */
  readonly path: readonly string[]
}
