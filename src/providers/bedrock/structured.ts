// How an answer in JSON is got. Some models keep to a schema by themselves; of one that can be forced to call a tool the
// answer is had as the arguments of a tool that is nothing else; all others are told, and nothing holds them to it.
import type { Json } from '../../dialects/json.ts'
import type { NeutralChat } from '../../llm/request.ts'
import type { ModelTraits } from './models.ts'

export interface Schema {
  readonly name: string
  readonly schema: Json
  readonly description?: string
}

export type AnswerForm =
  | { readonly kind: 'text' }
  | ({ readonly kind: 'native' } & Schema)
  | ({ readonly kind: 'tool' } & Schema)
  | { readonly kind: 'instruction'; readonly text: string }

const ONE_VALUE = 'Answer with one JSON value and nothing else: no prose, no code fence.'

/** `called`: tools of the conversation, which rule out one of our own. */
export function answerFormFor(
  { output, tools, reasoning }: NeutralChat,
  traits: ModelTraits,
  called: ReadonlySet<string>,
): AnswerForm {
  if (output === undefined || output.kind === 'text') return { kind: 'text' }
  if (output.kind === 'json') return { kind: 'instruction', text: ONE_VALUE }
  const { schema, description } = output
  const name = output.name.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || 'answer'
  const form = { name, schema, ...(description === undefined ? {} : { description }) }
  if (traits.schemas) return { kind: 'native', ...form }
  // A model that thinks cannot be forced to call a tool.
  const thinks = reasoning !== undefined && reasoning.effort !== 'none'
  const free = tools.length === 0 && called.size === 0 && !thinks
  if (free && traits.forcedTools === 'tool' && traits.family !== 'unknown' && schema['type'] === 'object') {
    return { kind: 'tool', ...form }
  }
  return { kind: 'instruction', text: `${ONE_VALUE} It must match this JSON schema: ${JSON.stringify(schema)}` }
}
