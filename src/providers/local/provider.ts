// A model in a file, run in this process by node-llama-cpp. It speaks no dialect: every answer is events.
import { NO_USAGE } from '../../llm/chat.ts'
import type { AnswerEvent } from '../../llm/events.ts'
import { type Frame, NO_BYTES } from '../../llm/frames.ts'
import { type FrameSink, type Provider, ProviderFailure } from '../../llm/provider.ts'
import type { NeutralEmbeddings } from '../../llm/request.ts'
import { chat, tooLong } from './chat.ts'
import { type Library, loadLibrary } from './library.ts'
import { LocalModel } from './model.ts'

export interface LocalOptions {
  readonly name: string
  /** A GGUF file. */
  readonly path: string
  readonly contextTokens?: number | undefined
  /** How many answers it works on at once; the others wait. */
  readonly parallel: number
  readonly load?: () => Promise<Library>
}

export function createLocalProvider({
  name,
  path,
  contextTokens,
  parallel,
  load = loadLibrary,
}: LocalOptions): Provider {
  const local = new LocalModel({ path, contextTokens, parallel, load })
  return {
    name,
    speaks: new Set(),
    lacks: new Set(['images', 'files', 'audio', 'logprobs', 'choices']),
    takesPrefill: () => true,
    call: async ({ ask, model, prefill }, sink, signal) => {
      const request = ask.neutral()
      // It is here: what is waited for from now on is the answer, or the end of its loading.
      sink.connected()
      if (request.kind === 'embeddings') return embed(local, request, model, sink, signal)
      const talking = await unlessAborted(local.talking(), signal)
      const held: AnswerEvent[] = []
      const cut = new AbortController()
      const say = (event: AnswerEvent): void => {
        if (!ask.stream) held.push(event)
        else if (!cut.signal.aborted) {
          try {
            // Nothing waits for a slow caller here: an answer is small, and how long it may get is known.
            void sink.take([frameOf([event])])
          } catch (error) {
            // Not through the library, which would not expect it.
            cut.abort(error)
          }
        }
      }
      await chat(talking, { request, model, prefill, say }, AbortSignal.any([signal, cut.signal]))
      cut.signal.throwIfAborted()
      if (!ask.stream) void sink.take([frameOf(held)])
    },
    stop: () => local.stop(),
  }
}

async function embed(
  local: LocalModel,
  { inputs, dimensions }: NeutralEmbeddings,
  model: string,
  sink: FrameSink,
  signal: AbortSignal,
): Promise<void> {
  const contexts = await unlessAborted(local.embedding(), signal)
  const { contextTokens } = await local.talking()
  await contexts.use(signal, async (context) => {
    const vectors: number[][] = []
    let inputTokens = 0
    for (const input of inputs) {
      signal.throwIfAborted()
      const tokens = context.calculateInputLength(input)
      if (tokens > contextTokens) throw tooLong(tokens, contextTokens)
      inputTokens += tokens
      vectors.push(atLengthOne((await context.getEmbeddingFor(input)).vector))
    }
    const size = vectors[0]?.length ?? 0
    if (dimensions !== undefined && dimensions !== size) {
      const publicMessage = `This model makes vectors of ${size} dimensions and no others. Leave dimensions out.`
      throw new ProviderFailure('upstream_4xx', publicMessage, { publicMessage })
    }
    const usage = { ...NO_USAGE, inputTokens, outputTokens: 0 }
    void sink.take([
      frameOf([
        { kind: 'start', id: '', model, createdS: Date.now() / 1000 },
        { kind: 'embeddings', vectors },
        { kind: 'usage', usage },
      ]),
    ])
  })
}

/** As OpenAI's vectors are, so that their product is their similarity. */
function atLengthOne(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector)
  return length === 0 ? [...vector] : vector.map((value) => value / length)
}

/** The work goes on, for the next call wants it too. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    const onAbort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function frameOf(events: readonly AnswerEvent[]): Frame {
  let text = ''
  let written = 0
  let usage: Frame['usage'] = null
  let model: string | null = null
  let complete = false
  let content = false
  for (const event of events) {
    if (event.kind === 'start') model = event.model
    else if (event.kind === 'usage') usage = event.usage
    else {
      content = true
      if (event.kind === 'text') text += event.text
      if (event.kind === 'text' || event.kind === 'reasoning') written += event.text.length
      if (event.kind === 'tool-arguments') written += event.json.length
      complete ||= event.kind === 'finish' || event.kind === 'embeddings'
    }
  }
  const kind = content ? 'content' : usage ? 'usage' : 'lifecycle'
  return { kind, bytes: NO_BYTES, events, text, written, usage, model, complete }
}
