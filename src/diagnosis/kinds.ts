// The rules: what speaks for and against each kind of cause at one service. Each rule reads like the sentence an engineer
// would say; its number is how much that sentence weighs. The numbers were set once, by hand, for all systems alike; factors
// over groups of them can be fitted (weights.ts).
import type { Context } from './context.ts'
import type { Finding } from './findings.ts'
import { changes } from './rules/changes.ts'
import { database, habits, providers, surge } from './rules/demand.ts'
import { callFlows, flows, logs } from './rules/logs.ts'
import { backlog, consumer } from './rules/queues.ts'
import { absence, saturation } from './rules/saturation.ts'
import { accusations, alone, frontDoor, network, reach, symptoms, timing } from './rules/suffering.ts'
import type { Rule } from './rules/weighing.ts'
import { weightOf, type Weights } from './weights.ts'

const RULES: readonly Rule[] = [
  symptoms,
  alone,
  accusations,
  network,
  frontDoor,
  saturation,
  backlog,
  consumer,
  absence,
  database,
  surge,
  habits,
  providers,
  changes,
  logs,
  flows,
  callFlows,
  timing,
  reach,
]

/** Everything that can be said for or against a service. */
export const judgeService = (context: Context, service: string, weights: Weights): Finding[] =>
  RULES.flatMap((rule) => rule(context, service))
    .map((one) => ({ ...one, weight: one.weight * weightOf(weights, one.aspect) }))
    .filter(({ weight }) => Math.abs(weight) >= 0.02)
