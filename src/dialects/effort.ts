// How hard a model is to think, in OpenAI's words. Anthropic's callers give tokens instead.
import type { Reasoning } from '../llm/request.ts'

export function effortOf(reasoning: Reasoning | undefined): Reasoning['effort'] {
  if (!reasoning || reasoning.effort) return reasoning?.effort
  const { budgetTokens } = reasoning
  if (budgetTokens === undefined) return undefined
  if (budgetTokens <= 2_048) return 'low'
  return budgetTokens <= 12_000 ? 'medium' : 'high'
}
