// One shape for every fault of the lab. A fault really happens in a running process; what it was is known only to who
// injected it.
import type { FaultKind } from '../../src/core/fault-kinds.ts'
import type { OutsideName, Platform, ServiceName } from '../platform/platform.ts'
import type { Random } from '../platform/random.ts'

export interface Fault {
  readonly name: string
  readonly kind: FaultKind
  /** The guilty one: the right answer to "where?". */
  readonly service: ServiceName | OutsideName
  /** Where it hurts most, which is often someone else. */
  readonly loudest: ServiceName
  /** What an action of the catalogue must do to mend it. */
  readonly mends: 'roll-back' | 'restart' | 'scale' | 'toggle'
  /** What the mending action touches. */
  readonly mendsOn: ServiceName
  /** The flag, where `mends` is `toggle`. */
  readonly flag?: {
    readonly name: 'payment-backup-acquirer' | 'assistant-model-off' | 'report-jobs'
    readonly to: 'on' | 'off'
  }
  /** How long it takes, at load 1, until it plainly hurts. */
  readonly minSeconds: number
  inject(platform: Platform, random: Random): Promise<{ changeId?: string }>
  /** Puts everything back to normal, whether or not somebody mended it before. */
  heal(platform: Platform): Promise<void>
}

/** What was really done. For the scorer alone: written where the agent cannot look. */
export interface GroundTruth {
  readonly fault: string
  readonly service: string
  readonly kind: FaultKind
  readonly startedAt: number
  readonly changeId?: string
}

/** Injects the fault and returns the truth about it. */
export async function injectFault(fault: Fault, platform: Platform, random: Random): Promise<GroundTruth> {
  const startedAt = Date.now()
  const { changeId } = await fault.inject(platform, random)
  return { fault: fault.name, service: fault.service, kind: fault.kind, startedAt, ...(changeId ? { changeId } : {}) }
}
