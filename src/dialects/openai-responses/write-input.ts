// Items of a Responses request from messages in no dialect. Reasoning that OpenAI has proved to be its own goes back as it
// came; any other is left away.
import { AppError } from '../../core/errors.ts'
import type { AssistantPart, FilePart, Message, ToolResultPart, UserPart } from '../../llm/request.ts'
import { asDataUrl } from '../data-url.ts'
import type { Json } from '../json.ts'
import { proofOf } from '../proof.ts'

export const writeInput = (messages: readonly Message[]): readonly Json[] => messages.flatMap(writeMessage)

function writeMessage(message: Message): readonly Json[] {
  switch (message.role) {
    case 'system':
      return [{ role: 'system', content: writeContent(message.parts.map(writePart)) }]
    case 'user':
      return writeUser(message.parts)
    case 'assistant':
      return writeAssistant(message.parts)
  }
}

/** The outputs first: they have to follow the calls. */
function writeUser(parts: readonly UserPart[]): readonly Json[] {
  const results = parts.filter((part) => part.kind === 'tool-result')
  const said = parts.filter((part) => part.kind !== 'tool-result').map(writePart)
  return [
    ...results.map(writeResult),
    ...(said.length > 0 || results.length === 0 ? [{ role: 'user', content: writeContent(said) }] : []),
  ]
}

function writeResult({ callId, parts, isError }: ToolResultPart): Json {
  const nothing = isError === true ? 'The tool failed.' : ''
  const output = parts.length === 0 ? nothing : writeContent(parts.map(writePart))
  return { type: 'function_call_output', call_id: callId, output }
}

/**
 * In order. A text is a message of its own, for by OpenAI's document an assistant's list of parts is only what OpenAI has
 * made itself, with its ids; and so a refusal becomes a text.
 */
function writeAssistant(parts: readonly AssistantPart[]): readonly Json[] {
  return parts.flatMap((part): readonly Json[] => {
    switch (part.kind) {
      case 'text':
      case 'refusal':
        return [{ role: 'assistant', content: part.text }]
      case 'tool-call':
        return [{ type: 'function_call', call_id: part.id, name: part.name, arguments: part.arguments }]
      case 'reasoning': {
        const proof = proofOf('openai', part.encrypted)
        if (proof === undefined) return []
        const summary = part.text === '' ? [] : [{ type: 'summary_text', text: part.text }]
        return [{ type: 'reasoning', summary, encrypted_content: proof }]
      }
    }
  })
}

/** A single text as a string. */
function writeContent(parts: readonly Json[]): unknown {
  const [only] = parts
  if (!only) return ''
  return parts.length === 1 && only['type'] === 'input_text' ? only['text'] : parts
}

function writePart(part: Exclude<UserPart, ToolResultPart>): Json {
  switch (part.kind) {
    case 'text':
      return { type: 'input_text', text: part.text }
    case 'image':
      return { type: 'input_image', image_url: asDataUrl(part.source), detail: part.detail ?? 'auto' }
    case 'file':
      return writeFile(part)
    case 'audio':
      throw new AppError('malformed', 'The provider of this model takes no audio. Leave it away or ask another model.')
  }
}

function writeFile({ source, name }: FilePart): Json {
  switch (source.kind) {
    case 'text':
      return { type: 'input_text', text: name === undefined ? source.text : `${name}:\n${source.text}` }
    case 'id':
      return { type: 'input_file', file_id: source.id }
    case 'url':
      return { type: 'input_file', file_url: source.url }
    case 'base64':
      return { type: 'input_file', filename: name ?? 'file', file_data: asDataUrl(source) }
  }
}
