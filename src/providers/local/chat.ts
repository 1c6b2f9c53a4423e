// One answer of a model in the process, as events. What it may write is held to a grammar where the caller wants JSON of a
// schema, or wants a tool to be called.
import { randomInt } from 'node:crypto'
import { newId } from '../../core/ids.ts'
import { NO_USAGE } from '../../llm/chat.ts'
import type { AnswerEvent, FinishReason } from '../../llm/events.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import type { Message, NeutralChat } from '../../llm/request.ts'
import { functionsOf, historyOf } from './history.ts'
import type { Generated, GenerateOptions, Grammar, Llama } from './library.ts'
import type { Talking } from './model.ts'

/** What llama.cpp's own server does where nothing is said. */
const USUAL_TEMPERATURE = 0.8
/** Less room than this for an answer is none. */
const LEAST_ANSWER_TOKENS = 1

export interface Wanted {
  readonly request: NeutralChat
  /** As the caller reads it. */
  readonly model: string
  readonly prefill: string | undefined
  /** Hears what is said as it is said. */
  readonly say: (event: AnswerEvent) => void
}

/** Throws ProviderFailure, AppError `malformed`, or the signal's reason. */
export async function chat(
  talking: Talking,
  { request, model, prefill, say }: Wanted,
  signal: AbortSignal,
): Promise<void> {
  const { library, llama, wrapper, sequences, contextTokens } = talking
  const functions = functionsOf(request)
  const forced = forcedCall(request)
  const history = historyOf(forced ? [toldOf(forced), ...request.messages] : request.messages, prefill)
  const grammar = await grammarOf(llama, request, forced)
  const state = wrapper.generateContextState({
    chatHistory: history.at(-1)?.type === 'model' ? history : [...history, { type: 'model', response: [''] }],
    availableFunctions: functions,
  })
  const promptTokens = state.contextText.tokenize(talking.model.tokenizer).length
  const room = contextTokens - promptTokens
  if (room < LEAST_ANSWER_TOKENS) throw tooLong(promptTokens, contextTokens)
  await sequences.use(signal, async (contextSequence) => {
    const session = new library.LlamaChat({ contextSequence, chatWrapper: wrapper, autoDisposeSequence: false })
    const before = contextSequence.tokenMeter.getState()
    let written = ''
    try {
      say({ kind: 'start', id: '', model, createdS: Date.now() / 1000 })
      const generated = await session.generateResponse(history, {
        ...samplingOf(request),
        signal,
        maxTokens: Math.min(request.maxOutputTokens ?? room, room),
        ...(grammar ? { grammar } : functions ? { functions } : {}),
        ...(functions && request.parallelToolCalls === false ? { maxParallelFunctionCalls: 1 } : {}),
        onResponseChunk: ({ segmentType, text }) => {
          if (text === '') return
          if (segmentType === 'thought') say({ kind: 'reasoning', choice: 0, text })
          else if (forced) written += text
          else if (segmentType === undefined) say({ kind: 'text', choice: 0, text })
        },
      })
      const calls = forced ? forcedCalls(written) : (generated.functionCalls ?? [])
      for (const { functionName, params } of calls) {
        say({ kind: 'tool-call', choice: 0, id: newId('call'), name: functionName })
        say({ kind: 'tool-arguments', choice: 0, json: JSON.stringify(params ?? {}) })
      }
      say({ kind: 'finish', choice: 0, ...finishOf(generated, calls.length > 0) })
    } catch (cause) {
      signal.throwIfAborted()
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new ProviderFailure('upstream_5xx', `the model failed: ${why}`, { cause })
    } finally {
      session.dispose()
    }
    const { usedInputTokens, usedOutputTokens } = contextSequence.tokenMeter.diff(before)
    // What a conversation begins with is still there from the last one, and was not read again.
    const inputTokens = Math.min(usedInputTokens, promptTokens)
    const cacheReadTokens = promptTokens - inputTokens
    say({ kind: 'usage', usage: { ...NO_USAGE, inputTokens, cacheReadTokens, outputTokens: usedOutputTokens } })
  })
}

function samplingOf(request: NeutralChat): Omit<GenerateOptions, 'signal' | 'maxTokens' | 'onResponseChunk'> {
  const { temperature, topP, topK, seed, stop, frequencyPenalty, presencePenalty } = request
  return {
    temperature: temperature ?? USUAL_TEMPERATURE,
    seed: seed === undefined ? randomInt(2 ** 31) : Math.abs(seed) % 2 ** 31,
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(stop && stop.length > 0 ? { customStopTriggers: stop } : {}),
    repeatPenalty:
      frequencyPenalty === undefined && presencePenalty === undefined
        ? false
        : { penalty: 1, frequencyPenalty: frequencyPenalty ?? 0, presencePenalty: presencePenalty ?? 0 },
  }
}

type Tools = NeutralChat['tools']

/** The tools of which one must be called; undefined where the model may do as it likes. */
function forcedCall({ tools, toolChoice }: NeutralChat): Tools | undefined {
  if (toolChoice?.kind === 'required') return tools.length > 0 ? tools : undefined
  return toolChoice?.kind === 'tool' ? tools.filter(({ name }) => name === toolChoice.name) : undefined
}

/** A grammar holds its pen, but the model has to know what it is writing. */
function toldOf(forced: Tools): Message {
  const tools = forced.map(({ name, description, parameters }) => ({ name, description, parameters }))
  const text = `Answer by calling one of these tools, written as JSON {"name": …, "arguments": …}: ${JSON.stringify(tools)}`
  return { role: 'system', parts: [{ kind: 'text', text }] }
}

async function grammarOf(
  llama: Llama,
  { output }: NeutralChat,
  forced: Tools | undefined,
): Promise<Grammar | undefined> {
  try {
    if (forced) {
      const call = ({ name, parameters }: Tools[number]) => ({
        type: 'object',
        properties: { name: { const: name }, arguments: parameters },
      })
      const [only, second] = forced
      return await llama.createGrammarForJsonSchema(only && !second ? call(only) : { oneOf: forced.map(call) })
    }
    if (output?.kind === 'schema') return await llama.createGrammarForJsonSchema(output.schema)
    return output?.kind === 'json' ? await llama.getGrammarFor('json') : undefined
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const publicMessage = `The schema cannot be made into a grammar: ${why}`
    throw new ProviderFailure('upstream_4xx', publicMessage, { publicMessage, cause })
  }
}

function forcedCalls(written: string): readonly { functionName: string; params: unknown }[] {
  try {
    const { name, arguments: params } = JSON.parse(written) as { name: string; arguments: unknown }
    return [{ functionName: name, params }]
  } catch {
    // Its tokens ended in the middle: the caller is told so, and gets no half of a call.
    return []
  }
}

function finishOf(
  { metadata }: Generated,
  called: boolean,
): { readonly reason: FinishReason; readonly stopSequence?: string } {
  if (metadata.stopReason === 'maxTokens') return { reason: 'length' }
  if (called || metadata.stopReason === 'functionCalls') return { reason: 'tool-calls' }
  if (metadata.stopReason !== 'customStopTrigger') return { reason: 'stop' }
  const [trigger] = metadata.customStopTrigger
  return typeof trigger === 'string' ? { reason: 'stop', stopSequence: trigger } : { reason: 'stop' }
}

export function tooLong(tokens: number, most: number): ProviderFailure {
  const publicMessage = `The prompt has ${tokens} tokens, and this model reads ${most} with its answer. Shorten it.`
  return new ProviderFailure('upstream_context_length', publicMessage, { publicMessage })
}
