// Anthropic's Messages as Anthropic itself holds requests to it.
import { z } from 'zod'
import { type Answer, inPieces, matchResults, must, think } from './mind.ts'

type Json = Record<string, unknown>

const cache = z.strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() }).nullish()
const text = z.strictObject({
  type: z.literal('text'),
  text: z.string().min(1),
  cache_control: cache,
  citations: z.unknown().optional(),
})
const toolUse = z.strictObject({
  type: z.literal('tool_use'),
  id: z.string().regex(/^[a-zA-Z0-9_-]+$/),
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
  input: z.record(z.string(), z.unknown()),
  cache_control: cache,
  caller: z.unknown().optional(),
})
const toolResult = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  content: z.union([z.string(), z.array(text)]).optional(),
  is_error: z.boolean().optional(),
  cache_control: cache,
})

const request = z.strictObject({
  model: z.string(),
  max_tokens: z.number().int().positive(),
  messages: z
    .array(
      z.strictObject({
        role: z.enum(['user', 'assistant']),
        content: z.union([
          z.string().min(1),
          z.array(z.discriminatedUnion('type', [text, toolUse, toolResult])).min(1),
        ]),
      }),
    )
    .min(1),
  system: z.union([z.string(), z.array(text)]).optional(),
  stream: z.boolean().optional(),
  tools: z
    .array(
      z.strictObject({
        type: z.literal('custom').optional(),
        name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
        description: z.string().optional(),
        input_schema: z.looseObject({ type: z.literal('object') }),
        strict: z.boolean().optional(),
        cache_control: cache,
        eager_input_streaming: z.boolean().optional(),
      }),
    )
    .optional(),
  tool_choice: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.enum(['auto', 'any']), disable_parallel_tool_use: z.boolean().optional() }),
      z.strictObject({ type: z.literal('none') }),
      z.strictObject({
        type: z.literal('tool'),
        name: z.string(),
        disable_parallel_tool_use: z.boolean().optional(),
      }),
    ])
    .optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().optional(),
  top_k: z.number().optional(),
  stop_sequences: z.array(z.string()).optional(),
  thinking: z.union([z.strictObject({ type: z.literal('disabled') }), z.looseObject({ type: z.string() })]).optional(),
  metadata: z.strictObject({ user_id: z.string().nullish() }).optional(),
  output_config: z
    .strictObject({
      effort: z.string().optional(),
      format: z.strictObject({ type: z.literal('json_schema'), schema: z.looseObject({}) }).nullish(),
    })
    .optional(),
  service_tier: z.string().optional(),
})

/** Throws what zod or a rule finds. */
export function answerMessages(body: unknown): { answer: Answer; stream: boolean } {
  const {
    messages,
    tools = [],
    tool_choice: choice,
    output_config: output,
    stream,
    temperature,
    top_p,
  } = request.parse(body)
  must(temperature === undefined || top_p === undefined, 'temperature and top_p cannot both be specified')
  must(messages[0]?.role === 'user', 'first message must use the user role')
  must(tools.length > 0 || choice === undefined, 'tool_choice may only be specified while providing tools')
  const schema = output?.format?.schema
  if (schema) must(schema['additionalProperties'] === false, "for 'object' type, 'additionalProperties' must be false")
  let results: ReturnType<typeof matchResults> = []
  for (const [i, { role, content }] of messages.entries()) {
    if (typeof content === 'string') continue
    for (const [at, block] of content.entries()) {
      must(block.type !== 'tool_use' || role === 'assistant', 'tool_use in a user message')
      if (block.type !== 'tool_result') continue
      must(role === 'user', 'tool_result in an assistant message')
      must(at === 0 || content[at - 1]?.type === 'tool_result', 'tool_result blocks must come first')
      const before = messages[i - 1]
      const known =
        typeof before?.content === 'object' &&
        before.content.some((one) => one.type === 'tool_use' && one.id === block.tool_use_id)
      must(known, `unexpected tool_use_id found in tool_result blocks: ${block.tool_use_id}`)
    }
    const calls = content.flatMap((block) =>
      block.type === 'tool_use' ? [{ id: block.id, city: String(block.input['city']) }] : [],
    )
    if (calls.length === 0) continue
    must(tools.length > 0, 'requests which include tool_use or tool_result blocks must define tools')
    const next = messages[i + 1]?.content ?? []
    const told = (typeof next === 'string' ? [] : next).flatMap((block) =>
      block.type === 'tool_result' ? [block] : [],
    )
    must(new Set(told.map((one) => one.tool_use_id)).size === told.length, 'each tool_use must have a single result')
    results = matchResults(
      calls,
      new Map(
        told.map((one) => [
          one.tool_use_id,
          typeof one.content === 'string' ? one.content : (one.content ?? []).map((part) => part.text).join(''),
        ]),
      ),
    )
  }
  const answer = think({
    tools: choice?.type === 'none' ? [] : tools.map(({ name }) => name),
    forced: choice?.type === 'tool' ? choice.name : null,
    results,
    json: schema !== undefined,
  })
  return { answer, stream: stream === true }
}

const MESSAGE = { id: 'msg_01', type: 'message', role: 'assistant', model: 'stand-in', stop_sequence: null }
const INPUT = { input_tokens: 22, cache_creation_input_tokens: 0, cache_read_input_tokens: 8 }

function blocksOf(answer: Answer): Json[] {
  const said = answer.kind === 'text' ? answer.text : answer.lead
  return [
    ...(said === '' ? [] : [{ type: 'text', text: said }]),
    ...(answer.kind === 'calls' ? answer.calls : []).map(({ name, args }, i) => ({
      type: 'tool_use',
      id: `toolu_0${i}${name}`,
      name,
      input: args,
    })),
  ]
}

const stopOf = ({ kind }: Answer): string => (kind === 'text' ? 'end_turn' : 'tool_use')

export const messagesAnswer = (answer: Answer): string =>
  JSON.stringify({
    ...MESSAGE,
    content: blocksOf(answer),
    stop_reason: stopOf(answer),
    usage: { ...INPUT, output_tokens: 12 },
  })

export function messagesStream(answer: Answer): string {
  const event = (type: string, more: Json = {}): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`
  const out = [
    event('message_start', {
      message: { ...MESSAGE, content: [], stop_reason: null, usage: { ...INPUT, output_tokens: 1 } },
    }),
    event('ping'),
  ]
  for (const [index, block] of blocksOf(answer).entries()) {
    const isText = block['type'] === 'text'
    out.push(
      event('content_block_start', {
        index,
        content_block: isText ? { type: 'text', text: '' } : { ...block, input: {} },
      }),
    )
    for (const piece of inPieces(isText ? String(block['text']) : JSON.stringify(block['input']))) {
      const delta = isText ? { type: 'text_delta', text: piece } : { type: 'input_json_delta', partial_json: piece }
      out.push(event('content_block_delta', { index, delta }))
    }
    out.push(event('content_block_stop', { index }))
  }
  out.push(
    event('message_delta', {
      delta: { stop_reason: stopOf(answer), stop_sequence: null },
      usage: { output_tokens: 12 },
    }),
  )
  return `${out.join('')}${event('message_stop')}`
}
