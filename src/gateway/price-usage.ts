// What usage at a target costs.
import { costMicroUsd } from '../core/money.ts'
import type { Usage } from '../llm/chat.ts'
import type { Target } from './plan.ts'

/** Micro-dollars; null when the price or a count is unknown. */
export const priceUsage = (usage: Usage, target: Target): number | null => costMicroUsd(usage, target.price)
