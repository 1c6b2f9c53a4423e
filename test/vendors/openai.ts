// OpenAI's chat completions, Responses and embeddings as OpenAI itself holds requests to them: what it refuses is refused.
import { z } from 'zod'
import { type Answer, inPieces, matchResults, must, think, vectorOf } from './mind.ts'

type Json = Record<string, unknown>

const text = z.strictObject({ type: z.literal('text'), text: z.string().min(1) })
const words = z.union([z.string(), z.array(text).min(1)])
const functionName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/)
const parameters = z.looseObject({ type: z.literal('object') })

const chatRequest = z.strictObject({
  model: z.string(),
  messages: z
    .array(
      z.discriminatedUnion('role', [
        z.strictObject({ role: z.enum(['system', 'developer', 'user']), content: words, name: z.string().optional() }),
        z.strictObject({
          role: z.literal('assistant'),
          content: words.nullish(),
          refusal: z.string().nullish(),
          tool_calls: z
            .array(
              z.strictObject({
                id: z.string().min(1).max(40),
                type: z.literal('function'),
                function: z.strictObject({ name: functionName, arguments: z.string() }),
                index: z.number().optional(),
              }),
            )
            .min(1)
            .optional(),
          parsed: z.unknown().optional(),
        }),
        z.strictObject({ role: z.literal('tool'), tool_call_id: z.string(), content: words }),
      ]),
    )
    .min(1),
  stream: z.boolean().optional(),
  stream_options: z
    .strictObject({ include_usage: z.boolean().optional(), include_obfuscation: z.boolean().optional() })
    .optional(),
  tools: z
    .array(
      z.strictObject({
        type: z.literal('function'),
        function: z.strictObject({
          name: functionName,
          description: z.string().optional(),
          parameters: parameters.optional(),
          strict: z.boolean().nullish(),
        }),
      }),
    )
    .min(1)
    .optional(),
  tool_choice: z
    .union([
      z.enum(['auto', 'none', 'required']),
      z.strictObject({ type: z.literal('function'), function: z.strictObject({ name: functionName }) }),
    ])
    .optional(),
  parallel_tool_calls: z.boolean().optional(),
  max_tokens: z.number().int().positive().optional(),
  max_completion_tokens: z.number().int().positive().optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  n: z.literal(1).optional(),
  stop: z.union([z.string(), z.array(z.string()).min(1).max(4)]).optional(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']).optional(),
  response_format: z
    .union([
      z.strictObject({ type: z.enum(['text', 'json_object']) }),
      z.strictObject({
        type: z.literal('json_schema'),
        json_schema: z.strictObject({
          name: functionName,
          description: z.string().optional(),
          schema: z.looseObject({}),
          strict: z.boolean().nullish(),
        }),
      }),
    ])
    .optional(),
  user: z.string().optional(),
  store: z.boolean().optional(),
})

const cityIn = (json: string): string => {
  const args = parse(json)
  return typeof args['city'] === 'string' ? args['city'] : ''
}

function parse(json: string): Json {
  try {
    return JSON.parse(json) as Json
  } catch {
    must(false, `arguments must be JSON: ${json}`)
    return {}
  }
}

/** A strict schema has to name everything and forbid the rest. */
function checkStrict(schema: Json): void {
  const properties = (schema['properties'] ?? {}) as Record<string, Json>
  must(schema['additionalProperties'] === false, 'additionalProperties is required to be supplied and to be false')
  const required = new Set(schema['required'] as string[])
  for (const name of Object.keys(properties)) must(required.has(name), `required must have ${name} in it`)
}

const joined = (content: z.infer<typeof words> | null | undefined): string =>
  typeof content === 'string' ? content : (content ?? []).map((part) => part.text).join('')

/** Throws what zod or a rule finds. */
export function answerChat(body: unknown): { answer: Answer; stream: boolean; usage: boolean } {
  const request = chatRequest.parse(body)
  const { messages, tools = [], tool_choice: choice, response_format: format } = request
  const reasons = request.model.startsWith('gpt-5')
  must(!reasons || request.max_tokens === undefined, 'max_tokens is not supported with this model')
  must(!reasons || request.temperature === undefined || request.temperature === 1, 'temperature does not support this')
  must(request.stream === true || request.stream_options === undefined, 'stream_options needs stream')
  must(
    tools.length > 0 || (choice === undefined && request.parallel_tool_calls === undefined),
    'tool_choice needs tools',
  )
  for (const tool of tools) if (tool.function.strict) checkStrict(tool.function.parameters ?? {})
  if (format?.type === 'json_schema' && format.json_schema.strict) checkStrict(format.json_schema.schema)
  let results: ReturnType<typeof matchResults> = []
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i]
    if (message?.role === 'tool') must(false, "messages with role 'tool' must be a response to 'tool_calls'")
    if (message?.role !== 'assistant') continue
    must(joined(message.content) !== '' || message.tool_calls !== undefined, 'an assistant has to say something')
    const calls = message.tool_calls ?? []
    const told = new Map<string, string>()
    for (let next = messages[i + 1]; calls.length > 0 && next?.role === 'tool'; next = messages[++i + 1]) {
      must(!told.has(next.tool_call_id), 'a result was given twice')
      told.set(next.tool_call_id, joined(next.content))
    }
    results = matchResults(
      calls.map((call) => ({ id: call.id, city: cityIn(call.function.arguments) })),
      told,
    )
  }
  const answer = think({
    tools: choice === 'none' ? [] : tools.map((tool) => tool.function.name),
    forced: typeof choice === 'object' ? choice.function.name : null,
    results,
    json: format !== undefined && format.type !== 'text',
  })
  return { answer, stream: request.stream === true, usage: request.stream_options?.include_usage === true }
}

