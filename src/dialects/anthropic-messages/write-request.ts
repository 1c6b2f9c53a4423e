// A Messages body from a request in no dialect. What Anthropic has no word for (seed, penalties, log probabilities) is
// left out; what it has another word for is said in that; what a model would refuse is not said to it.
import { Buffer } from 'node:buffer'
import { AppError } from '../../core/errors.ts'
import type { Upstream } from '../../llm/dialect.ts'
import type { NeutralChat, NeutralRequest, ToolDefinition } from '../../llm/request.ts'
import type { Json } from '../json.ts'
import { ANTHROPIC_USER, userWithin } from '../user.ts'
import { type ModelTraits, traitsOf } from './models.ts'
import { closedSchema } from './schema.ts'
import { thinkingFor } from './thinking.ts'
import { cacheControl, writeConversation } from './write-messages.ts'

/**
 * The version of the API in which these bodies are written. The next one, 2026-10-21, refuses sampling parameters also
 * of the models that take them.
 */
export const WRITTEN_VERSION = '2023-06-01'

/** Throws AppError `malformed` for what Anthropic cannot be asked. */
export function writeMessagesRequest(request: NeutralRequest, { model, stream, prefill }: Upstream): Buffer {
  if (request.kind !== 'chat') throw new AppError('malformed', 'Anthropic makes no embeddings. Ask another model.')
  const traits = traitsOf(model)
  const conversation = writeConversation(request.messages, prefill)
  const maxTokens = request.maxOutputTokens ?? traits.maxOutputTokens
  const { thinking, effort, on } = thinkingFor(request, traits, maxTokens, conversation.unsignedCalls)
  const { format, instruction } = outputFor(request, traits)
  const tools = toolsFor(request, traits, conversation.called)
  const system = [...conversation.system, ...[instruction, tools.instruction].flatMap(asText)]
  const config = { ...(format ? { format } : {}), ...(effort === undefined ? {} : { effort }) }
  return Buffer.from(
    JSON.stringify({
      model,
      max_tokens: maxTokens,
      ...(stream ? { stream } : {}),
      ...(system.length > 0 ? { system } : {}),
      messages: conversation.messages,
      ...tools.body,
      ...(thinking ? { thinking } : {}),
      ...(Object.keys(config).length > 0 ? { output_config: config } : {}),
      ...(traits.sampling && !on ? sampling(request) : {}),
      ...stopSequences(request.stop),
      ...(request.user === undefined ? {} : { metadata: { user_id: userWithin(ANTHROPIC_USER, request.user) } }),
      ...serviceTier(request.serviceTier),
    }),
  )
}

const asText = (text: string | undefined): readonly Json[] => (text === undefined ? [] : [{ type: 'text', text }])

/** Of temperature and top_p it takes one. Others' temperatures go up to 2, Anthropic's to 1. */
function sampling({ temperature, topP, topK }: NeutralChat): Json {
  return {
    ...(temperature === undefined ? {} : { temperature: Math.min(temperature, 1) }),
    ...(topP === undefined || temperature !== undefined ? {} : { top_p: topP }),
    ...(topK === undefined ? {} : { top_k: topK }),
  }
}

function stopSequences(stop: readonly string[] | undefined): Json {
  if (!stop || stop.length === 0) return {}
  if (stop.some((one) => one.trim() === '')) {
    throw new AppError(
      'malformed',
      'Anthropic takes no stop sequence of white space alone. Leave it out or ask another model.',
      {
        field: 'stop',
      },
    )
  }
  return { stop_sequences: stop }
}

function serviceTier(tier: string | undefined): Json {
  if (tier === 'auto') return { service_tier: 'auto' }
  return tier === 'default' ? { service_tier: 'standard_only' } : {}
}

/** JSON by constraint where the model can, by instruction where it cannot or where no schema is given. */
function outputFor({ output }: NeutralChat, traits: ModelTraits): { format?: Json; instruction?: string } {
  if (output?.kind === 'json')
    return { instruction: 'Answer with one JSON object and nothing else: no prose, no code fence.' }
  if (output?.kind !== 'schema') return {}
  if (traits.schemas) return { format: { type: 'json_schema', schema: closedSchema(output.schema) } }
  const schema = JSON.stringify(output.schema)
  return {
    instruction: `Answer with one JSON value and nothing else: no prose, no code fence. It must match this JSON schema: ${schema}`,
  }
}

interface Tools {
  readonly body: Json
  readonly instruction?: string
}

/** Tools that were called before must be defined, also where none may be called now. */
function toolsFor(request: NeutralChat, traits: ModelTraits, called: ReadonlySet<string>): Tools {
  if (request.tools.length === 0) {
    if (called.size === 0) return { body: {} }
    const tools = [...called].map((name) => ({ name, input_schema: { type: 'object' } }))
    return { body: { tools, tool_choice: { type: 'none' } } }
  }
  const tools = request.tools.map((tool) => writeTool(tool, traits))
  const { toolChoice = { kind: 'auto' } } = request
  const single = request.parallelToolCalls === false ? { disable_parallel_tool_use: true } : {}
  switch (toolChoice.kind) {
    case 'none':
      return { body: { tools, tool_choice: { type: 'none' } } }
    case 'auto':
      return {
        body: { tools, ...(request.parallelToolCalls === false ? { tool_choice: { type: 'auto', ...single } } : {}) },
      }
    case 'required':
      return traits.forcedTools
        ? { body: { tools, tool_choice: { type: 'any', ...single } } }
        : {
            body: { tools, tool_choice: { type: 'auto', ...single } },
            instruction: 'Answer by calling one of the tools.',
          }
    case 'tool':
      return traits.forcedTools
        ? { body: { tools, tool_choice: { type: 'tool', name: toolChoice.name, ...single } } }
        : {
            body: { tools, tool_choice: { type: 'auto', ...single } },
            instruction: `Answer by calling the tool ${toolChoice.name}.`,
          }
  }
}

function writeTool({ name, description, parameters, strict, cache }: ToolDefinition, traits: ModelTraits): Json {
  const constrained = strict === true && traits.schemas
  return {
    name,
    ...(description === undefined ? {} : { description }),
    input_schema: { type: 'object', ...(constrained ? closedSchema(parameters) : parameters) },
    ...(constrained ? { strict } : {}),
    ...cacheControl(cache),
  }
}
