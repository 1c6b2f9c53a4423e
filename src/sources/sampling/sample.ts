// One number of one moment, and what its metric is, as all who are sampled tell them.
import type { MetricType } from '../../core/telemetry.ts'

export interface Sample {
  readonly name: string
  /** Sorted by name, each once; labels that begin with `__` are dropped, as are empty values. */
  readonly labels: readonly (readonly [name: string, value: string])[]
  readonly value: number
  /** The target's own time, ms. */
  readonly timestampMs?: number
}

export interface Family {
  readonly name: string
  readonly type: MetricType
  readonly help: string
}
