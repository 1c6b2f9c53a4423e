// Looks at the chunks of a chat answer as they pass: is it content, what was used, is all said. Read by hand and not by
// a schema: this runs for every token of every stream, and of a provider's chunk we must mind only what we know.
import { Buffer } from 'node:buffer'
import type { SseFrame } from '../../core/sse.ts'
import type { Usage } from '../../llm/chat.ts'
import type { Frame } from '../../llm/frames.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import { failureFromError } from './errors.ts'

type Json = Readonly<Record<string, unknown>>

export class ChunkTap {
  readonly #wanted: number
  readonly #finished = new Set<unknown>()

  /** `choices`: how many alternative answers were asked for; the answer is complete when each has a finish reason. */
  constructor(choices: number) {
    this.#wanted = choices
  }

  /** Throws ProviderFailure when the event tells of an error or is not a chunk. */
  see(event: SseFrame): Frame {
    if (event.data === null) return { ...NOTHING_SEEN, bytes: event.bytes }
    if (event.data.trim() === '[DONE]') return { ...NOTHING_SEEN, kind: 'end', bytes: event.bytes }
    let chunk: unknown
    try {
      chunk = JSON.parse(event.data)
    } catch (error) {
      throw new ProviderFailure('upstream_malformed', 'an event of the stream is not JSON', { cause: error })
    }
    if (!isObject(chunk)) throw new ProviderFailure('upstream_malformed', 'an event of the stream is not an object')
    if (isFault(chunk) || event.event === 'error') throw failureFromError(chunk, event.bytes)
    return this.#seeChunk(chunk, event.bytes)
  }

  /** What stood behind the last whole event: taken if it is one that only lacks its blank line. */
  seeRest(event: SseFrame): Frame | undefined {
    if (event.data === null) return undefined
    const bytes = Buffer.concat([event.bytes, Buffer.from('\n\n')])
    try {
      return this.see({ ...event, bytes })
    } catch (error) {
      // An event cut in the middle says only that the stream was cut.
      if (error instanceof ProviderFailure && error.kind === 'upstream_malformed') return undefined
      throw error
    }
  }

  #seeChunk(chunk: Json, bytes: Buffer): Frame {
    const choices = Array.isArray(chunk['choices']) ? chunk['choices'].filter(isObject) : []
    let written = 0
    let text = ''
    let ends = false
    for (const choice of choices) {
      const index = choice['index'] ?? 0
      const delta = isObject(choice['delta']) ? choice['delta'] : {}
      written += writtenIn(delta)
      if (index === 0 && typeof delta['content'] === 'string') text += delta['content']
      if (choice['finish_reason'] !== null && choice['finish_reason'] !== undefined) {
        ends = true
        this.#finished.add(index)
      }
    }
    const usage = readUsage(chunk)
    return {
      kind: written > 0 || ends ? 'content' : usage && choices.length === 0 ? 'usage' : 'lifecycle',
      bytes,
      text,
      written,
      usage,
      model: modelOf(chunk),
      complete: this.#finished.size >= this.#wanted,
    }
  }
}

/** A plain answer as the one frame it is. Throws ProviderFailure when it is an error, cut, or no chat answer. */
export function answerFrame(body: Buffer): Frame {
  let answer: unknown
  try {
    answer = JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw new ProviderFailure('upstream_malformed', 'the answer is not JSON', { cause: error })
  }
  if (!isObject(answer)) throw new ProviderFailure('upstream_malformed', 'the answer is not an object')
  if (isFault(answer)) throw failureFromError(answer)
  const choices = Array.isArray(answer['choices']) ? answer['choices'].filter(isObject) : []
  if (choices.length === 0) throw new ProviderFailure('upstream_malformed', 'the answer has no choices')
  const messages = choices.map((choice) => (isObject(choice['message']) ? choice['message'] : {}))
  const content = messages[0]?.['content']
  return {
    kind: 'content',
    bytes: body,
    text: typeof content === 'string' ? content : '',
    written: messages.reduce((sum, message) => sum + writtenIn(message), 0),
    usage: readUsage(answer),
    model: modelOf(answer),
    complete: true,
  }
}

const NOTHING_SEEN = {
  kind: 'lifecycle',
  text: '',
  written: 0,
  usage: null,
  model: null,
  complete: false,
} as const

const isObject = (value: unknown): value is Json => value !== null && typeof value === 'object' && !Array.isArray(value)

const isFault = (chunk: Json): boolean => chunk['error'] !== undefined && chunk['error'] !== null

const modelOf = (chunk: Json): string | null => (typeof chunk['model'] === 'string' ? chunk['model'] : null)

/** Names of members that say what something is, and are not something the model wrote. */
const LABELS = new Set(['role', 'id', 'type', 'index', 'annotations'])

/** Characters in all strings of a delta, whatever the provider calls its members: content, reasoning, arguments. */
function writtenIn(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (value === null || typeof value !== 'object') return 0
  let sum = 0
  if (Array.isArray(value)) for (const item of value) sum += writtenIn(item)
  else for (const key in value) if (!LABELS.has(key)) sum += writtenIn((value as Json)[key])
  return sum
}

/** OpenAI counts cached tokens within the prompt's; ours are without them. Groq hides its usage in `x_groq`. */
function readUsage(chunk: Json): Usage | null {
  const hidden = isObject(chunk['x_groq']) ? chunk['x_groq']['usage'] : undefined
  const usage = isObject(chunk['usage']) ? chunk['usage'] : isObject(hidden) ? hidden : undefined
  if (!usage) return null
  const prompt = count(usage['prompt_tokens'])
  const cached = count(detail(usage['prompt_tokens_details'], 'cached_tokens'))
  return {
    inputTokens: prompt === null ? null : Math.max(0, prompt - (cached ?? 0)),
    cacheReadTokens: cached,
    cacheWriteTokens: null,
    outputTokens: count(usage['completion_tokens']),
    reasoningTokens: count(detail(usage['completion_tokens_details'], 'reasoning_tokens')),
  }
}

const detail = (details: unknown, name: string): unknown => (isObject(details) ? details[name] : undefined)

const count = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : null
