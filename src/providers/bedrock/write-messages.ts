// A conversation in no dialect as Converse takes it: what the system says stands apart, turns alternate strictly and begin
// with the user's, results of tools come first in the turn that follows their calls, and no block of text is blank.
import { createHash } from 'node:crypto'
import { plainCallId } from '../../dialects/call-id.ts'
import { toolInputOf } from '../../dialects/exact-json.ts'
import type { Json } from '../../dialects/json.ts'
import { proofOf } from '../../dialects/proof.ts'
import { AppError } from '../../core/errors.ts'
import type {
  AssistantPart,
  CacheMark,
  FilePart,
  ImagePart,
  Message,
  TextPart,
  ToolResultPart,
  UserPart,
} from '../../llm/request.ts'
import { writeDocument, writeImage } from './media.ts'
import type { ModelTraits } from './models.ts'

export interface Conversation {
  readonly system: readonly Json[]
  readonly messages: readonly Turn[]
  /** Tools that the conversation has called. */
  readonly called: ReadonlySet<string>
  /** The tool calls that are being answered were made without thinking that its model has signed. */
  readonly unsignedCalls: boolean
}

interface Turn {
  readonly role: 'user' | 'assistant'
  readonly content: Json[]
}

/** Where a conversation begins with the assistant: Bedrock wants the user to begin. */
const BEGINNING = '(The conversation begins.)'
/** Beside a document there has to be text. */
const LOOK = 'The document is attached.'

/** Throws AppError `malformed` for what Bedrock cannot be told. */
export function writeConversation(
  given: readonly Message[],
  prefill: string | undefined,
  traits: ModelTraits,
): Conversation {
  const system: Json[] = []
  const messages: Turn[] = []
  const blocks = new BlockWriter(traits)
  const add = (role: Turn['role'], content: readonly Json[]) => {
    if (content.length === 0) return
    const last = messages.at(-1)
    if (last?.role === role) last.content.push(...content)
    else messages.push({ role, content: [...content] })
  }
  for (const message of given) {
    switch (message.role) {
      case 'system':
        system.push(...message.parts.flatMap((part) => blocks.text(part)))
        break
      case 'user':
        add(
          'user',
          message.parts.flatMap((part) => blocks.user(part)),
        )
        break
      case 'assistant':
        add(
          'assistant',
          message.parts.flatMap((part) => blocks.assistant(part)),
        )
        break
    }
  }
  if (prefill !== undefined) add('assistant', blocks.text({ kind: 'text', text: prefill }))
  // Somebody has to have said something; where only the system has, that is what is asked.
  if (messages.length === 0) add('user', system.splice(0))
  if (!messages[0]?.content.some((block) => block['cachePoint'] === undefined)) {
    throw new AppError('malformed', 'The field messages holds nothing to answer.', { field: 'messages' })
  }
  if (messages[0].role === 'assistant') messages.unshift({ role: 'user', content: [{ text: BEGINNING }] })
  for (const turn of messages) if (turn.role === 'user') arrange(turn.content)
  trimEnd(messages.at(-1))
  return { system, messages, called: blocks.called, unsignedCalls: hasUnsignedCalls(messages) }
}

const isResult = (block: Json): boolean => block['toolResult'] !== undefined

function arrange(content: Json[]): void {
  // A point up to which things are cached stays behind what it was set for.
  const groups: Json[][] = []
  for (const block of content) {
    if (block['cachePoint'] !== undefined && groups.length > 0) groups.at(-1)?.push(block)
    else groups.push([block])
  }
  const results = groups.filter(([first]) => first !== undefined && isResult(first))
  const others = groups.filter(([first]) => first !== undefined && !isResult(first))
  content.splice(0, content.length, ...results.flat(), ...others.flat())
  const documents = content.some((block) => block['document'] !== undefined)
  if (documents && !content.some((block) => typeof block['text'] === 'string')) content.push({ text: LOOK })
}

/** An assistant's text that is to be continued must not end with white space. */
function trimEnd(turn: Turn | undefined): void {
  if (turn?.role !== 'assistant') return
  const at = turn.content.findLastIndex((block) => block['cachePoint'] === undefined)
  const text = turn.content[at]?.['text']
  if (typeof text === 'string') turn.content[at] = { text: text.trimEnd() }
}

