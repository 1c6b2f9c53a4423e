// The official SDKs as callers, with every byte that they were sent kept beside what they made of it. What they were sent
// is held against the protocol's grammar; what they made of it is what counts.
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { SseSplitter } from '../../src/core/sse.ts'
import { anthropicMessages } from '../../src/dialects/anthropic-messages/dialect.ts'
import { openAiChat } from '../../src/dialects/openai-chat/dialect.ts'
import { openAiResponses } from '../../src/dialects/openai-responses/dialect.ts'
import type { Form } from './scenarios.ts'
import type { Speech } from './speech.ts'

export type Heard =
  | { readonly kind: 'answer'; readonly text: string; readonly end: 'stop' | 'withheld' | 'other' }
  /** `text`: what had come before it. */
  | { readonly kind: 'error'; readonly status: number | null; readonly text: string }
  /** Neither: what is wrong. */
  | { readonly kind: 'wrong'; readonly why: string }

export interface Question {
  readonly speech: Speech
  readonly form: Form
  readonly model: string
  readonly requestId: string
  readonly headers?: Readonly<Record<string, string>>
}

const DIALECT = { chat: openAiChat, responses: openAiResponses, messages: anthropicMessages } as const
/** Far beyond every limit that is set: whoever waits longer hangs. */
const HANG_MS = 30_000

export async function ask(url: string, key: string, question: Question): Promise<Heard> {
  const kept: { status: number; bytes: Promise<Buffer> }[] = []
  const fetchAndKeep: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    if (!response.body) return response
    const [mine, theirs] = response.body.tee()
    kept.push({ status: response.status, bytes: readAll(mine) })
    return new Response(theirs, response)
  }
  const late = AbortSignal.timeout(HANG_MS)
  const spoken: Spoken = { text: '', end: 'other' }
  let heard: Heard
  try {
    await listen({ ...question, url, key, fetch: fetchAndKeep, signal: late }, spoken)
    heard = { kind: 'answer', ...spoken }
  } catch (error) {
    if (late.aborted) return { kind: 'wrong', why: 'it hangs' }
    if (!(error instanceof OpenAI.APIError) && !(error instanceof Anthropic.APIError)) {
      return { kind: 'wrong', why: `the SDK choked: ${error instanceof Error ? error.message : String(error)}` }
    }
    if (error instanceof OpenAI.APIConnectionError || error instanceof Anthropic.APIConnectionError)
      return { kind: 'wrong', why: `the connection broke: ${error.message}` }
    heard = { kind: 'error', status: (error.status as number | undefined) ?? null, text: spoken.text }
  }
  const [exchange] = kept
  if (kept.length !== 1 || !exchange) return { kind: 'wrong', why: `${kept.length} answers were read` }
  const wrong = judge(question, exchange.status, await exchange.bytes, heard)
  return wrong === null ? heard : { kind: 'wrong', why: wrong }
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of stream) chunks.push(chunk)
  } catch {
    // The grammar will say that it is not whole.
  }
  return Buffer.concat(chunks)
}

interface Spoken {
  text: string
  end: 'stop' | 'withheld' | 'other'
}

interface Listening extends Question {
  readonly url: string
  readonly key: string
  readonly fetch: typeof fetch
  readonly signal: AbortSignal
}

const PROMPT = 'Say the sixty words.'

/** Fills in what is said as it comes, so that it is there also when an error ends it. */
async function listen(given: Listening, spoken: Spoken): Promise<void> {
  const { url, key, fetch, signal, model } = given
  const options = { headers: { ...given.headers, 'x-request-id': given.requestId }, signal }
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, fetch })
  if (given.speech === 'chat') {
    const body = { model, messages: [{ role: 'user' as const, content: PROMPT }] }
    const endOf = (finish: string | null | undefined): void => {
      if (finish === 'stop') spoken.end = 'stop'
      else if (finish === 'content_filter') spoken.end = 'withheld'
    }
    if (given.form === 'plain') {
      const [choice] = (await openai.chat.completions.create(body, options)).choices
      spoken.text = choice?.message.content ?? ''
      return endOf(choice?.finish_reason)
    }
    for await (const { choices } of await openai.chat.completions.create({ ...body, stream: true }, options)) {
      spoken.text += choices[0]?.delta.content ?? ''
      endOf(choices[0]?.finish_reason)
    }
    return
  }
  if (given.speech === 'responses') {
    const body = { model, input: PROMPT }
    const endOf = ({ status, incomplete_details: why }: OpenAI.Responses.Response): void => {
      if (status === 'completed') spoken.end = 'stop'
      else if (why?.reason === 'content_filter') spoken.end = 'withheld'
    }
    if (given.form === 'plain') {
      const response = await openai.responses.create(body, options)
      spoken.text = response.output_text
      return endOf(response)
    }
    for await (const event of await openai.responses.create({ ...body, stream: true }, options)) {
      if (event.type === 'response.output_text.delta') spoken.text += event.delta
      else if (event.type === 'response.completed' || event.type === 'response.incomplete') endOf(event.response)
      // As events they are told to whoever listens; to throw is the listener's part.
      else if (event.type === 'error') throw new OpenAI.APIError(undefined, event, event.message, undefined)
      else if (event.type === 'response.failed') throw new OpenAI.APIError(undefined, event, 'failed', undefined)
    }
    return
  }
  const anthropic = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0, fetch })
  const body = { model, max_tokens: 200, messages: [{ role: 'user' as const, content: PROMPT }] }
  const endOf = (reason: string | null): void => {
    if (reason === 'end_turn') spoken.end = 'stop'
    else if (reason === 'refusal') spoken.end = 'withheld'
  }
  if (given.form === 'plain') {
    const message = await anthropic.messages.create(body, options)
    spoken.text = message.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
    return endOf(message.stop_reason)
  }
  for await (const event of await anthropic.messages.create({ ...body, stream: true }, options)) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') spoken.text += event.delta.text
    else if (event.type === 'message_delta') endOf(event.delta.stop_reason)
  }
}

/** What is wrong with the bytes, beside what the SDK made of them; null when nothing is. */
function judge({ speech, form }: Question, status: number, bytes: Buffer, heard: Heard): string | null {
  if (status !== 200) return heard.kind === 'error' ? judgeErrorBody(speech, bytes) : `an answer under ${status}`
  if (form === 'plain') return heard.kind === 'error' ? 'an error under 200' : null
  const checker = DIALECT[speech].createChecker()
  for (const { event, data } of new SseSplitter().push(bytes)) {
    if (data === null) continue
    const wrong = checker.see(event, data === '[DONE]' ? data : JSON.parse(data))
    if (wrong !== null) return `the stream breaks its grammar: ${wrong}`
  }
  const missing = checker.end()
  if (missing !== null) return `the stream breaks its grammar: ${missing}`
  const ending = bytes.subarray(-4_000).toString('utf8')
  return heard.kind === 'error' && /\[DONE\]|message_stop|response\.completed/.test(ending)
    ? 'an error and a clean end'
    : null
}

function judgeErrorBody(speech: Speech, bytes: Buffer): string | null {
  try {
    const body = JSON.parse(bytes.toString('utf8')) as { type?: unknown; error?: { type?: unknown; message?: unknown } }
    const { type, message } = body.error ?? {}
    if (typeof type !== 'string' || typeof message !== 'string' || message === '') return 'an error without its fields'
    return speech !== 'messages' || body.type === 'error' ? null : 'an error in another dialect'
  } catch {
    return 'an error that is not JSON'
  }
}
