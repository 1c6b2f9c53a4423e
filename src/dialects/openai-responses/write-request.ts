// A Responses body from a request in no dialect. The provider is asked to keep nothing, and to hand its reasoning over, so
// that the next request can bring it back. What Responses has no word for and only tunes (seed, penalties, `top_k`) is
// left away; what would change the answer is refused.
import { AppError } from '../../core/errors.ts'
import type { Upstream } from '../../llm/dialect.ts'
import type { NeutralChat, NeutralRequest, OutputFormat, ToolChoice, ToolDefinition } from '../../llm/request.ts'
import { effortOf } from '../effort.ts'
import { given, type Json, jsonBytes } from '../json.ts'
import { isOpenAiModel, isOpenAiReasoning } from '../openai-models.ts'
import { OPENAI_USER, userWithin } from '../user.ts'
import { writeInput } from './write-input.ts'

/** The least that OpenAI takes; a smaller limit would be refused. */
const LEAST_OUTPUT_TOKENS = 16

/** Throws AppError `malformed` for what Responses cannot say. */
export function writeResponsesRequest(request: NeutralRequest, { model, stream, prefill }: Upstream): Buffer {
  if (request.kind !== 'chat') throw new AppError('malformed', 'A chat model makes no embeddings. Ask another model.')
  if (request.stop) throw cannot('stop', 'takes no stop sequences')
  if ((request.choices ?? 1) > 1) throw cannot('n', 'gives one answer at a time')
  const input = writeInput(request.messages)
  return jsonBytes({
    model,
    input: prefill === undefined ? input : [...input, { role: 'assistant', content: prefill }],
    store: false,
    ...(stream ? { stream } : {}),
    ...writeTools(request),
    ...given({
      max_output_tokens: request.maxOutputTokens && Math.max(LEAST_OUTPUT_TOKENS, request.maxOutputTokens),
      text: request.output && writeFormat(request.output),
      user: userWithin(OPENAI_USER, request.user),
      metadata: request.metadata,
      service_tier: isOpenAiModel(model) && TIERS.has(request.serviceTier) ? request.serviceTier : undefined,
    }),
    ...writeTuning(request, model),
  })
}

function writeTuning(request: NeutralChat, model: string): Json {
  const effort = effortOf(request.reasoning)
  const sampling = given({ temperature: request.temperature, top_p: request.topP })
  const reasoning = given({ effort, summary: request.reasoning?.visible === true ? 'auto' : undefined })
  if (isOpenAiReasoning(model)) {
    return {
      include: ['reasoning.encrypted_content'],
      ...(Object.keys(reasoning).length > 0 ? { reasoning } : {}),
      ...(effort === 'none' ? sampling : {}),
    }
  }
  return { ...(isOpenAiModel(model) || effort === undefined ? {} : { reasoning: { effort } }), ...sampling }
}

function writeTools({ tools, toolChoice, parallelToolCalls }: NeutralChat): Json {
  if (tools.length === 0) return {}
  return {
    tools: tools.map(writeTool),
    ...given({ tool_choice: toolChoice && writeToolChoice(toolChoice), parallel_tool_calls: parallelToolCalls }),
  }
}

/** Here tools are strict unless they say otherwise; everywhere else it is the other way round. */
const writeTool = ({ name, description, parameters, strict }: ToolDefinition): Json => ({
  type: 'function',
  name,
  ...given({ description }),
  parameters,
  strict: strict ?? false,
})

const writeToolChoice = (choice: ToolChoice): unknown =>
  choice.kind === 'tool' ? { type: 'function', name: choice.name } : choice.kind

function writeFormat(output: OutputFormat): Json | undefined {
  switch (output.kind) {
    case 'text':
      return undefined
    case 'json':
      return { format: { type: 'json_object' } }
    case 'schema': {
      const { name, schema, strict, description } = output
      return { format: { type: 'json_schema', name, schema, strict: strict ?? false, ...given({ description }) } }
    }
  }
}

const TIERS: ReadonlySet<string | undefined> = new Set(['auto', 'default', 'flex', 'priority'])

const cannot = (field: string, why: string): AppError =>
  new AppError('malformed', `The provider of this model ${why}. Leave ${field} away or ask another model.`, { field })
