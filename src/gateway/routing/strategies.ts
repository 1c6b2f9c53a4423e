// The strategies by the names that the config gives them.
import type { ModelConfig } from '../../config/schema.ts'
import { affinity } from './affinity.ts'
import { cost } from './cost.ts'
import { latency } from './latency.ts'
import { leastLoad } from './least-load.ts'
import type { Strategy } from './strategy.ts'
import { weighted } from './weighted.ts'

/** As the config lists them. */
const first: Strategy = (targets) => targets.map((target) => ({ target, score: null }))

export const STRATEGIES: Readonly<Record<ModelConfig['strategy'], Strategy>> = {
  first,
  weighted,
  'least-load': leastLoad,
  latency,
  cost,
  affinity,
}
