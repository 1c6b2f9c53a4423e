// A Responses request in no dialect. Items that follow one another and are the model's (reasoning, words, calls) are one
// message; so are the outputs of its calls.
import { AppError } from '../../core/errors.ts'
import { parseAs } from '../../core/parse.ts'
import type {
  AssistantPart,
  FilePart,
  ImagePart,
  Message,
  NeutralChat,
  OutputFormat,
  ReasoningPart,
  TextPart,
  ToolChoice,
  ToolDefinition,
  ToolResultPart,
} from '../../llm/request.ts'
import { base64Of, mediaTypeOf, sourceOf } from '../data-url.ts'
import { given } from '../json.ts'
import { type ResponsesBody, responsesRequest } from './request-schema.ts'
import { readProof } from './reasoning-proof.ts'

type Item = ResponsesBody['input'][number]
type Of<Type extends Item['type']> = Extract<Item, { type: Type }>
type Part = Of<'message'>['content'][number]

/** Throws `malformed` naming the field, also for what only a provider with Responses could do. */
export function readNeutral(value: Readonly<Record<string, unknown>>): NeutralChat {
  const body = parseAs(responsesRequest, value)
  const { tools, toolChoice } = readTools(body)
  const { effort, summary } = body.reasoning ?? {}
  return {
    kind: 'chat',
    messages: [
      ...(body.instructions ? [{ role: 'system' as const, parts: [asText(body.instructions)] }] : []),
      ...readItems(body.input),
    ],
    tools,
    ...given({
      toolChoice,
      parallelToolCalls: body.parallel_tool_calls,
      output: body.text?.format && readFormat(body.text.format),
      maxOutputTokens: body.max_output_tokens,
      temperature: body.temperature,
      topP: body.top_p,
      reasoning: effort || summary ? given({ effort, visible: summary ? true : undefined }) : undefined,
      user: body.safety_identifier ?? body.user,
      metadata: body.metadata,
      serviceTier: body.service_tier,
    }),
  }
}

function readItems(items: readonly Item[]): Message[] {
  const out: Message[] = []
  let said: AssistantPart[] | undefined
  let results: ToolResultPart[] | undefined
  const say = (...parts: AssistantPart[]) => {
    results = undefined
    if (!said) out.push({ role: 'assistant', parts: (said = []) })
    said.push(...parts)
  }
  for (const [i, item] of items.entries()) {
    switch (item.type) {
      case 'message':
        if (item.role === 'assistant')
          say(...item.content.flatMap((part, j) => readSaid(part, `input.${i}.content.${j}`)))
        else {
          said = results = undefined
          out.push(readMessage(item, `input.${i}.content`))
        }
        break
      case 'reasoning':
        say(...readReasoning(item))
        break
      case 'function_call':
        say({ kind: 'tool-call', id: item.call_id, name: item.name, arguments: item.arguments.trim() || '{}' })
        break
      case 'function_call_output': {
        said = undefined
        if (!results) out.push({ role: 'user', parts: (results = []) })
        const parts = item.output.map((part, j) => readPart(part, `input.${i}.output.${j}`))
        results.push({ kind: 'tool-result', callId: item.call_id, parts })
      }
    }
  }
  return out
}

function readMessage({ role, content }: Of<'message'>, field: string): Message {
  if (role === 'user') return { role, parts: content.map((part, i) => readPart(part, `${field}.${i}`)) }
  return {
    role: 'system',
    parts: content.map((part, i) => {
      const read = readPart(part, `${field}.${i}`)
      if (read.kind === 'text') return read
      throw new AppError('malformed', `The field ${field}.${i} must be a text.`, { field: `${field}.${i}` })
    }),
  }
}

function readSaid(part: Part, field: string): AssistantPart[] {
  if (part.type === 'refusal') return [{ kind: 'refusal', text: part.refusal }]
  const read = readPart(part, field)
  if (read.kind === 'text') return read.text === '' ? [] : [read]
  throw new AppError('malformed', `The field ${field} must be a text or a refusal.`, { field })
}

function readPart(part: Part, field: string): TextPart | ImagePart | FilePart {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return asText(part.text)
    case 'refusal':
      return asText(part.refusal)
    case 'input_image': {
      const { image_url: url, detail } = part
      return {
        kind: 'image',
        source: sourceOf(url, `${field}.image_url`),
        ...(detail === 'low' || detail === 'high' || detail === 'auto' ? { detail } : {}),
      }
    }
    case 'input_file':
      return { kind: 'file', source: readFile(part, field), ...given({ name: part.filename }) }
  }
}

function readFile(file: Extract<Part, { type: 'input_file' }>, field: string): FilePart['source'] {
  if (file.file_data) {
    return (
      base64Of(file.file_data) ?? {
        kind: 'base64',
        mediaType: mediaTypeOf(file.filename ?? undefined),
        data: file.file_data,
      }
    )
  }
  if (file.file_url) return sourceOf(file.file_url, `${field}.file_url`)
  if (file.file_id) return { kind: 'id', id: file.file_id }
  throw new AppError('malformed', `The field ${field} needs file_data, file_url or file_id.`, { field })
}

function readReasoning({ summary, content, encrypted_content: proof }: Of<'reasoning'>): ReasoningPart[] {
  const text = [...summary, ...(content ?? [])].map((one) => one.text).join('\n\n')
  if (text === '' && !proof) return []
  return [{ kind: 'reasoning', text, ...(proof ? readProof(proof) : {}) }]
}

function readTools({ tools, tool_choice: choice }: ResponsesBody): {
  tools: ToolDefinition[]
  toolChoice?: ToolChoice
} {
  const all = (tools ?? []).map(({ name, description, parameters, strict }): ToolDefinition => ({
    name,
    parameters: parameters ?? { type: 'object', properties: {} },
    ...given({ description, strict }),
  }))
  if (!choice) return { tools: all }
  if (typeof choice === 'string') return { tools: all, toolChoice: { kind: choice } }
  if (choice.type === 'function') return { tools: all, toolChoice: { kind: 'tool', name: choice.name } }
  const allowed = new Set(choice.tools.map((tool) => tool.name))
  return { tools: all.filter(({ name }) => allowed.has(name)), toolChoice: { kind: choice.mode } }
}

function readFormat(format: NonNullable<NonNullable<ResponsesBody['text']>['format']>): OutputFormat {
  switch (format.type) {
    case 'text':
      return { kind: 'text' }
    case 'json_object':
      return { kind: 'json' }
    case 'json_schema': {
      const { name, schema, strict, description } = format
      return { kind: 'schema', name, schema, ...given({ strict, description }) }
    }
  }
}

const asText = (text: string): TextPart => ({ kind: 'text', text })
