// How much a model is to think, in the words that it takes: newer ones an effort, older ones a number of tokens, which
// must leave room for the answer. A model that is forced to call a tool, or that is in the middle of calls which it made
// without (signed) thinking, must not be asked to think: Anthropic refuses that.
import type { NeutralChat, Reasoning } from '../../llm/request.ts'
import type { Json } from '../json.ts'
import type { ModelTraits } from './models.ts'

export interface Thinking {
  readonly thinking?: Json
  readonly effort?: string
  /** It will think, and so takes no sampling parameters. */
  readonly on: boolean
}

const OFF: Thinking = { on: false }
const LEAST_BUDGET = 1024
/** What the answer itself must be left with. */
const ANSWER_TOKENS = 1024

const BUDGETS: Readonly<Record<NonNullable<Reasoning['effort']>, number>> = {
  none: 0,
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 32_768,
}

export function thinkingFor(
  request: NeutralChat,
  traits: ModelTraits,
  maxTokens: number,
  unsignedCalls: boolean,
): Thinking {
  const { reasoning } = request
  if (!reasoning || traits.thinking === 'none') return OFF
  if (reasoning.effort === 'none') return without(traits)
  const forced = request.toolChoice?.kind === 'required' || request.toolChoice?.kind === 'tool'
  if (forced && traits.forcedTools && request.tools.length > 0) return without(traits)
  if (traits.thinking === 'adaptive') return adaptive(reasoning, traits)
  if (unsignedCalls) return OFF
  const wanted = reasoning.budgetTokens ?? BUDGETS[reasoning.effort ?? 'medium']
  const budget = Math.min(wanted, maxTokens - ANSWER_TOKENS)
  return budget < LEAST_BUDGET ? OFF : { thinking: { type: 'enabled', budget_tokens: budget }, on: true }
}

function adaptive(reasoning: Reasoning, traits: ModelTraits): Thinking {
  const effort = reasoning.effort ?? effortOf(reasoning.budgetTokens)
  return {
    thinking: { type: 'adaptive', display: reasoning.visible === false ? 'omitted' : 'summarized' },
    ...(effort === undefined ? {} : { effort: asEffort(effort, traits) }),
    on: true,
  }
}

function without(traits: ModelTraits): Thinking {
  switch (traits.unthinking) {
    case 'omit':
      return OFF
    case 'disabled':
    case 'between_tools':
      return { thinking: { type: traits.unthinking }, on: false }
    case 'low-effort':
      return { effort: 'low', on: false }
  }
}

function effortOf(budget: number | undefined): Reasoning['effort'] {
  if (budget === undefined) return undefined
  if (budget < 4096) return 'low'
  return budget < 16_384 ? 'medium' : 'high'
}

function asEffort(effort: NonNullable<Reasoning['effort']>, { xhighEffort }: ModelTraits): string {
  if (effort === 'minimal' || effort === 'none') return 'low'
  return effort === 'xhigh' && !xhighEffort ? 'high' : effort
}
