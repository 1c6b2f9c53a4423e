// What the gateway reads of a Messages request. Only what it decides by is checked; the rest is between caller and
// provider.
import { z } from 'zod'
import { layoutOf } from '../../core/json-members.ts'
import { parseAs, parseJson } from '../../core/parse.ts'
import type { Ask, Demand, DialectName } from '../../llm/dialect.ts'
import { charactersWritten, isObject, type Json, objectsIn, textOf } from '../json.ts'
import { ANTHROPIC_ONLY, isGiven, readNeutral } from './read-neutral.ts'

const content = z.union([z.string(), z.array(z.looseObject({ type: z.string() }))])

/** What is asked about a conversation, whether it is to be answered or only counted. */
const conversation = {
  model: z.string().min(1).max(256),
  messages: z
    .array(z.looseObject({ role: z.enum(['user', 'assistant', 'system']), content }))
    .min(1)
    .max(100_000),
  system: content.nullish(),
  tools: z.array(z.looseObject({ type: z.string().nullish() })).nullish(),
}

const messagesBody = z.looseObject({
  ...conversation,
  max_tokens: z.int({ error: 'it is required: the most tokens that may be written, a whole number' }).min(0),
  stream: z.boolean().nullish(),
  temperature: z.number().min(0).max(1).nullish(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).nullish(),
})

const countBody = z.looseObject(conversation)

export type MessagesBody = z.output<typeof countBody>

/** Throws `malformed` naming the field. */
export function readMessagesRequest(bytes: Buffer): Ask {
  const body = parseAs(messagesBody, parseJson(bytes))
  return {
    ...readConversation('anthropic-messages', bytes, body),
    stream: body.stream === true,
    maxOutputTokens: body.max_tokens,
    temperature: body.temperature ?? null,
    user: body.metadata?.user_id ?? null,
  }
}

/** A request only to count what it would read. Throws `malformed` naming the field. */
export function readCountRequest(bytes: Buffer): Ask {
  const ask = readConversation('anthropic-count-tokens', bytes, parseAs(countBody, parseJson(bytes)))
  return { ...ask, demands: new Set([...ask.demands, 'count-tokens'] as const) }
}

function readConversation(dialect: DialectName, bytes: Buffer, body: MessagesBody): Ask {
  return {
    dialect,
    body: bytes,
    model: body.model,
    stream: false,
    wantsUsage: true,
    choices: 1,
    maxOutputTokens: null,
    temperature: null,
    user: null,
    demands: demandsOf(body),
    promptCharacters: () =>
      charactersIn(body.system) +
      body.messages.reduce((sum, message) => sum + charactersIn(message.content), 0) +
      sizeOfTools(bytes),
    neutral: () => readNeutral(body, bytes),
  }
}

const NO_DEMANDS: ReadonlySet<Demand> = new Set()

function demandsOf(body: MessagesBody): ReadonlySet<Demand> {
  let demands: Set<Demand> | undefined
  const add = (demand: Demand) => (demands ??= new Set()).add(demand)
  if (body.tools && body.tools.length > 0) add('tools')
  if (isOwnKind(body)) add('own-kind')
  const config = body['output_config']
  if (isObject(config) && isObject(config['format'])) add('json-schema')
  for (const message of body.messages) addDemands(message.content, add)
  return demands ?? NO_DEMANDS
}

/** Its own tools, and whatever else no other provider has. */
const isOwnKind = (body: MessagesBody): boolean =>
  body.tools?.some(({ type }) => type !== undefined && type !== null && type !== 'custom') === true ||
  ANTHROPIC_ONLY.some((field) => isGiven(body[field]))

/** Also in what tools have returned. */
function addDemands(content: unknown, add: (demand: Demand) => void): void {
  if (!Array.isArray(content)) return
  for (const block of objectsIn(content)) {
    if (block['type'] === 'image') add('images')
    else if (block['type'] === 'document') add('files')
    else if (block['type'] === 'container_upload') add('own-kind')
    if (isObject(block['source']) && block['source']['type'] === 'file') add('own-kind')
    if (block['type'] === 'tool_result') addDemands(block['content'], add)
  }
}

/** As they came: written again, tools nested ten thousand deep would overflow the stack. */
function sizeOfTools(bytes: Buffer): number {
  const tools = layoutOf(bytes).members.filter(({ key }) => key === 'tools')
  return tools.reduce((sum, { start, end }) => sum + end - start, 0)
}

/** Text only: the bytes of an image or a PDF say nothing about its tokens. */
function charactersIn(content: unknown): number {
  if (typeof content === 'string') return content.length
  return objectsIn(content).reduce((sum, block) => sum + charactersOf(block), 0)
}

function charactersOf(block: Json): number {
  switch (block['type']) {
    case 'tool_use':
    case 'server_tool_use':
      return charactersWritten(block['name']) + charactersWritten(block['input'])
    case 'thinking':
      return textOf(block['thinking'])?.length ?? 0
    case 'document': {
      const source = isObject(block['source']) ? block['source'] : {}
      const text = source['type'] === 'text' ? (textOf(source['data'])?.length ?? 0) : charactersIn(source['content'])
      return text + (textOf(block['context'])?.length ?? 0)
    }
    default:
      return (textOf(block['text'])?.length ?? 0) + charactersIn(block['content'])
  }
}
