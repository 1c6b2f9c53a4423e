// A provider and a model that can serve a name, with all that is decided by. Made once for each config; what lives
// (load, breaker) is shared by all names under which the same provider and model stand.
import type { ModelConfig } from '../../config/schema.ts'
import type { Demand, DialectName } from '../../llm/dialect.ts'
import type { TargetBreaker } from '../breaker.ts'
import type { TargetLoad } from '../load.ts'

export interface Target {
  /** The name in the config's `models` that this target stands under. */
  readonly of: string
  readonly provider: string
  /** As the provider names it. */
  readonly model: string
  /** Of provider and model. */
  readonly key: string
  readonly weight: number
  readonly timeouts: ModelConfig['timeouts']
  readonly retries: ModelConfig['retries']
  readonly stream: ModelConfig['stream']
  readonly failover: ModelConfig['failover']
  /** The config's own; without it the public price list decides. */
  readonly price: ModelConfig['targets'][number]['price']
  readonly contextTokens: number | undefined
  readonly maxOutputTokens: number | undefined
  /** Dialects that its provider answers verbatim. */
  readonly speaks: ReadonlySet<DialectName>
  /** What it cannot do, its provider's lacks with it. */
  readonly lacks: ReadonlySet<Demand>
  readonly prefill: boolean | undefined
  /** 32 bits of its key, for rendezvous hashing: the same in every process. */
  readonly hash: number
  readonly load: TargetLoad
  readonly breaker: TargetBreaker
}

export const targetKey = (provider: string, model: string): string => `${provider}\n${model}`
