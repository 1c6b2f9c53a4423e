// What Gemini's models differ in, as far as a request has to be written differently. A name that tells no version (an
// alias such as `gemini-flash-latest`, a tuned model) is taken for one of the newest.
import type { Reasoning } from '../../llm/request.ts'

export interface ModelTraits {
  /** How much it is to think: a level, a number of tokens, or it does not think. */
  readonly thinking: 'level' | 'budget' | 'none'
  /** The least budget that it takes; 0 turns thinking off. */
  readonly leastBudget: number
  readonly mostBudget: number
  /** The levels that it knows. */
  readonly levels: readonly string[]
  /** Refuses a turn of its own whose tool calls come without its signature. */
  readonly signsCalls: boolean
  /** Can be held to a JSON schema while it may call tools. */
  readonly schemaWithTools: boolean
  /** Reads images and files in the result of a tool. */
  readonly mediaInResults: boolean
}

const NAME = /gemini-(\d+)(?:\.(\d+))?/

export function traitsOf(model: string): ModelTraits {
  const named = NAME.exec(model)
  const version = named ? Number(named[1]) + Number(named[2] ?? 0) / 10 : Number.POSITIVE_INFINITY
  const newest = version >= 3
  const pro = model.includes('pro')
  const lite = model.includes('lite')
  return {
    thinking: newest ? 'level' : version >= 2.5 ? 'budget' : 'none',
    leastBudget: pro ? 128 : 0,
    mostBudget: pro ? 32_768 : 24_576,
    levels: pro && !lite ? ['low', 'high'] : ['minimal', 'low', 'medium', 'high'],
    signsCalls: newest,
    schemaWithTools: newest,
    mediaInResults: newest,
  }
}

type Effort = NonNullable<Reasoning['effort']>

const BUDGETS: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: 512,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_768,
}

/** `thinkingConfig`; undefined where the caller says nothing of it, or the model does not think. */
export function thinkingFor(
  reasoning: Reasoning | undefined,
  traits: ModelTraits,
): Readonly<Record<string, unknown>> | undefined {
  if (!reasoning || traits.thinking === 'none') return undefined
  const { effort, budgetTokens } = reasoning
  const off = effort === 'none' || budgetTokens === 0
  const seen = { includeThoughts: !off && reasoning.visible !== false }
  if (traits.thinking === 'level') {
    const wanted = effort ?? (budgetTokens === undefined ? undefined : effortFor(budgetTokens))
    return { ...seen, ...(wanted === undefined ? {} : { thinkingLevel: levelFor(wanted, traits.levels) }) }
  }
  if (effort === undefined && budgetTokens === undefined) return seen
  const wanted = budgetTokens ?? BUDGETS[effort ?? 'medium']
  // Between 0 and the least there is nothing; the flash models take 0 alone as off.
  const least = off ? traits.leastBudget : Math.max(traits.leastBudget, 512)
  return { ...seen, thinkingBudget: Math.min(Math.max(wanted, least), traits.mostBudget) }
}

function effortFor(budgetTokens: number): Effort {
  if (budgetTokens < 1024) return 'minimal'
  if (budgetTokens < 4096) return 'low'
  return budgetTokens < 16_384 ? 'medium' : 'high'
}

/** None of the newest can be told not to think: the least is what it gets. What lies between two levels gets the lower. */
function levelFor(effort: Effort, levels: readonly string[]): string {
  const order: readonly Effort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh']
  const known = order.slice(0, order.indexOf(effort) + 1).findLast((one) => levels.includes(one))
  return known ?? levels[0] ?? 'low'
}
