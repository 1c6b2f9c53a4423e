// What the gateway reads of a Responses request. Only what it decides by is checked; the rest is between caller and
// provider.
import { z } from 'zod'
import { parseAs, parseJson } from '../../core/parse.ts'
import type { Ask, Demand } from '../../llm/dialect.ts'
import { type Json, memberBytes, objectsIn, textOf } from '../json.ts'
import { readNeutral } from './read-neutral.ts'

const responsesBody = z.looseObject({
  model: z.string().min(1).max(256),
  input: z.union([z.string(), z.array(z.looseObject({}))], 'must be a text or a list of items').nullish(),
  instructions: z.string().nullish(),
  stream: z.boolean().nullish(),
  background: z
    .literal(false, 'is not offered here: the answer would have to be fetched later. Leave it away and stream')
    .nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  user: z.string().nullish(),
  safety_identifier: z.string().nullish(),
})

type Body = z.output<typeof responsesBody>

/** Throws `malformed` naming the field. */
export function readResponsesRequest(bytes: Buffer): Ask {
  const body = parseAs(responsesBody, parseJson(bytes))
  return {
    dialect: 'openai-responses',
    body: bytes,
    model: body.model,
    stream: body.stream === true,
    wantsUsage: true,
    choices: 1,
    maxOutputTokens: body.max_output_tokens ?? null,
    temperature: body.temperature ?? null,
    user: body.safety_identifier ?? body.user ?? null,
    demands: demandsOf(body),
    promptCharacters: () => (body.instructions?.length ?? 0) + charactersIn(body.input) + memberBytes(bytes, 'tools'),
    neutral: () => readNeutral(body),
  }
}

const NO_DEMANDS: ReadonlySet<Demand> = new Set()
const PARTS: Readonly<Record<string, Demand>> = { input_image: 'images', input_file: 'files', input_audio: 'audio' }

function demandsOf(body: Body): ReadonlySet<Demand> {
  let demands: Set<Demand> | undefined
  const add = (demand: Demand) => (demands ??= new Set()).add(demand)
  const text = body['text'] as { format?: { type?: unknown } | null } | null | undefined
  if (Array.isArray(body['tools']) && body['tools'].length > 0) add('tools')
  if (text?.format?.type === 'json_schema') add('json-schema')
  if (wantsLogprobs(body)) add('logprobs')
  if (isOwnKind(body)) add('own-kind')
  for (const item of objectsIn(body.input)) {
    if (!TRANSLATED.has(item['type'] ?? 'message')) add('own-kind')
    for (const part of [...objectsIn(item['content']), ...objectsIn(item['output'])]) {
      const demand = PARTS[textOf(part['type']) ?? '']
      if (demand) add(demand)
    }
  }
  return demands ?? NO_DEMANDS
}

const TRANSLATED: ReadonlySet<unknown> = new Set(['message', 'reasoning', 'function_call', 'function_call_output'])
const KEPT_THERE = ['previous_response_id', 'conversation', 'prompt'] as const

/** State that a provider keeps, and tools that it runs itself. */
const isOwnKind = (body: Body): boolean =>
  body['store'] === true ||
  KEPT_THERE.some((field) => body[field] !== undefined && body[field] !== null) ||
  objectsIn(body['tools']).some((tool) => tool['type'] !== 'function')

const wantsLogprobs = ({ top_logprobs: top, include }: Body): boolean =>
  (typeof top === 'number' && top > 0) || (Array.isArray(include) && include.includes('message.output_text.logprobs'))

/** Text only: an image's bytes say nothing about its tokens. */
function charactersIn(input: unknown): number {
  if (typeof input === 'string') return input.length
  return objectsIn(input).reduce((sum, item) => sum + charactersOfItem(item), 0)
}

const charactersOfItem = (item: Json): number =>
  ['content', 'output', 'arguments', 'name'].reduce((sum, key) => sum + charactersOf(item[key]), 0)

function charactersOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  return objectsIn(value).reduce((sum, part) => sum + (textOf(part['text'])?.length ?? 0), 0)
}
