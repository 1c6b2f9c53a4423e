// A Messages request in no dialect, for a provider that speaks another. What only Anthropic can do (its own tools, its
// containers) is refused by name instead of silently left away.
import { AppError } from '../../core/errors.ts'
import { layoutOf } from '../../core/json-members.ts'
import type { Message, NeutralChat, OutputFormat, Reasoning, ToolChoice, ToolDefinition } from '../../llm/request.ts'
import { parseExact } from '../exact-json.ts'
import { isObject, type Json, objectsIn, textOf } from '../json.ts'
import { isStrictForOpenAi } from '../openai-strict.ts'
import { cacheOf, readAssistantParts, readTextParts, readUserParts } from './read-parts.ts'
import type { MessagesBody } from './read-request.ts'

/** Throws AppError `malformed` that names the field. */
export function readNeutral(body: MessagesBody, bytes: Buffer): NeutralChat {
  const own = ANTHROPIC_ONLY.find((field) => isGiven(body[field]))
  if (own !== undefined) throw onlyAnthropic(own)
  const system = readTextParts(body.system, 'system')
  const messages = exactMessages(body, bytes).map((message, i) => readMessage(message, `messages.${i}`))
  const choice = isObject(body['tool_choice']) ? body['tool_choice'] : undefined
  const output = readOutput(body)
  const reasoning = readReasoning(body)
  const user = isObject(body['metadata']) ? textOf(body['metadata']['user_id']) : undefined
  const tier = textOf(body['service_tier'])
  return {
    kind: 'chat',
    messages: system.length > 0 ? [{ role: 'system', parts: system }, ...messages] : messages,
    tools: objectsIn(body.tools).map(readTool),
    ...(choice ? readToolChoice(choice) : {}),
    ...(output ? { output } : {}),
    ...given('maxOutputTokens', body['max_tokens']),
    ...given('temperature', body['temperature']),
    ...given('topP', body['top_p']),
    ...given('topK', body['top_k']),
    ...(Array.isArray(body['stop_sequences']) && body['stop_sequences'].length > 0
      ? { stop: body['stop_sequences'].filter((stop) => typeof stop === 'string') }
      : {}),
    ...(reasoning ? { reasoning } : {}),
    ...(user === undefined ? {} : { user }),
    ...(tier === undefined ? {} : { serviceTier: tier === 'standard_only' ? 'default' : tier }),
  }
}

export const ANTHROPIC_ONLY = ['container', 'mcp_servers', 'thread', 'compaction'] as const

export const isGiven = (value: unknown): boolean =>
  value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)

/** `what`: of which type it is, where that says more. */
const onlyAnthropic = (field: string, what?: string): AppError =>
  new AppError(
    'malformed',
    `The field ${field}${what === undefined ? '' : ` (${what})`} means something only to Anthropic, and this provider speaks another language.`,
    { field },
  )

type Numbers = 'maxOutputTokens' | 'temperature' | 'topP' | 'topK'

const given = (name: Numbers, value: unknown): Partial<Record<Numbers, number>> =>
  typeof value === 'number' ? { [name]: value } : {}

/** Tools were called with numbers of any length. */
function exactMessages({ messages }: MessagesBody, bytes: Buffer): MessagesBody['messages'] {
  if (!messages.some(({ content }) => objectsIn(content).some(({ type }) => type === 'tool_use'))) return messages
  const place = layoutOf(bytes).members.findLast(({ key }) => key === 'messages')
  return place ? (parseExact(bytes.toString('utf8', place.start, place.end)) as MessagesBody['messages']) : messages
}

function readMessage({ role, content }: { readonly role: string; readonly content: unknown }, at: string): Message {
  if (role === 'system') return { role, parts: readTextParts(content, `${at}.content`) }
  return role === 'assistant'
    ? { role, parts: readAssistantParts(content, `${at}.content`) }
    : { role: 'user', parts: readUserParts(content, `${at}.content`) }
}

function readTool(tool: Json, i: number): ToolDefinition {
  const type = textOf(tool['type']) ?? 'custom'
  // Both what Anthropic runs itself and what has its form only in its models' training.
  if (type !== 'custom') throw onlyAnthropic(`tools.${i}.type`, type)
  const name = textOf(tool['name'])
  const parameters = isObject(tool['input_schema']) ? tool['input_schema'] : { type: 'object', properties: {} }
  if (name === undefined) {
    throw new AppError('malformed', `The field tools.${i}.name is missing.`, { field: `tools.${i}.name` })
  }
  const description = textOf(tool['description'])
  return {
    name,
    ...(description === undefined ? {} : { description }),
    parameters,
    ...(typeof tool['strict'] === 'boolean' ? { strict: tool['strict'] && isStrictForOpenAi(parameters) } : {}),
    ...cacheOf(tool),
  }
}

function readToolChoice(choice: Json): { toolChoice?: ToolChoice; parallelToolCalls?: boolean } {
  const toolChoice = choiceOf(choice)
  return {
    ...(toolChoice ? { toolChoice } : {}),
    ...(choice['disable_parallel_tool_use'] === true ? { parallelToolCalls: false } : {}),
  }
}

function choiceOf(choice: Json): ToolChoice | undefined {
  switch (choice['type']) {
    case 'auto':
    case 'none':
      return { kind: choice['type'] }
    case 'any':
      return { kind: 'required' }
    case 'tool':
      return { kind: 'tool', name: textOf(choice['name']) ?? '' }
    default:
      throw new AppError('malformed', 'The field tool_choice.type must be auto, any, tool or none.', {
        field: 'tool_choice.type',
      })
  }
}

/** `output_config.format`, and the older `output_format`. */
function readOutput(body: MessagesBody): OutputFormat | undefined {
  const config = isObject(body['output_config']) ? body['output_config'] : {}
  const format = isObject(config['format']) ? config['format'] : body['output_format']
  if (!isObject(format) || format['type'] !== 'json_schema' || !isObject(format['schema'])) return undefined
  return { kind: 'schema', name: 'answer', schema: format['schema'], strict: isStrictForOpenAi(format['schema']) }
}

const EFFORTS: Readonly<Record<string, Reasoning['effort']>> = {
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  max: 'xhigh',
}

function readReasoning(body: MessagesBody): Reasoning | undefined {
  const config = isObject(body['output_config']) ? body['output_config'] : {}
  const thinking = isObject(body['thinking']) ? body['thinking'] : {}
  const effort = EFFORTS[textOf(config['effort']) ?? '']
  switch (thinking['type']) {
    case 'disabled':
    case 'between_tools':
      return { effort: 'none' }
    case 'enabled':
    case 'adaptive':
      return {
        ...(effort ? { effort } : {}),
        ...(typeof thinking['budget_tokens'] === 'number' ? { budgetTokens: thinking['budget_tokens'] } : {}),
        visible: thinking['display'] !== 'omitted',
      }
    default:
      return effort ? { effort } : undefined
  }
}
