// What usage at a target costs.
import { costMicroUsd } from '../core/money.ts'
import type { Usage } from '../llm/chat.ts'
import type { Target } from './plan.ts'

/** Micro-dollars; null when the price or a count is unknown. */
export function priceUsage(usage: Usage, target: Target): number | null {
  const input = usage.inputTokens
  return costMicroUsd(
    { input: input === null ? null : input + (usage.cacheReadTokens ?? 0), output: usage.outputTokens },
    target.price,
  )
}
