// One answer in each of the three protocols that providers speak here, taken apart where faults bite: what greets, the
// words, what closes, the end mark. Written from the vendors' documentation and not by our own writers, so that a fault of
// ours cannot hide on both sides.
export type Speech = 'chat' | 'responses' | 'messages'
export const SPEECHES: readonly Speech[] = ['chat', 'responses', 'messages']

export interface SpokenStream {
  /** Lifecycle: nothing is said yet. */
  readonly greeting: readonly string[]
  /** One event a word. */
  readonly words: readonly string[]
  /** All was said; why it ended, and what it used. */
  readonly closing: readonly string[]
  readonly end: string
}

export type Finish = 'stop' | 'withheld'

/** What the request says, as far as the stand-in needs to know. */
export interface Asked {
  readonly model: string
  readonly stream: boolean
  /** The assistant's beginning that is to be gone on with. */
  readonly prefill: string | null
}

type Json = Record<string, unknown>

const USAGE = { input: 21, output: 60 }

export function readAsked(body: string): Asked {
  const request = JSON.parse(body) as {
    model: string
    stream?: boolean
    messages?: { role: string; content: string | { text: string }[] }[]
  }
  const last = request.messages?.at(-1)
  return {
    model: request.model,
    stream: request.stream === true,
    prefill:
      last?.role === 'assistant'
        ? typeof last.content === 'string'
          ? last.content
          : last.content.map(({ text }) => text).join('')
        : null,
  }
}

export function streamIn(speech: Speech, words: readonly string[], finish: Finish = 'stop'): SpokenStream {
  switch (speech) {
    case 'chat':
      return chatStream(words, finish)
    case 'responses':
      return responsesStream(words, finish)
    case 'messages':
      return messagesStream(words, finish)
  }
}

export function plainIn(speech: Speech, words: readonly string[], finish: Finish = 'stop'): string {
  const text = words.join('')
  switch (speech) {
    case 'chat':
      return JSON.stringify({
        ...CHAT_HEAD,
        object: 'chat.completion',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: text, refusal: null },
            logprobs: null,
            finish_reason: CHAT_FINISH[finish],
          },
        ],
        usage: CHAT_USAGE,
      })
    case 'responses':
      return JSON.stringify(response(text, finish))
    case 'messages':
      return JSON.stringify({
        ...MESSAGE,
        content: [{ type: 'text', text }],
        stop_reason: MESSAGES_FINISH[finish],
        usage: { input_tokens: USAGE.input, output_tokens: USAGE.output },
      })
  }
}

/** A refusal before the answer: its status, and the vendor's body for it. */
export type Refusal = 'rate-limit' | 'server' | 'overloaded' | 'context-length' | 'content-policy' | 'prefill'

const REFUSALS: Readonly<Record<Refusal, { status: number; openai: Json; anthropic: Json }>> = {
  'rate-limit': {
    status: 429,
    openai: { message: 'Rate limit reached', type: 'requests', param: null, code: 'rate_limit_exceeded' },
    anthropic: { type: 'rate_limit_error', message: 'This request would exceed your rate limit' },
  },
  server: {
    status: 500,
    openai: { message: 'The server had an error', type: 'server_error', param: null, code: null },
    anthropic: { type: 'api_error', message: 'Internal server error' },
  },
  overloaded: {
    status: 503,
    openai: { message: 'The engine is overloaded', type: 'server_error', param: null, code: 'overloaded' },
    anthropic: { type: 'overloaded_error', message: 'Overloaded' },
  },
  'context-length': {
    status: 400,
    openai: {
      message: "This model's maximum context length is 8192 tokens. Your messages resulted in 9000 tokens.",
      type: 'invalid_request_error',
      param: 'messages',
      code: 'context_length_exceeded',
    },
    anthropic: { type: 'invalid_request_error', message: 'prompt is too long: 209000 tokens > 200000 maximum' },
  },
  'content-policy': {
    status: 400,
    openai: {
      message: 'The response was filtered due to the prompt triggering the content management policy.',
      type: 'invalid_request_error',
      param: 'prompt',
      code: 'content_filter',
    },
    anthropic: { type: 'invalid_request_error', message: 'Output blocked by content filtering policy' },
  },
  prefill: {
    status: 400,
    openai: {
      message: 'The last message must have the role user',
      type: 'invalid_request_error',
      param: 'messages',
      code: null,
    },
    anthropic: {
      type: 'invalid_request_error',
      message: 'This model does not support assistant message prefill. The conversation must end with a user message.',
    },
  },
}

export function refusalIn(speech: Speech, refusal: Refusal): { readonly status: number; readonly body: string } {
  const { status, openai, anthropic } = REFUSALS[refusal]
  const overloaded = refusal === 'overloaded' && speech === 'messages'
  return {
    status: overloaded ? 529 : status,
    body: JSON.stringify(speech === 'messages' ? { type: 'error', error: anthropic } : { error: openai }),
  }
}

