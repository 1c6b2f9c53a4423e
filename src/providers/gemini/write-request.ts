// The body of a generateContent from a request in no dialect. What Gemini has no word for (a limit to one tool call, log
// probabilities of a stream, metadata) is left out; what it has another word for is said in that.
import type { Buffer } from 'node:buffer'
import { given, type Json, jsonBytes } from '../../dialects/json.ts'
import type { NeutralChat, ToolChoice, ToolDefinition } from '../../llm/request.ts'
import { traitsOf, thinkingFor, type ModelTraits } from './models.ts'
import { acceptedSchema } from './schema.ts'
import { writeContents } from './write-contents.ts'

/** Throws AppError `malformed` for what Gemini cannot be asked. */
export function writeGenerateContent(request: NeutralChat, model: string, prefill?: string): Buffer {
  const traits = traitsOf(model)
  const { system, contents } = writeContents(request.messages, prefill, traits)
  const output = outputFor(request, traits)
  const instructions = [...system, ...(output.instruction === undefined ? [] : [{ text: output.instruction }])]
  const config = {
    ...given({
      maxOutputTokens: request.maxOutputTokens,
      stopSequences: request.stop?.length ? request.stop : undefined,
      temperature: request.temperature,
      topP: request.topP,
      topK: request.topK,
      seed: request.seed,
      frequencyPenalty: request.frequencyPenalty,
      presencePenalty: request.presencePenalty,
      candidateCount: request.choices !== undefined && request.choices > 1 ? request.choices : undefined,
      thinkingConfig: thinkingFor(request.reasoning, traits),
    }),
    ...output.config,
  }
  return jsonBytes({
    ...(instructions.length > 0 ? { systemInstruction: { parts: instructions } } : {}),
    contents,
    ...toolsFor(request),
    ...(Object.keys(config).length > 0 ? { generationConfig: config } : {}),
  })
}

/** JSON by constraint where the model can, by instruction where tools forbid it. */
function outputFor({ output, tools }: NeutralChat, traits: ModelTraits): { config: Json; instruction?: string } {
  if (output === undefined || output.kind === 'text') return { config: {} }
  const schema = output.kind === 'schema' ? acceptedSchema(output.schema) : undefined
  if (tools.length === 0 || traits.schemaWithTools) {
    return { config: { responseMimeType: 'application/json', ...(schema ? { responseJsonSchema: schema } : {}) } }
  }
  const like = schema ? ` It must match this JSON schema: ${JSON.stringify(schema)}` : ''
  return {
    config: {},
    instruction: `Where you answer in words, answer with one JSON value and nothing else: no prose, no code fence.${like}`,
  }
}

function toolsFor({ tools, toolChoice }: NeutralChat): Json {
  if (tools.length === 0) return {}
  return {
    tools: [{ functionDeclarations: tools.map(writeTool) }],
    ...(toolChoice ? { toolConfig: { functionCallingConfig: writeChoice(toolChoice) } } : {}),
  }
}

function writeTool({ name, description, parameters }: ToolDefinition): Json {
  // A schema of an object without members is refused; no schema means the same.
  const { properties } = parameters
  const empty = properties === undefined || (properties !== null && Object.keys(properties).length === 0)
  return {
    name,
    ...given({ description }),
    ...(empty && parameters['$ref'] === undefined ? {} : { parametersJsonSchema: acceptedSchema(parameters) }),
  }
}

function writeChoice(choice: ToolChoice): Json {
  switch (choice.kind) {
    case 'auto':
      return { mode: 'AUTO' }
    case 'none':
      return { mode: 'NONE' }
    case 'required':
      return { mode: 'ANY' }
    case 'tool':
      return { mode: 'ANY', allowedFunctionNames: [choice.name] }
  }
}
