// What the models behind Bedrock differ in, as far as a request has to be written differently. A model whose name says
// nothing (an application inference profile is a number) is asked for what all can do, and for what the caller insists on.
import { traitsOf as claudeTraits, type ModelTraits as ClaudeTraits } from '../../dialects/anthropic-messages/models.ts'

export interface ModelTraits {
  readonly family: 'claude' | 'nova' | 'mistral' | 'other' | 'unknown'
  /** Of Claude only. */
  readonly claude: ClaudeTraits | undefined
  /** Can be forced to call some tool, or one tool. */
  readonly forcedTools: 'tool' | 'any' | 'none'
  /** Keeps to a JSON schema by itself (`outputConfig`). */
  readonly schemas: boolean
  readonly cachePoints: boolean
  readonly cacheHour: boolean
  /** Is told by `status` that a tool failed. */
  readonly resultStatus: boolean
  readonly prefill: boolean
}

export function traitsOf(model: string): ModelTraits {
  const family = familyOf(model)
  if (family !== 'claude') {
    return {
      family,
      claude: undefined,
      forcedTools: family === 'nova' || family === 'unknown' ? 'tool' : family === 'mistral' ? 'any' : 'none',
      schemas: false,
      cachePoints: family === 'nova',
      cacheHour: false,
      resultStatus: family === 'nova',
      prefill: false,
    }
  }
  const claude = claudeTraits(model)
  const fourFive = /-4-[56](?!\d)/.test(model)
  return {
    family,
    claude,
    forcedTools: claude.forcedTools ? 'tool' : 'none',
    // Bedrock's own copy of the schema knows it for these alone; newer ones refuse the field.
    schemas: fourFive,
    cachePoints: claude.thinking !== 'none' || /3-5/.test(model),
    cacheHour: fourFive || claude.thinking === 'adaptive',
    resultStatus: true,
    prefill: claude.prefill,
  }
}

function familyOf(model: string): ModelTraits['family'] {
  if (model.includes('claude')) return 'claude'
  if (model.includes('amazon.nova')) return 'nova'
  if (model.includes('mistral.')) return 'mistral'
  return /application-inference-profile|provisioned-model|:prompt\/|custom-model|imported-model/.test(model)
    ? 'unknown'
    : 'other'
}
