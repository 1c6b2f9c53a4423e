// The body of a Converse from a request in no dialect. What Bedrock has no word for (seed, penalties, a limit to one tool
// call) is left out; what only some models take is said only to them.
import type { Buffer } from 'node:buffer'
import { closedSchema } from '../../dialects/anthropic-messages/schema.ts'
import { thinkingFor } from '../../dialects/anthropic-messages/thinking.ts'
import { given, type Json, jsonBytes } from '../../dialects/json.ts'
import type { NeutralChat } from '../../llm/request.ts'
import { type ModelTraits, traitsOf } from './models.ts'
import { type AnswerForm, answerFormFor, type Schema } from './structured.ts'
import { toolsFor } from './tools.ts'
import { writeConversation } from './write-messages.ts'

export interface Written {
  readonly body: Buffer
  /** The tool whose arguments are the answer itself; null where the answer is what the model says. */
  readonly answerTool: string | null
}

/** Throws AppError `malformed` for what Bedrock cannot be asked. */
export function writeConverse(request: NeutralChat, model: string, prefill?: string): Written {
  const traits = traitsOf(model)
  const { system, messages, called, unsignedCalls } = writeConversation(request.messages, prefill, traits)
  const form = answerFormFor(request, traits, called)
  const tools = toolsFor(request, traits, called, form)
  const { thinking, maxTokens } = thinkingOf(request, traits, unsignedCalls, form)
  const instructions = [form.kind === 'instruction' ? form.text : undefined, tools.instruction]
  const said = [...system, ...instructions.flatMap((text) => (text === undefined ? [] : [{ text }]))]
  const inference = { ...given({ maxTokens }), ...sampling(request, traits, thinking.on), ...stop(request) }
  const additional = { ...thinking.fields, ...topK(request, traits, thinking.on) }
  const body = {
    messages,
    ...(said.length > 0 ? { system: said } : {}),
    ...(Object.keys(inference).length > 0 ? { inferenceConfig: inference } : {}),
    ...(tools.config ? { toolConfig: tools.config } : {}),
    ...(form.kind === 'native' ? { outputConfig: outputConfig(form) } : {}),
    ...(Object.keys(additional).length > 0 ? { additionalModelRequestFields: additional } : {}),
    ...(traits.family === 'claude' && request.stop?.length ? { additionalModelResponseFieldPaths: STOPPED_BY } : {}),
  }
  return { body: jsonBytes(body), answerTool: form.kind === 'tool' ? form.name : null }
}

/** Where Claude says which stop sequence it met: of a stream, of a plain answer. */
const STOPPED_BY = ['/delta/stop_sequence', '/stop_sequence']

interface Thinking {
  readonly on: boolean
  readonly fields: Json
}

/** As Anthropic itself takes it. What other makers' models think cannot be steered by any common word. */
function thinkingOf(
  request: NeutralChat,
  { claude }: ModelTraits,
  unsignedCalls: boolean,
  form: AnswerForm,
): { thinking: Thinking; maxTokens: number | undefined } {
  const asked = request.maxOutputTokens
  if (!claude || form.kind === 'tool') return { thinking: { on: false, fields: {} }, maxTokens: asked }
  const most = asked ?? claude.maxOutputTokens
  const { thinking, effort, on } = thinkingFor(request, claude, most, unsignedCalls)
  const fields = {
    ...(thinking ? { thinking } : {}),
    ...(effort === undefined ? {} : { output_config: { effort } }),
  }
  return { thinking: { on, fields }, maxTokens: thinking?.['type'] === 'enabled' ? most : asked }
}

/** Of temperature and topP Claude takes one, and while it thinks or is new none. Others' temperatures go up to 2. */
function sampling({ temperature, topP }: NeutralChat, { family, claude }: ModelTraits, thinks: boolean): Json {
  if (family === 'claude' && (thinks || claude?.sampling === false)) return {}
  const both = family !== 'claude' || temperature === undefined
  return given({
    temperature: temperature === undefined ? undefined : Math.min(temperature, 1),
    topP: both ? topP : undefined,
  })
}

function topK({ topK: k }: NeutralChat, { family, claude }: ModelTraits, thinks: boolean): Json {
  if (k === undefined) return {}
  if (family === 'nova') return { inferenceConfig: { topK: k } }
  return family === 'claude' && !thinks && claude?.sampling === true ? { top_k: k } : {}
}

function stop({ stop: given }: NeutralChat): Json {
  return given && given.length > 0 ? { stopSequences: given } : {}
}

const outputConfig = ({ name, schema, description }: Schema): Json => ({
  textFormat: {
    type: 'json_schema',
    structure: { jsonSchema: { name, schema: JSON.stringify(closedSchema(schema)), ...given({ description }) } },
  },
})
