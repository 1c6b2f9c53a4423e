// A chat request in no dialect.
import { AppError } from '../../core/errors.ts'
import { parseAs } from '../../core/parse.ts'
import type {
  AssistantPart,
  CacheMark,
  FilePart,
  Message,
  NeutralChat,
  OutputFormat,
  Reasoning,
  TextPart,
  ToolChoice,
  ToolDefinition,
  UserPart,
} from '../../llm/request.ts'
import { base64Of, mediaTypeOf, sourceOf } from '../data-url.ts'
import { given } from '../json.ts'
import { type ChatBody, chatRequest } from './request-schema.ts'

type ChatMessage = ChatBody['messages'][number]
type Of<Role extends ChatMessage['role']> = Extract<ChatMessage, { role: Role }>

/** Throws `malformed` naming the field, also for what has no meaning outside of this dialect. */
export function readNeutral(value: Readonly<Record<string, unknown>>): NeutralChat {
  const body = parseAs(chatRequest, value)
  const { tools, toolChoice } = readTools(body)
  return {
    kind: 'chat',
    messages: readMessages(body.messages),
    tools,
    ...given({
      toolChoice,
      parallelToolCalls: body.parallel_tool_calls,
      output: body.response_format && readFormat(body.response_format),
      maxOutputTokens: body.max_completion_tokens ?? body.max_tokens,
      temperature: body.temperature,
      topP: body.top_p,
      topK: body.top_k,
      stop: body.stop?.length ? body.stop : undefined,
      seed: body.seed,
      frequencyPenalty: body.frequency_penalty,
      presencePenalty: body.presence_penalty,
      reasoning: readReasoning(body),
      choices: body.n,
      user: body.safety_identifier ?? body.user,
      metadata: body.metadata,
      serviceTier: body.service_tier,
    }),
  }
}

/** Results of tools that follow one another are one turn of the user's. */
function readMessages(messages: readonly ChatMessage[]): Message[] {
  const out: Message[] = []
  let results: UserPart[] | undefined
  for (const [i, message] of messages.entries()) {
    if (message.role !== 'tool') results = undefined
    switch (message.role) {
      case 'system':
      case 'developer':
        out.push({ role: 'system', parts: message.content.map(readText) })
        break
      case 'user':
        out.push({
          role: 'user',
          parts: message.content.map((part, j) => readUserPart(part, `messages.${i}.content.${j}`)),
          ...given({ name: message.name }),
        })
        break
      case 'assistant':
        out.push({ role: 'assistant', parts: readAssistant(message) })
        break
      case 'tool': {
        if (!results) out.push({ role: 'user', parts: (results = []) })
        results.push({ kind: 'tool-result', callId: message.tool_call_id, parts: message.content.map(readText) })
      }
    }
  }
  return out
}

function readAssistant(message: Of<'assistant'>): AssistantPart[] {
  const parts: AssistantPart[] = []
  const reasoning = message.reasoning_content ?? message.reasoning
  if (reasoning) parts.push({ kind: 'reasoning', text: reasoning })
  for (const part of message.content ?? []) {
    if (part.type === 'refusal') parts.push({ kind: 'refusal', text: part.refusal })
    else if (part.text !== '') parts.push(readText(part))
  }
  if (message.refusal) parts.push({ kind: 'refusal', text: message.refusal })
  for (const { id, function: called } of message.tool_calls ?? []) {
    parts.push({ kind: 'tool-call', id, name: called.name, arguments: called.arguments.trim() || '{}' })
  }
  return parts
}

type GivenPart = Of<'user'>['content'][number]

function readUserPart(part: GivenPart, field: string): UserPart {
  switch (part.type) {
    case 'text':
      return readText(part)
    case 'image_url': {
      const { url, detail } = part.image_url
      return {
        kind: 'image',
        source: sourceOf(url, `${field}.image_url.url`),
        ...(detail === 'low' || detail === 'high' || detail === 'auto' ? { detail } : {}),
        ...cacheMark(part.cache_control),
      }
    }
    case 'file':
      return { ...readFile(part.file, `${field}.file`), ...cacheMark(part.cache_control) }
    case 'input_audio':
      return { kind: 'audio', format: part.input_audio.format, data: part.input_audio.data }
  }
}

function readFile(file: Extract<GivenPart, { type: 'file' }>['file'], field: string): FilePart {
  const name = file.filename ?? undefined
  if (file.file_data) {
    const source = base64Of(file.file_data) ?? {
      kind: 'base64' as const,
      mediaType: mediaTypeOf(name),
      data: file.file_data,
    }
    return { kind: 'file', source, ...given({ name }) }
  }
  if (file.file_id) return { kind: 'file', source: { kind: 'id', id: file.file_id }, ...given({ name }) }
  throw new AppError('malformed', `The field ${field} needs file_data or file_id.`, { field })
}

const readText = ({ text, cache_control: cache }: { text: string; cache_control?: GivenCache }): TextPart => ({
  kind: 'text',
  text,
  ...cacheMark(cache),
})

type GivenCache = { readonly ttl?: CacheMark['ttl'] | null | undefined } | null | undefined

const cacheMark = (cache: GivenCache): { cache?: CacheMark } => (cache ? { cache: { ttl: cache.ttl ?? '5m' } } : {})

function readTools({ tools, tool_choice: choice }: ChatBody): { tools: ToolDefinition[]; toolChoice?: ToolChoice } {
  const all = (tools ?? []).map(
    ({ function: { name, description, parameters, strict }, cache_control: cache }): ToolDefinition => ({
      name,
      parameters: parameters ?? { type: 'object', properties: {} },
      ...given({ description, strict }),
      ...cacheMark(cache),
    }),
  )
  if (!choice) return { tools: all }
  if (typeof choice === 'string') return { tools: all, toolChoice: { kind: choice } }
  if (choice.type === 'function') return { tools: all, toolChoice: { kind: 'tool', name: choice.function.name } }
  const allowed = new Set(choice.allowed_tools.tools.map((tool) => tool.function.name))
  return { tools: all.filter(({ name }) => allowed.has(name)), toolChoice: { kind: choice.allowed_tools.mode } }
}

function readFormat(format: NonNullable<ChatBody['response_format']>): OutputFormat {
  switch (format.type) {
    case 'text':
      return { kind: 'text' }
    case 'json_object':
      return { kind: 'json' }
    case 'json_schema': {
      const { name, schema, strict, description } = format.json_schema
      return { kind: 'schema', name, schema: schema ?? {}, ...given({ strict, description }) }
    }
  }
}

function readReasoning({ reasoning_effort: effort, reasoning }: ChatBody): Reasoning | undefined {
  if (!effort && !reasoning) return undefined
  return given({
    effort: effort ?? reasoning?.effort,
    budgetTokens: reasoning?.max_tokens,
    visible: reasoning?.exclude === true ? false : undefined,
  })
}
