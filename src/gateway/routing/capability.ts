// Who cannot serve a request, and why. A target is only left out for what is certain: what it lacks, an output limit
// below the caller's, a prompt that is clearly too long. Length is estimated from characters, by more of them a token
// than any text has on average (English has 4 to 4.8), so a prompt is only called too long when it is: a wrong skip may
// cost the caller the answer, a wrong try costs one refusal, which `failover.contextLength` takes elsewhere.
import { AppError } from '../../core/errors.ts'
import type { Ask, Demand } from '../../llm/dialect.ts'
import type { Target } from './target.ts'

const MOST_CHARACTERS_A_TOKEN = 5

export type Skip = `lacks ${Demand}` | 'context too small' | 'output limit too small' | 'breaker open'

/** Fewer tokens than this the prompt does not have. */
export const leastPromptTokens = (ask: Ask): number => Math.floor(ask.promptCharacters() / MOST_CHARACTERS_A_TOKEN)

/** Why a target cannot serve; undefined where it may. `promptTokens` is only asked where it matters: it costs a walk. */
export function incapable(ask: Ask, target: Target, promptTokens: () => number): Skip | undefined {
  if (ask.demands.size > 0) for (const demand of ask.demands) if (misses(target, demand, ask)) return `lacks ${demand}`
  const output = ask.maxOutputTokens ?? 0
  if (target.maxOutputTokens !== undefined && output > target.maxOutputTokens) return 'output limit too small'
  if (target.contextTokens !== undefined && output + promptTokens() > target.contextTokens) return 'context too small'
  return undefined
}

/** Demands that only a provider of the caller's dialect can meet. */
const OF_THE_DIALECT: ReadonlySet<Demand> = new Set(['count-tokens', 'own-kind'])

const misses = (target: Target, demand: Demand, { dialect }: Ask): boolean =>
  target.lacks.has(demand) || (OF_THE_DIALECT.has(demand) && !target.speaks.has(dialect))

const WANTED: Readonly<Record<Demand, string>> = {
  tools: 'tools',
  images: 'images',
  files: 'files',
  audio: 'audio',
  'json-schema': 'an answer by a JSON schema',
  logprobs: 'logprobs',
  choices: 'more than one choice',
  embeddings: 'embeddings',
  'count-tokens': 'counting of tokens',
  'own-kind': 'what only the provider of this API has (its own tools, containers, uploaded files)',
}

/** What of the request cannot be translated, by its name. */
function refusalOf(ask: Ask): AppError | undefined {
  try {
    ask.neutral()
    return undefined
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

/** What to tell the caller where nobody is left: a 400 that names what nobody meets. */
export function nobodyCan(ask: Ask, targets: readonly Target[], promptTokens: () => number): AppError {
  const stem = `No target of ${ask.model} can serve this request:`
  const missing = [...ask.demands].filter((demand) => targets.every((target) => misses(target, demand, ask)))
  if (missing.length === 1 && missing[0] === 'own-kind') {
    const named = refusalOf(ask)
    if (named) return named
  }
  if (missing.length > 0) {
    return new AppError(
      'malformed',
      `${stem} none offers ${missing.map((demand) => WANTED[demand]).join(' and ')}. Leave that out, or ask another model.`,
    )
  }
  const able = targets.filter((target) => ![...ask.demands].some((demand) => misses(target, demand, ask)))
  if (able.length === 0) {
    const wanted = [...ask.demands].map((demand) => WANTED[demand])
    return new AppError('malformed', `${stem} none offers ${wanted.join(' and ')} together. Ask another model.`)
  }
  const output = ask.maxOutputTokens ?? 0
  const most = largest(able, ({ maxOutputTokens }) => maxOutputTokens)
  if (output > most) {
    return new AppError(
      'malformed',
      `${stem} it asks for up to ${output} tokens of output, and none writes more than ${most}.`,
      {
        field: 'max_tokens',
      },
    )
  }
  const context = largest(able, ({ contextTokens }) => contextTokens)
  return new AppError(
    'malformed',
    `${stem} the prompt is about ${promptTokens()} tokens long and ${output} more are asked for, which is more than the ${
      Number.isFinite(context) ? `${context} that any of them takes` : 'one of them takes that writes as much'
    }. Shorten it, ask for less output, or ask another model.`,
  )
}

const largest = (targets: readonly Target[], limit: (target: Target) => number | undefined): number =>
  Math.max(...targets.map((target) => limit(target) ?? Infinity))