/** An error inside a stream that began well. `sequence`: how many events came before it. */
export function errorIn(speech: Speech, sequence: number): string {
  const { openai, anthropic } = REFUSALS.overloaded
  switch (speech) {
    case 'chat':
      return data({ error: openai })
    case 'responses':
      return named({
        type: 'error',
        sequence_number: sequence,
        code: 'server_error',
        message: openai['message'],
        param: null,
      })
    case 'messages':
      return named({ type: 'error', error: anthropic })
  }
}

const data = (value: Json): string => `data: ${JSON.stringify(value)}\n\n`
const named = (value: Json): string => `event: ${String(value['type'])}\n${data(value)}`

const CHAT_FINISH = { stop: 'stop', withheld: 'content_filter' } as const
const MESSAGES_FINISH = { stop: 'end_turn', withheld: 'refusal' } as const
const CHAT_HEAD = { id: 'chatcmpl-1', created: 1_764_000_000, model: 'stand-in-2026' }
const CHAT_USAGE = {
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  total_tokens: USAGE.input + USAGE.output,
}

function chatStream(words: readonly string[], finish: Finish): SpokenStream {
  const chunk = (delta: Json, finish_reason: string | null = null): string =>
    data({
      ...CHAT_HEAD,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    })
  return {
    greeting: [chunk({ role: 'assistant', content: '', refusal: null })],
    words: words.map((content) => chunk({ content })),
    closing: [
      chunk({}, CHAT_FINISH[finish]),
      data({ ...CHAT_HEAD, object: 'chat.completion.chunk', choices: [], usage: CHAT_USAGE }),
    ],
    end: 'data: [DONE]\n\n',
  }
}

const response = (text: string | null, finish: Finish): Json => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1_764_000_000,
  status: text === null ? 'in_progress' : finish === 'stop' ? 'completed' : 'incomplete',
  error: null,
  incomplete_details: text !== null && finish === 'withheld' ? { reason: 'content_filter' } : null,
  instructions: null,
  max_output_tokens: null,
  metadata: {},
  model: 'stand-in-2026',
  output: text === null ? [] : [outputMessage(text)],
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  store: false,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  truncation: 'disabled',
  ...(text === null
    ? {}
    : {
        usage: {
          input_tokens: USAGE.input,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: USAGE.output,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: USAGE.input + USAGE.output,
        },
      }),
})

const outputText = (text: string): Json => ({ type: 'output_text', text, annotations: [], logprobs: [] })
const outputMessage = (text: string, status = 'completed'): Json => ({
  id: 'msg_1',
  type: 'message',
  status,
  role: 'assistant',
  content: status === 'completed' ? [outputText(text)] : [],
})

function responsesStream(words: readonly string[], finish: Finish): SpokenStream {
  let sequence_number = 0
  const event = (type: string, more: Json): string => named({ type, sequence_number: sequence_number++, ...more })
  const text = words.join('')
  const at = { item_id: 'msg_1', output_index: 0, content_index: 0 }
  return {
    greeting: [
      event('response.created', { response: response(null, finish) }),
      event('response.in_progress', { response: response(null, finish) }),
      event('response.output_item.added', { output_index: 0, item: outputMessage('', 'in_progress') }),
      event('response.content_part.added', { ...at, part: outputText('') }),
    ],
    words: words.map((delta) => event('response.output_text.delta', { ...at, delta, logprobs: [] })),
    closing: [
      event('response.output_text.done', { ...at, text, logprobs: [] }),
      event('response.content_part.done', { ...at, part: outputText(text) }),
      event('response.output_item.done', { output_index: 0, item: outputMessage(text) }),
    ],
    end: event(finish === 'stop' ? 'response.completed' : 'response.incomplete', { response: response(text, finish) }),
  }
}

const MESSAGE = { id: 'msg_1', type: 'message', role: 'assistant', model: 'stand-in-2026', stop_sequence: null }

function messagesStream(words: readonly string[], finish: Finish): SpokenStream {
  return {
    greeting: [
      named({
        type: 'message_start',
        message: {
          ...MESSAGE,
          content: [],
          stop_reason: null,
          usage: { input_tokens: USAGE.input, output_tokens: 1 },
        },
      }),
      named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
      named({ type: 'ping' }),
    ],
    words: words.map((text) => named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
    closing: [
      named({ type: 'content_block_stop', index: 0 }),
      named({
        type: 'message_delta',
        delta: { stop_reason: MESSAGES_FINISH[finish], stop_sequence: null },
        usage: { output_tokens: USAGE.output },
      }),
    ],
    end: named({ type: 'message_stop' }),
  }
}