const USAGE = {
  prompt_tokens: 30,
  completion_tokens: 12,
  total_tokens: 42,
  prompt_tokens_details: { cached_tokens: 8, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 4, audio_tokens: 0 },
}
const HEAD = { id: 'chatcmpl-Cx1', created: 1_764_000_000, model: 'stand-in', system_fingerprint: 'fp_1' }

export function chatAnswer(answer: Answer): string {
  const message =
    answer.kind === 'text'
      ? { role: 'assistant', content: answer.text, refusal: null }
      : {
          role: 'assistant',
          content: answer.lead === '' ? null : answer.lead,
          refusal: null,
          tool_calls: answer.calls.map(({ name, args }, i) => ({
            id: `call_${i}${name}`,
            type: 'function',
            function: { name, arguments: JSON.stringify(args) },
          })),
        }
  const finish_reason = answer.kind === 'text' ? 'stop' : 'tool_calls'
  const choices = [{ index: 0, message, logprobs: null, finish_reason }]
  return JSON.stringify({ ...HEAD, object: 'chat.completion', choices, usage: USAGE })
}

export function chatStream(answer: Answer, usage: boolean): string {
  const chunk = (delta: Json, finish_reason: string | null = null): string =>
    `data: ${JSON.stringify({ ...HEAD, object: 'chat.completion.chunk', choices: [{ index: 0, delta, logprobs: null, finish_reason }], ...(usage ? { usage: null } : {}) })}\n\n`
  const out = [chunk({ role: 'assistant', content: answer.kind === 'text' ? '' : null, refusal: null })]
  for (const content of inPieces(answer.kind === 'text' ? answer.text : answer.lead)) out.push(chunk({ content }))
  for (const [index, { name, args }] of (answer.kind === 'calls' ? answer.calls : []).entries()) {
    out.push(
      chunk({
        tool_calls: [{ index, id: `call_${index}${name}`, type: 'function', function: { name, arguments: '' } }],
      }),
    )
    for (const piece of inPieces(JSON.stringify(args)))
      out.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }))
  }
  out.push(chunk({}, answer.kind === 'text' ? 'stop' : 'tool_calls'))
  if (usage)
    out.push(`data: ${JSON.stringify({ ...HEAD, object: 'chat.completion.chunk', choices: [], usage: USAGE })}\n\n`)
  return `${out.join('')}data: [DONE]\n\n`
}

const outputText = z.strictObject({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(z.unknown()).optional(),
  logprobs: z.array(z.unknown()).optional(),
  parsed: z.unknown().optional(),
})
const inputText = z.strictObject({ type: z.literal('input_text'), text: z.string().min(1) })
/** What only this vendor can read, given out with reasoning. */
const ENCRYPTED = 'gAAAAABo-encrypted-reasoning'

