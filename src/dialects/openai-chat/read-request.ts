// What the gateway reads of a chat request. Only what it decides by is checked; the rest is between caller and provider.
import { z } from 'zod'
import { parseAs, parseJson } from '../../core/parse.ts'
import type { Ask, Demand } from '../../llm/dialect.ts'
import { isObject, memberBytes, objectsIn } from '../json.ts'
import { readNeutral } from './read-neutral.ts'

export const chatBody = z.looseObject({
  model: z.string().min(1).max(256),
  messages: z.array(z.looseObject({ role: z.string() })).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  n: z.int().min(1).max(128).nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  user: z.string().nullish(),
  safety_identifier: z.string().nullish(),
})

type ChatBody = z.output<typeof chatBody>

const isMissing = (value: unknown): boolean => value === undefined || value === null
const isTextOrMissing = (value: unknown): boolean => typeof value === 'string' || isMissing(value)
const isFlagOrMissing = (value: unknown): boolean => typeof value === 'boolean' || isMissing(value)
const isCountOrMissing = (value: unknown, most: number): boolean =>
  isMissing(value) || (Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= most)

/** What the schema says, looked at by hand: nearly every body is right, and a schema would copy all of it to say so. */
export function isChatBody(value: unknown): value is ChatBody {
  if (!isObject(value)) return false
  const { model, messages, stream_options: options, temperature } = value
  return (
    typeof model === 'string' &&
    model.length >= 1 &&
    model.length <= 256 &&
    Array.isArray(messages) &&
    messages.length >= 1 &&
    messages.every((message) => isObject(message) && typeof message['role'] === 'string') &&
    isFlagOrMissing(value['stream']) &&
    (isMissing(options) || (isObject(options) && isFlagOrMissing(options['include_usage']))) &&
    isCountOrMissing(value['n'], 128) &&
    isCountOrMissing(value['max_tokens'], Infinity) &&
    isCountOrMissing(value['max_completion_tokens'], Infinity) &&
    (isMissing(temperature) || (typeof temperature === 'number' && temperature >= 0 && temperature <= 2)) &&
    isTextOrMissing(value['user']) &&
    isTextOrMissing(value['safety_identifier'])
  )
}

/** Throws `malformed` naming the field. */
export function readChatRequest(bytes: Buffer): Ask {
  const value = parseJson(bytes)
  const body = isChatBody(value) ? value : parseAs(chatBody, value)
  return {
    dialect: 'openai-chat',
    body: bytes,
    model: body.model,
    stream: body.stream === true,
    wantsUsage: body.stream !== true || body.stream_options?.include_usage === true,
    choices: body.n ?? 1,
    maxOutputTokens: body.max_completion_tokens ?? body.max_tokens ?? null,
    temperature: body.temperature ?? null,
    user: body.safety_identifier ?? body.user ?? null,
    demands: demandsOf(body),
    promptCharacters: () =>
      body.messages.reduce((sum, { content }) => sum + charactersIn(content), 0) +
      (body['tools'] === undefined ? 0 : memberBytes(bytes, 'tools')),
    neutral: () => readNeutral(body),
  }
}

const NO_DEMANDS: ReadonlySet<Demand> = new Set()
const PARTS: Readonly<Record<string, Demand>> = { image_url: 'images', file: 'files', input_audio: 'audio' }

function demandsOf(body: ChatBody): ReadonlySet<Demand> {
  let demands: Set<Demand> | undefined
  const add = (demand: Demand) => (demands ??= new Set()).add(demand)
  const format = body['response_format']
  if (Array.isArray(body['tools']) && body['tools'].length > 0) add('tools')
  if ((format as { type?: unknown } | null | undefined)?.type === 'json_schema') add('json-schema')
  if (body['logprobs'] === true) add('logprobs')
  if ((body.n ?? 1) > 1) add('choices')
  if (isOwnKind(body)) add('own-kind')
  for (const { content } of body.messages) {
    if (!Array.isArray(content)) continue
    for (const part of content as ({ type?: unknown } | null)[]) {
      const demand = typeof part?.type === 'string' ? PARTS[part.type] : undefined
      if (demand) add(demand)
    }
  }
  return demands ?? NO_DEMANDS
}

const OWN_KIND = ['functions', 'function_call', 'audio', 'web_search_options'] as const

/** What nobody else could be told: tools of other kinds, answers in sound, biases for tokens. */
const isOwnKind = (body: ChatBody): boolean =>
  OWN_KIND.some((field) => body[field] !== undefined && body[field] !== null) ||
  objectsIn(body['tools']).some((tool) => tool['type'] !== 'function') ||
  (isObject(body['logit_bias']) && Object.keys(body['logit_bias']).length > 0) ||
  (Array.isArray(body['modalities']) && body['modalities'].includes('audio'))

/** Text only: an image's bytes say nothing about its tokens. */
function charactersIn(content: unknown): number {
  if (typeof content === 'string') return content.length
  if (!Array.isArray(content)) return 0
  return content.reduce<number>(
    (sum, part: { text?: unknown } | null) => sum + (typeof part?.text === 'string' ? part.text.length : 0),
    0,
  )
}
