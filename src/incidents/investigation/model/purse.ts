// What one investigation may spend: model calls, tokens, money, tool calls, time. Whoever wants to spend asks first, and the
// first that runs out ends the asking. A model that failed twice is not asked again: one that is slow must not cost its
// deadline at every step.
import type { AgentConfig } from '../../../config/schema.ts'

export type InvestigationLimits = AgentConfig['investigation']

export interface Spent {
  readonly modelCalls: number
  readonly toolCalls: number
  readonly tokens: number
  /** Of the calls whose price is known. */
  readonly costMicroUsd: number
  /** Calls whose price is not. */
  readonly unpriced: number
  /** Answers that were of no use: not in the shape asked for, or not there in time. */
  readonly failures: number
}

export const NOTHING_SPENT: Spent = {
  modelCalls: 0,
  toolCalls: 0,
  tokens: 0,
  costMicroUsd: 0,
  unpriced: 0,
  failures: 0,
}

export const addSpent = (a: Spent, b: Spent): Spent => ({
  modelCalls: a.modelCalls + b.modelCalls,
  toolCalls: a.toolCalls + b.toolCalls,
  tokens: a.tokens + b.tokens,
  costMicroUsd: a.costMicroUsd + b.costMicroUsd,
  unpriced: a.unpriced + b.unpriced,
  failures: a.failures + b.failures,
})

const MOST_FAILURES = 2

/** One for each investigation and process, shared by its specialists: what they spend side by side counts at once. */
export class Purse {
  #spent: Spent
  /** Calls under way, at what they may use at most. */
  #reserved = { calls: 0, tokens: 0 }
  readonly #limits: InvestigationLimits
  readonly #untilMs: number

  constructor(limits: InvestigationLimits, startedAtMs: number, spent: Spent = NOTHING_SPENT) {
    this.#limits = limits
    this.#untilMs = startedAtMs + limits.maxSeconds * 1000
    this.#spent = spent
  }

  get spent(): Spent {
    return this.#spent
  }

  /** Why no model may be asked now, or undefined when one may. */
  whyNoCall(nowMs: number, tokens: number): string | undefined {
    const { maxModelCalls, maxTokens, maxUsd } = this.#limits
    const { modelCalls, costMicroUsd, failures } = this.#spent
    if (failures >= MOST_FAILURES) return 'the model was of no use twice'
    if (nowMs >= this.#untilMs) return 'the time for the investigation is up'
    if (modelCalls + this.#reserved.calls >= maxModelCalls) return `${maxModelCalls} model calls are the limit`
    if (this.#spent.tokens + this.#reserved.tokens + tokens > maxTokens) return `${maxTokens} tokens are the limit`
    if (costMicroUsd >= maxUsd * 1e6) return `$${maxUsd} is the limit`
    return undefined
  }

  /** Reserves a call's worst; what it gives back is called with what was used, and gives that as it counts. */
  reserve(tokens: number): (used: { tokens: number; costMicroUsd: number | null; failures: number }) => Spent {
    this.#reserved.calls++
    this.#reserved.tokens += tokens
    return (used) => {
      this.#reserved.calls--
      this.#reserved.tokens -= tokens
      const { costMicroUsd, failures } = used
      const cost = { costMicroUsd: costMicroUsd ?? 0, unpriced: costMicroUsd === null ? 1 : 0 }
      const call = { modelCalls: 1, toolCalls: 0, tokens: used.tokens, failures, ...cost }
      this.#spent = addSpent(this.#spent, call)
      return call
    }
  }

  whyNoTool(nowMs: number): string | undefined {
    if (nowMs >= this.#untilMs) return 'the time for the investigation is up'
    const { maxToolCalls } = this.#limits
    return this.#spent.toolCalls >= maxToolCalls ? `${maxToolCalls} tool calls are the limit` : undefined
  }

  countTool(): void {
    this.#spent = addSpent(this.#spent, { ...NOTHING_SPENT, toolCalls: 1 })
  }
}
