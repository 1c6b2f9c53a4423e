// From samples to notifications: evaluates every rule, hands what fires to the groups, and delivers what is due. One
// `tick` is one evaluation; deliveries go on beside it, one at a time for each group, so that a receiver that is gone
// never stops the evaluation.
import type { Clock } from '../../src/core/clock.ts'
import { describeError } from '../../src/core/errors.ts'
import type { MetricSource } from '../../src/core/telemetry.ts'
import { createRuleState, type FiredAlert } from './alert-state.ts'
import { deliver, type Delivery, type Post } from './deliver.ts'
import { evaluate } from './evaluate.ts'
import { createGroups, type GroupingOptions, type Notification } from './grouping.ts'
import type { AlertRule } from './rules.ts'
import { webhookBody } from './webhook.ts'

export interface PipelineOptions {
  readonly source: MetricSource
  readonly rules: readonly AlertRule[]
  readonly grouping: GroupingOptions
  readonly post: Post
  readonly clock: Clock
  /** Told of every delivery when it ended, well or not. */
  readonly onDelivery: (notification: Notification, delivery: Delivery) => void
  readonly onProblem: (problem: string) => void
}

export interface Pipeline {
  /** Evaluates all rules once and starts the deliveries that are due. */
  tick(signal: AbortSignal): Promise<void>
  /** Resolves when no delivery is under way. */
  settled(): Promise<void>
}

export function createPipeline(options: PipelineOptions): Pipeline {
  const { source, rules, grouping, clock } = options
  const states = rules.map((rule) => ({ rule, state: createRuleState(rule) }))
  const groups = createGroups(grouping)
  const underWay = new Map<string, Promise<void>>()

  const send = async (notification: Notification, signal: AbortSignal): Promise<void> => {
    const body = webhookBody(notification, { receiver: 'midwatch', externalUrl: '' })
    const untilMs = clock.now() + grouping.groupIntervalMs
    const delivery = await deliver(body, { post: options.post, clock, untilMs, signal })
    if (delivery.kind === 'taken') groups.delivered(notification, clock.now())
    options.onDelivery(notification, delivery)
  }

  const evaluateAll = async (signal: AbortSignal): Promise<readonly FiredAlert[]> => {
    const atMs = clock.now()
    for (const { rule, state } of states) {
      try {
        state.update(await evaluate(rule.condition, source, atMs, signal), atMs)
      } catch (error) {
        options.onProblem(`the rule ${rule.name} could not be evaluated: ${describeError(error)}`)
      }
    }
    return states.flatMap(({ state }) => state.fired())
  }

  return {
    tick: async (signal) => {
      groups.put(await evaluateAll(signal), clock.now())
      for (const notification of groups.due(clock.now())) {
        const key = notification.groupKey
        if (underWay.has(key)) continue
        const sending = send(notification, signal).finally(() => underWay.delete(key))
        underWay.set(key, sending)
      }
    },
    settled: async () => {
      await Promise.all(underWay.values())
    },
  }
}
