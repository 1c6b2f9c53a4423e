// A chat body from a request in no dialect, such that OpenAI, Azure, vLLM and the many others that speak it take it. Each
// refuses other fields, so those that only tune are left away where they would be refused: a request that is served
// without `top_k` is better than one that is not. Left away for all: `top_k` (OpenAI and Groq refuse it), metadata (OpenAI
// takes it only of what it is to store), cache marks (these providers cache by themselves).
import { AppError } from '../../core/errors.ts'
import type { Upstream } from '../../llm/dialect.ts'
import type { NeutralChat, NeutralRequest, OutputFormat, ToolChoice, ToolDefinition } from '../../llm/request.ts'
import { effortOf } from '../effort.ts'
import { given, type Json, jsonBytes } from '../json.ts'
import { isOpenAiModel, isOpenAiReasoning } from '../openai-models.ts'
import { OPENAI_USER, userWithin } from '../user.ts'
import { writeMessages } from './write-messages.ts'

/**
 * How the limit of tokens is called. OpenAI and Azure take `max_completion_tokens` of every model, and of reasoning models
 * nothing else; Mistral, older vLLM and Ollama know only `max_tokens`.
 */
export type TokenLimit = 'max_tokens' | 'max_completion_tokens'

/** `limit`: where it is not given, the model's name decides. Throws AppError `malformed` for what chat cannot say. */
export function writeChatRequest(
  request: NeutralRequest,
  { model, stream, prefill }: Upstream,
  limit: TokenLimit = isOpenAiReasoning(model) ? 'max_completion_tokens' : 'max_tokens',
): Buffer {
  if (request.kind !== 'chat') throw new AppError('malformed', 'A chat model makes no embeddings. Ask another model.')
  const messages = writeMessages(request.messages, model)
  return jsonBytes({
    model,
    messages: prefill === undefined ? messages : [...messages, { role: 'assistant', content: prefill }],
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
    // vLLM's way to be told that the last message is to be gone on with; only asked of those whose config says they can.
    ...(prefill === undefined ? {} : { add_generation_prompt: false, continue_final_message: true }),
    ...writeTools(request),
    ...given({
      [limit]: request.maxOutputTokens,
      response_format: request.output && writeFormat(request.output),
      stop: request.stop,
      seed: request.seed,
      n: request.choices === 1 ? undefined : request.choices,
      user: userWithin(OPENAI_USER, request.user),
      service_tier: isTier(request.serviceTier) && isOpenAiModel(model) ? request.serviceTier : undefined,
    }),
    ...writeTuning(request, model),
  })
}

/**
 * OpenAI's reasoning models refuse sampling, its others refuse an effort. Who serves other models takes both, but of
 * efforts only the three that there are everywhere.
 */
function writeTuning(request: NeutralChat, model: string): Json {
  const effort = effortOf(request.reasoning)
  const sampling = given({
    temperature: request.temperature,
    top_p: request.topP,
    frequency_penalty: request.frequencyPenalty,
    presence_penalty: request.presencePenalty,
  })
  if (isOpenAiReasoning(model))
    return { ...given({ reasoning_effort: effort }), ...(effort === 'none' ? sampling : {}) }
  return isOpenAiModel(model) ? sampling : { ...given({ reasoning_effort: effort && COMMON[effort] }), ...sampling }
}

const COMMON = { none: undefined, minimal: 'low', low: 'low', medium: 'medium', high: 'high', xhigh: 'high' } as const

function writeTools({ tools, toolChoice, parallelToolCalls }: NeutralChat): Json {
  if (tools.length === 0) return {}
  return {
    tools: tools.map(writeTool),
    ...given({ tool_choice: toolChoice && writeToolChoice(toolChoice), parallel_tool_calls: parallelToolCalls }),
  }
}

const writeTool = ({ name, description, parameters, strict }: ToolDefinition): Json => ({
  type: 'function',
  function: { name, ...given({ description, strict }), parameters },
})

const writeToolChoice = (choice: ToolChoice): unknown =>
  choice.kind === 'tool' ? { type: 'function', function: { name: choice.name } } : choice.kind

function writeFormat(output: OutputFormat): Json | undefined {
  switch (output.kind) {
    case 'text':
      return undefined
    case 'json':
      return { type: 'json_object' }
    case 'schema': {
      const { name, schema, strict, description } = output
      return { type: 'json_schema', json_schema: { name, schema, ...given({ strict, description }) } }
    }
  }
}

const isTier = (tier: string | undefined): boolean =>
  tier === 'auto' || tier === 'default' || tier === 'flex' || tier === 'priority'