const item = z.union([
  z.strictObject({
    type: z.literal('message').optional(),
    role: z.enum(['user', 'system', 'developer']),
    content: z.union([z.string(), z.array(inputText).min(1)]),
  }),
  z.strictObject({
    type: z.literal('message').optional(),
    id: z.string().startsWith('msg').optional(),
    role: z.literal('assistant'),
    status: z.enum(['completed', 'incomplete', 'in_progress']).optional(),
    content: z.union([z.string(), z.array(outputText).min(1)]),
    phase: z.string().optional(),
  }),
  z.strictObject({
    type: z.literal('function_call'),
    id: z.string().startsWith('fc').optional(),
    call_id: z.string().min(1).max(64),
    name: functionName,
    arguments: z.string(),
    status: z.enum(['completed', 'incomplete', 'in_progress']).optional(),
    parsed_arguments: z.unknown().optional(),
  }),
  z.strictObject({
    type: z.literal('function_call_output'),
    call_id: z.string(),
    output: z.union([z.string(), z.array(inputText)]),
  }),
  z.strictObject({
    type: z.literal('reasoning'),
    id: z.string().startsWith('rs').optional(),
    summary: z.array(z.strictObject({ type: z.literal('summary_text'), text: z.string() })),
    encrypted_content: z.literal(ENCRYPTED).nullish(),
    status: z.string().optional(),
    content: z.array(z.unknown()).optional(),
  }),
])

const responsesRequest = z.strictObject({
  model: z.string(),
  input: z.union([z.string(), z.array(item).min(1)]),
  instructions: z.string().nullish(),
  stream: z.boolean().optional(),
  store: z.boolean().optional(),
  include: z.array(z.enum(['reasoning.encrypted_content', 'message.output_text.logprobs'])).optional(),
  tools: z
    .array(
      z.strictObject({
        type: z.literal('function'),
        name: functionName,
        description: z.string().nullish(),
        parameters: parameters.nullable(),
        strict: z.boolean().nullish(),
      }),
    )
    .optional(),
  tool_choice: z
    .union([z.enum(['auto', 'none', 'required']), z.strictObject({ type: z.literal('function'), name: functionName })])
    .optional(),
  parallel_tool_calls: z.boolean().optional(),
  max_output_tokens: z.number().int().min(16).optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  text: z
    .strictObject({
      verbosity: z.string().optional(),
      format: z
        .union([
          z.strictObject({ type: z.enum(['text', 'json_object']) }),
          z.strictObject({
            type: z.literal('json_schema'),
            name: functionName,
            description: z.string().optional(),
            schema: z.looseObject({}),
            strict: z.boolean().nullish(),
          }),
        ])
        .optional(),
    })
    .optional(),
  reasoning: z.strictObject({ effort: z.string().nullish(), summary: z.string().nullish() }).optional(),
  user: z.string().optional(),
  metadata: z.record(z.string(), z.string()).nullish(),
  truncation: z.string().optional(),
})

/** Throws what zod or a rule finds. */
export function answerResponses(body: unknown): { answer: Answer; stream: boolean; reasons: boolean } {
  const request = responsesRequest.parse(body)
  const { input, tools = [], tool_choice: choice, text } = request
  for (const tool of tools) if (tool.strict !== false) checkStrict(tool.parameters ?? {})
  const { format } = text ?? {}
  if (format?.type === 'json_schema' && format.strict) checkStrict(format.schema)
  const items = typeof input === 'string' ? [] : input
  const calls: { id: string; city: string }[] = []
  const told = new Map<string, string>()
  for (const [i, one] of items.entries()) {
    if (!('type' in one)) continue
    if (one.type === 'function_call') calls.push({ id: one.call_id, city: cityIn(one.arguments) })
    if (one.type === 'function_call_output') {
      must(
        calls.some(({ id }) => id === one.call_id),
        `no tool call found for function call output ${one.call_id}`,
      )
      must(!told.has(one.call_id), 'a result was given twice')
      told.set(
        one.call_id,
        joined(
          typeof one.output === 'string' ? one.output : one.output.map((part) => ({ ...part, type: 'text' as const })),
        ),
      )
    }
    if (one.type !== 'reasoning') continue
    must(one.id === undefined || one.encrypted_content != null || request.store !== false, `item ${one.id} not found`)
    const next = items[i + 1]
    const follows =
      next !== undefined &&
      ('role' in next ? next.role === 'assistant' : next.type === 'function_call' || next.type === 'reasoning')
    must(follows, 'reasoning was provided without its required following item')
  }
  const answer = think({
    tools: choice === 'none' ? [] : tools.map(({ name }) => name),
    forced: typeof choice === 'object' ? choice.name : null,
    results: matchResults(calls, told),
    json: format !== undefined && format.type !== 'text',
  })
  return { answer, stream: request.stream === true, reasons: request.model.startsWith('gpt-5') }
}

