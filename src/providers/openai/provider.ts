// OpenAI and everything that speaks its chat API. The caller's body goes up as it came, but for the model's name and the
// wish for usage; the answer comes back as it was sent, looked at frame by frame.
import type { Frame } from '../../llm/frames.ts'
import { type Provider, type ProviderCall, ProviderFailure } from '../../llm/provider.ts'
import { SseSplitter } from '../../core/sse.ts'
import type { Secret } from '../../core/secret.ts'
import { createWire, type WireAnswer } from '../wire.ts'
import { failureFromReply, failureInBody } from './errors.ts'
import { answerFrame, ChunkTap } from './frames.ts'
import { upstreamBody } from './request.ts'

export interface OpenAiOptions {
  readonly name: string
  /** Up to and with the version: `https://api.openai.com/v1`. */
  readonly baseUrl: string
  readonly apiKey: Secret | undefined
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024
const MAX_ERROR_BYTES = 1024 * 1024

export function createOpenAiProvider({ name, baseUrl, apiKey }: OpenAiOptions): Provider {
  const base = new URL(baseUrl)
  const path = `${base.pathname.replace(/\/+$/, '')}/chat/completions${base.search}`
  const wire = createWire(base.origin)
  const headers = [
    'content-type',
    'application/json',
    'accept-encoding',
    'identity',
    'user-agent',
    'midwatch',
    ...(apiKey ? ['authorization', `Bearer ${apiKey.reveal()}`] : []),
  ]
  return {
    name,
    chat: async function* (call, signal) {
      const sent = [...headers, 'x-request-id', call.requestId]
      const answer = await wire.post(path, sent, upstreamBody(call), signal)
      let complete = false
      try {
        if (answer.status !== 200) throw failureFromReply(answer.status, answer.headers, await errorBody(answer))
        for await (const frames of call.stream ? streamed(answer, call) : plain(answer)) {
          complete ||= frames.at(-1)?.kind === 'end'
          yield frames
        }
        complete = true
      } finally {
        answer.release(complete)
      }
    },
    stop: () => wire.stop(),
  }
}

/** The body of an error; what cannot be read of it is not missed. */
async function errorBody(answer: WireAnswer): Promise<Buffer> {
  try {
    return (await answer.whole(MAX_ERROR_BYTES)) ?? Buffer.alloc(0)
  } catch (error) {
    if (error instanceof ProviderFailure) return Buffer.alloc(0)
    throw error
  }
}

async function* plain(answer: WireAnswer): AsyncGenerator<readonly Frame[], void, void> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer.chunks()) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw new ProviderFailure('upstream_malformed', 'the answer is larger than 64 MiB')
    chunks.push(chunk)
    yield []
  }
  yield [answerFrame(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks))]
}

async function* streamed(answer: WireAnswer, call: ProviderCall): AsyncGenerator<readonly Frame[], void, void> {
  const splitter = new SseSplitter()
  const tap = new ChunkTap(call.choices)
  // Some answer a streamed call with a plain error body under 200: it shows as text that holds no event at all.
  let noEvent: Buffer[] | null = []
  for await (const chunk of answer.chunks()) {
    const events = split(splitter, chunk)
    if (noEvent && events.some((event) => event.data !== null)) noEvent = null
    noEvent?.push(chunk)
    const frames: Frame[] = []
    for (const event of events) {
      try {
        frames.push(tap.see(event))
      } catch (error) {
        // What arrived in the same packet before the fault is still good.
        if (frames.length > 0) yield frames
        throw error
      }
    }
    yield frames
    if (frames.at(-1)?.kind === 'end') return
  }
  const last = tap.seeRest(splitter.rest())
  if (last) yield [last]
  else if (noEvent) throw failureInBody(Buffer.concat(noEvent))
}

function split(splitter: SseSplitter, chunk: Buffer) {
  try {
    return splitter.push(chunk)
  } catch (error) {
    throw new ProviderFailure('upstream_malformed', 'an event of the stream is larger than 16 MiB', { cause: error })
  }
}