function hasUnsignedCalls(messages: readonly Turn[]): boolean {
  const asked = messages.at(-1)?.role === 'user' ? messages.at(-2) : undefined
  if (!asked?.content.some((block) => block['toolUse'] !== undefined)) return false
  return asked.content[0]?.['reasoningContent'] === undefined
}

class BlockWriter {
  /** Names of the tools called so far. */
  readonly called = new Set<string>()
  /** Ids of these calls: a result of any other is refused. */
  readonly #calls = new Set<string>()
  readonly #traits: ModelTraits
  #documents = 0

  constructor(traits: ModelTraits) {
    this.#traits = traits
  }

  text({ text, cache }: TextPart): readonly Json[] {
    return text.trim() === '' ? [] : [{ text }, ...cachePoint(cache, this.#traits)]
  }

  user(part: UserPart): readonly Json[] {
    switch (part.kind) {
      case 'tool-result':
        if (!this.#calls.has(callId(part.callId, this.#traits))) return this.#orphan(part)
        return [{ toolResult: this.#result(part) }, ...cachePoint(part.cache, this.#traits)]
      case 'audio':
        throw new AppError('malformed', 'Bedrock takes no audio here. Ask another model.', { field: 'messages' })
      case 'text':
      case 'image':
      case 'file':
        return this.#content(part)
    }
  }

  assistant(part: AssistantPart): readonly Json[] {
    switch (part.kind) {
      case 'text':
        return this.text(part)
      case 'refusal':
        return this.text({ kind: 'text', text: part.text })
      case 'reasoning': {
        // Its maker refuses what it has not signed; the answer that followed from it stays.
        if (this.#traits.family !== 'claude') return []
        const redacted = proofOf('bedrock', part.encrypted)
        const signature = proofOf('anthropic', part.signature)
        if (redacted !== undefined) return [{ reasoningContent: { redactedContent: redacted } }]
        return signature === undefined ? [] : [{ reasoningContent: { reasoningText: { text: part.text, signature } } }]
      }
      case 'tool-call': {
        const toolUseId = callId(part.id, this.#traits)
        this.called.add(part.name)
        this.#calls.add(toolUseId)
        return [{ toolUse: { toolUseId, name: part.name, input: toolInputOf(part.arguments) } }]
      }
    }
  }

  #content(part: TextPart | ImagePart | FilePart): readonly Json[] {
    switch (part.kind) {
      case 'text':
        return this.text(part)
      case 'image':
        return [writeImage(part), ...cachePoint(part.cache, this.#traits)]
      case 'file':
        return [writeDocument(part, ++this.#documents), ...cachePoint(part.cache, this.#traits)]
    }
  }

  #orphan({ callId: id, parts, cache }: ToolResultPart): readonly Json[] {
    return [
      ...this.text({ kind: 'text', text: `The result of the tool call ${plainCallId(id)}:` }),
      ...parts.flatMap((part) => this.#content(part)),
      ...cachePoint(cache, this.#traits),
    ]
  }

  #result({ callId: id, parts, isError }: ToolResultPart): Json {
    const content = parts.flatMap((part) => this.#content(part)).filter((block) => block['cachePoint'] === undefined)
    return {
      toolUseId: callId(id, this.#traits),
      content: content.length > 0 ? content : [{ text: isError === true ? '(The tool failed.)' : '(nothing)' }],
      ...(isError === true && this.#traits.resultStatus ? { status: 'error' } : {}),
    }
  }
}

export function cachePoint(cache: CacheMark | undefined, { cachePoints, cacheHour }: ModelTraits): readonly Json[] {
  if (!cache || !cachePoints) return []
  return [{ cachePoint: { type: 'default', ...(cache.ttl === '1h' && cacheHour ? { ttl: '1h' } : {}) } }]
}

/** Bedrock takes only these characters in an id and at most 64; Mistral's models nine letters and digits. */
function callId(id: string, { family }: ModelTraits): string {
  const plain = plainCallId(id)
  if (family === 'mistral') return /^[a-zA-Z0-9]{9}$/.test(plain) ? plain : digest(plain).slice(0, 9)
  const clean = plain.replaceAll(/[^a-zA-Z0-9_-]/g, '_') || '_'
  return clean.length <= 64 ? clean : digest(clean).slice(0, 64)
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