const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 1_764_000_000,
  error: null,
  incomplete_details: null,
  instructions: null,
  max_output_tokens: null,
  metadata: {},
  model: 'stand-in',
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: 'medium', summary: null },
  store: false,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  truncation: 'disabled',
}
const RESPONSE_USAGE = {
  input_tokens: 30,
  input_tokens_details: { cached_tokens: 8 },
  output_tokens: 12,
  output_tokens_details: { reasoning_tokens: 4 },
  total_tokens: 42,
}

const messageItem = (said: string, status = 'completed') => ({
  id: 'msg_1',
  type: 'message',
  status,
  role: 'assistant',
  content: status === 'completed' ? [{ type: 'output_text', text: said, annotations: [], logprobs: [] }] : [],
})
const reasoningItem = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: ENCRYPTED }

function outputOf(answer: Answer, reasons: boolean): Json[] {
  const said = answer.kind === 'text' ? answer.text : answer.lead
  return [
    ...(reasons ? [reasoningItem] : []),
    ...(said === '' ? [] : [messageItem(said)]),
    ...(answer.kind === 'calls' ? answer.calls : []).map(({ name, args }, i) => ({
      id: `fc_${i}`,
      type: 'function_call',
      status: 'completed',
      call_id: `call_${i}${name}`,
      name,
      arguments: JSON.stringify(args),
    })),
  ]
}

export const responsesAnswer = (answer: Answer, reasons: boolean): string =>
  JSON.stringify({ ...RESPONSE, status: 'completed', output: outputOf(answer, reasons), usage: RESPONSE_USAGE })

export function responsesStream(answer: Answer, reasons: boolean): string {
  const out: string[] = []
  const emit = (type: string, more: Json): void => {
    out.push(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: out.length, ...more })}\n\n`)
  }
  emit('response.created', { response: { ...RESPONSE, status: 'in_progress', output: [] } })
  emit('response.in_progress', { response: { ...RESPONSE, status: 'in_progress', output: [] } })
  const output = outputOf(answer, reasons)
  for (const [output_index, given] of output.entries()) {
    const at = { item_id: given['id'], output_index }
    if (given['type'] === 'reasoning')
      emit('response.output_item.added', { output_index, item: { ...given, encrypted_content: '' } })
    else if (given['type'] === 'message') {
      const said = answer.kind === 'text' ? answer.text : answer.lead
      const part = { type: 'output_text', annotations: [], logprobs: [] }
      emit('response.output_item.added', { output_index, item: messageItem('', 'in_progress') })
      emit('response.content_part.added', { ...at, content_index: 0, part: { ...part, text: '' } })
      for (const delta of inPieces(said))
        emit('response.output_text.delta', { ...at, content_index: 0, delta, logprobs: [] })
      emit('response.output_text.done', { ...at, content_index: 0, text: said, logprobs: [] })
      emit('response.content_part.done', { ...at, content_index: 0, part: { ...part, text: said } })
    } else {
      const json = String(given['arguments'])
      emit('response.output_item.added', { output_index, item: { ...given, status: 'in_progress', arguments: '' } })
      for (const delta of inPieces(json)) emit('response.function_call_arguments.delta', { ...at, delta })
      emit('response.function_call_arguments.done', { ...at, name: given['name'], arguments: json })
    }
    emit('response.output_item.done', { output_index, item: given })
  }
  emit('response.completed', { response: { ...RESPONSE, status: 'completed', output, usage: RESPONSE_USAGE } })
  return out.join('')
}

const embeddingsRequest = z.strictObject({
  model: z.string(),
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  encoding_format: z.enum(['float', 'base64']).optional(),
  dimensions: z.number().optional(),
  user: z.string().optional(),
})

export function embeddingsAnswer(body: unknown): string {
  const { input, encoding_format: format } = embeddingsRequest.parse(body)
  const data = [input].flat().map((one, index) => {
    const vector = vectorOf(one)
    const embedding = format === 'base64' ? Buffer.from(new Float32Array(vector).buffer).toString('base64') : vector
    return { object: 'embedding', index, embedding }
  })
  return JSON.stringify({ object: 'list', data, model: 'stand-in', usage: { prompt_tokens: 3, total_tokens: 3 } })
}
