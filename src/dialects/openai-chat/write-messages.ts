// Messages of a chat request from messages in no dialect. What OpenAI's chat has no place for: reasoning is left away (some
// servers refuse it, but see below), a refusal becomes text, images in a tool's result follow in a message of the user's.
import { AppError } from '../../core/errors.ts'
import type {
  AssistantPart,
  FilePart,
  ImagePart,
  Message,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  UserPart,
} from '../../llm/request.ts'
import { asDataUrl } from '../data-url.ts'
import { type Json, objectsIn, textOf } from '../json.ts'
import { isOpenAiModel } from '../openai-models.ts'
import { resultsBehindCalls } from '../tool-results.ts'

/** Makers who refuse a conversation with tool calls from whose turns the reasoning before them is missing. */
const WANTS_REASONING = /deepseek|kimi|minimax|glm-\d|mimo/i

export function writeMessages(messages: readonly Message[], model: string): readonly Json[] {
  const thought = WANTS_REASONING.test(model) && messages.some(reasons)
  const written = resultsBehindCalls(messages).flatMap((message) => writeMessage(message, thought))
  return isOpenAiModel(model) ? written : written.map(inOneText)
}

/** DeepSeek and others know no parts: texts alone are one text to them. A picture they could not see in any case. */
function inOneText(message: Json): Json {
  const { content } = message
  if (!Array.isArray(content)) return message
  const parts = objectsIn(content)
  return parts.every(({ type }) => type === 'text')
    ? { ...message, content: parts.map(({ text }) => textOf(text) ?? '').join('\n\n') }
    : message
}

const reasons = (message: Message): boolean =>
  message.role === 'assistant' && message.parts.some((part) => part.kind === 'reasoning' && part.text !== '')

function writeMessage(message: Message, thought: boolean): readonly Json[] {
  switch (message.role) {
    case 'system':
      // Not `developer`: OpenAI takes `system` for it, and others know no other.
      return [{ role: 'system', content: writeContent(message.parts.map(writeText)) }]
    case 'user':
      return writeUser(message.parts, message.name)
    case 'assistant':
      return [{ ...writeAssistant(message.parts), ...(thought ? writeReasoning(message.parts) : {}) }]
  }
}

/** The results of tools first: they have to follow the calls at once. */
function writeUser(parts: readonly UserPart[], name: string | undefined): readonly Json[] {
  const results = parts.filter((part) => part.kind === 'tool-result')
  const said = [
    ...results.flatMap(shownBy),
    ...parts.filter((part) => part.kind !== 'tool-result').map((part) => writeUserPart(part)),
  ]
  return [
    ...results.map(writeResult),
    ...(said.length > 0 || results.length === 0
      ? [{ role: 'user', content: writeContent(said), ...(name === undefined ? {} : { name }) }]
      : []),
  ]
}

function writeResult({ callId, parts, isError }: ToolResultPart): Json {
  const texts = parts.filter((part) => part.kind === 'text').map(writeText)
  const nothing = isError === true ? 'The tool failed.' : ''
  return { role: 'tool', tool_call_id: callId, content: texts.length === 0 ? nothing : writeContent(texts) }
}

/** What of a result a tool's message cannot hold. */
function shownBy({ callId, parts }: ToolResultPart): readonly Json[] {
  const shown = parts.filter((part) => part.kind !== 'text')
  if (shown.length === 0) return []
  return [{ type: 'text', text: `From the result of the tool call ${callId}:` }, ...shown.map(writeUserPart)]
}

function writeAssistant(parts: readonly AssistantPart[]): Json {
  const texts = parts.flatMap((part) => (part.kind === 'text' || part.kind === 'refusal' ? [writeText(part)] : []))
  const calls = parts.filter((part) => part.kind === 'tool-call').map(writeCall)
  const nothing = calls.length > 0 ? null : ''
  return {
    role: 'assistant',
    content: texts.length === 0 ? nothing : writeContent(texts),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  }
}

/** A turn that calls tools and was not thought about (another model's, say) has to have some too: white space will do. */
function writeReasoning(parts: readonly AssistantPart[]): Json {
  const text = parts.flatMap((part) => (part.kind === 'reasoning' ? [part.text] : [])).join('\n\n')
  const needed = parts.some(({ kind }) => kind === 'tool-call')
  return text !== '' || needed ? { reasoning_content: text || ' ' } : {}
}

const writeCall = ({ id, name, arguments: json }: ToolCallPart): Json => ({
  id,
  type: 'function',
  function: { name, arguments: json },
})

/** A single text as a string, for there are servers that know no parts. */
function writeContent(parts: readonly Json[]): unknown {
  const [only] = parts
  if (!only) return ''
  return parts.length === 1 && only['type'] === 'text' ? only['text'] : parts
}

const writeText = ({ text }: { readonly text: string }): Json => ({ type: 'text', text })

function writeUserPart(part: TextPart | ImagePart | FilePart | Exclude<UserPart, ToolResultPart>): Json {
  switch (part.kind) {
    case 'text':
      return writeText(part)
    case 'image':
      return {
        type: 'image_url',
        image_url: { url: asDataUrl(part.source), ...(part.detail === undefined ? {} : { detail: part.detail }) },
      }
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } }
    case 'file':
      return writeFile(part)
  }
}

function writeFile({ source, name }: FilePart): Json {
  switch (source.kind) {
    case 'text':
      return writeText({ text: name === undefined ? source.text : `${name}:\n${source.text}` })
    case 'id':
      return { type: 'file', file: { file_id: source.id } }
    case 'base64':
      return { type: 'file', file: { filename: name ?? 'file', file_data: asDataUrl(source) } }
    case 'url':
      throw new AppError(
        'malformed',
        'This provider takes files as bytes, not by their address. Send the file in base64, or ask another model.',
      )
  }
}
