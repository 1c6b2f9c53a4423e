// A conversation in no dialect as Anthropic takes it: what the system says stands apart, turns alternate and begin with
// the user's, results of tools come first in the turn that follows their calls, and no block of text is blank.
import { AppError } from '../../core/errors.ts'
import type { AssistantPart, CacheMark, FilePart, ImagePart, Message, TextPart, UserPart } from '../../llm/request.ts'
import { toolInputOf } from '../exact-json.ts'
import type { Json } from '../json.ts'
import { proofOf } from '../proof.ts'

export interface Conversation {
  readonly system: readonly Json[]
  readonly messages: readonly Turn[]
  /** Tools that the conversation has called. */
  readonly called: ReadonlySet<string>
  /** The tool calls that are being answered were made without thinking that Anthropic has signed. */
  readonly unsignedCalls: boolean
}

export interface Turn {
  readonly role: 'user' | 'assistant'
  readonly content: readonly Json[]
}

/** Throws AppError `malformed` for what Anthropic cannot be told. */
export function writeConversation(given: readonly Message[], prefill: string | undefined): Conversation {
  const system: Json[] = []
  const turns: { role: 'user' | 'assistant'; content: Json[] }[] = []
  const called = new Set<string>()
  const add = (role: 'user' | 'assistant', content: readonly Json[]) => {
    if (content.length === 0) return
    const last = turns.at(-1)
    if (last?.role === role) last.content.push(...content)
    else turns.push({ role, content: [...content] })
  }
  for (const message of given) {
    switch (message.role) {
      case 'system':
        system.push(...message.parts.flatMap(writeText))
        break
      case 'user':
        add('user', message.parts.flatMap(writeUserPart))
        break
      case 'assistant':
        for (const part of message.parts) if (part.kind === 'tool-call') called.add(part.name)
        add('assistant', message.parts.flatMap(writeAssistantPart))
        break
    }
  }
  if (prefill !== undefined) add('assistant', writeText({ kind: 'text', text: prefill }))
  // Somebody has to have said something; where only the system has, that is what is asked.
  if (turns.length === 0) turns.push({ role: 'user', content: system.splice(0) })
  if (turns[0]?.role === 'assistant') turns.unshift({ role: 'user', content: [{ type: 'text', text: BEGINNING }] })
  if (turns[0]?.content.length === 0) {
    throw new AppError('malformed', 'The field messages holds nothing to answer.', { field: 'messages' })
  }
  for (const turn of turns) if (turn.role === 'user') turn.content.sort(resultsFirst)
  trimEnd(turns.at(-1))
  return { system, messages: turns, called, unsignedCalls: hasUnsignedCalls(turns) }
}

/** Where a conversation begins with the assistant: Anthropic wants the user to begin. */
const BEGINNING = '(The conversation begins.)'

const isResult = (block: Json): boolean => block['type'] === 'tool_result'
const resultsFirst = (a: Json, b: Json): number => Number(isResult(b)) - Number(isResult(a))

/** An assistant's text that is to be continued must not end with white space. */
function trimEnd(turn: { role: string; content: Json[] } | undefined): void {
  const last = turn?.content.at(-1)
  if (turn?.role !== 'assistant' || typeof last?.['text'] !== 'string') return
  turn.content[turn.content.length - 1] = { ...last, text: last['text'].trimEnd() }
}

function hasUnsignedCalls(turns: readonly Turn[]): boolean {
  const asked = turns.at(-1)?.role === 'user' ? turns.at(-2) : undefined
  if (!asked?.content.some((block) => block['type'] === 'tool_use')) return false
  const first = asked.content[0]?.['type']
  return first !== 'thinking' && first !== 'redacted_thinking'
}

export const cacheControl = (cache: CacheMark | undefined): Json =>
  cache ? { cache_control: { type: 'ephemeral', ...(cache.ttl === '1h' ? { ttl: '1h' } : {}) } } : {}

function writeText({ text, cache }: TextPart): readonly Json[] {
  return text.trim() === '' ? [] : [{ type: 'text', text, ...cacheControl(cache) }]
}

function writeUserPart(part: UserPart): readonly Json[] {
  switch (part.kind) {
    case 'tool-result':
      return [
        {
          type: 'tool_result',
          tool_use_id: callId(part.callId),
          content: part.parts.flatMap(writeContent),
          ...(part.isError === true ? { is_error: true } : {}),
          ...cacheControl(part.cache),
        },
      ]
    case 'audio':
      throw new AppError('malformed', 'Anthropic takes no audio. Ask another model.', { field: 'messages' })
    case 'text':
    case 'image':
    case 'file':
      return writeContent(part)
  }
}

function writeContent(part: TextPart | ImagePart | FilePart): readonly Json[] {
  switch (part.kind) {
    case 'text':
      return writeText(part)
    case 'image': {
      const { source } = part
      const written =
        source.kind === 'url'
          ? { type: 'url', url: source.url }
          : { type: 'base64', media_type: source.mediaType, data: source.data }
      return [{ type: 'image', source: written, ...cacheControl(part.cache) }]
    }
    case 'file': {
      const title = part.name === undefined ? {} : { title: part.name }
      return [{ type: 'document', source: documentSource(part), ...title, ...cacheControl(part.cache) }]
    }
  }
}

function documentSource({ source }: FilePart): Json {
  switch (source.kind) {
    case 'url':
      return { type: 'url', url: source.url }
    case 'text':
      return { type: 'text', media_type: 'text/plain', data: source.text }
    case 'base64':
      return source.mediaType.startsWith('text/')
        ? { type: 'text', media_type: 'text/plain', data: Buffer.from(source.data, 'base64').toString('utf8') }
        : { type: 'base64', media_type: source.mediaType, data: source.data }
    case 'id':
      throw new AppError(
        'malformed',
        'A file that was uploaded to another provider is not known to Anthropic. Send its bytes or its address.',
        { field: 'messages' },
      )
  }
}

function writeAssistantPart(part: AssistantPart): readonly Json[] {
  switch (part.kind) {
    case 'text':
      return writeText(part)
    case 'refusal':
      return writeText({ kind: 'text', text: part.text })
    case 'reasoning': {
      const data = proofOf('anthropic', part.encrypted)
      const signature = proofOf('anthropic', part.signature)
      // Anthropic refuses what it has not signed; the answer that followed from it stays.
      if (data !== undefined) return [{ type: 'redacted_thinking', data }]
      return signature === undefined ? [] : [{ type: 'thinking', thinking: part.text, signature }]
    }
    case 'tool-call':
      return [{ type: 'tool_use', id: callId(part.id), name: part.name, input: toolInputOf(part.arguments) }]
  }
}

/** Anthropic takes only these characters in an id; others make their ids of more. */
const callId = (id: string): string => id.replaceAll(/[^a-zA-Z0-9_-]/g, '_') || '_'
