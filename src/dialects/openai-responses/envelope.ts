// A response without its output: who answers, and what was asked, which OpenAI repeats in every answer.
import type { Ask } from '../../llm/dialect.ts'
import { isObject, type Json, objectsIn, textOf } from '../json.ts'

export interface Head {
  readonly id: string
  readonly model: string
  readonly createdS: number
}

/** What of a response is known before it has begun. */
export function echoOf(ask: Pick<Ask, 'body'>): Json {
  const body = JSON.parse(ask.body.toString('utf8')) as Json
  const text = isObject(body['text']) ? body['text'] : {}
  return {
    instructions: textOf(body['instructions']) ?? null,
    max_output_tokens: numberOf(body['max_output_tokens']),
    metadata: isObject(body['metadata']) ? body['metadata'] : {},
    parallel_tool_calls: body['parallel_tool_calls'] !== false,
    previous_response_id: textOf(body['previous_response_id']) ?? null,
    reasoning: isObject(body['reasoning']) ? body['reasoning'] : null,
    store: body['store'] === true,
    temperature: numberOf(body['temperature']),
    text: { ...text, format: isObject(text['format']) ? text['format'] : { type: 'text' } },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: objectsIn(body['tools']).map(asTold),
    top_p: numberOf(body['top_p']),
    truncation: body['truncation'] === 'auto' ? 'auto' : 'disabled',
  }
}

/** `end`: how it ended; null while it is under way. */
export function envelope(head: Head, echo: Json, output: readonly Json[], end: End | null, usage?: Json): Json {
  return {
    id: head.id,
    object: 'response',
    created_at: head.createdS,
    status: end === null ? 'in_progress' : end.incomplete === null ? 'completed' : 'incomplete',
    background: false,
    error: null,
    incomplete_details: end?.incomplete ? { reason: end.incomplete } : null,
    model: head.model,
    output,
    ...echo,
    ...(usage === undefined ? {} : { usage }),
  }
}

export interface End {
  /** Why it is not whole; null where it is. */
  readonly incomplete: 'max_output_tokens' | 'content_filter' | null
}

/** A function always has all its fields in an answer. */
const asTold = (tool: Json): Json =>
  tool['type'] === 'function'
    ? {
        ...tool,
        description: tool['description'] ?? null,
        parameters: tool['parameters'] ?? null,
        strict: tool['strict'] ?? true,
      }
    : tool

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null)
