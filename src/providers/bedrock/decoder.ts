// The blocks of a Converse answer as events in no dialect, from the pieces of a stream or whole. A model that thinks signs
// its thoughts; a signature of Claude's is good at Anthropic too, what it hides is not.
import { isObject, type Json, objectsIn, textOf } from '../../dialects/json.ts'
import { markProof } from '../../dialects/proof.ts'
import type { AnswerEvent, FinishReason } from '../../llm/events.ts'
import { ProviderFailure } from '../../llm/provider.ts'

export class ConverseDecoder {
  readonly #model: string
  readonly #answerTool: string | null
  #started = false
  /** `answer`: the tool whose arguments are the answer. `other`: what the provider's own tools do. */
  #block: { readonly kind: 'call' | 'answer' | 'said' | 'other'; readonly id: string; given: boolean } | null = null

  constructor(model: string, answerTool: string | null) {
    this.#model = model
    this.#answerTool = answerTool
  }

  start(out: AnswerEvent[]): void {
    if (this.#started) return
    this.#started = true
    out.push({ kind: 'start', id: '', model: this.#model, createdS: Math.floor(Date.now() / 1000) })
  }

  /** `start` of a contentBlockStart. */
  open(start: unknown, index: unknown, out: AnswerEvent[]): void {
    this.close(out)
    const tool = isObject(start) ? start['toolUse'] : undefined
    if (!isObject(tool)) {
      this.#block = { kind: 'said', id: String(index), given: false }
      return
    }
    const name = textOf(tool['name']) ?? ''
    const type = tool['type']
    const kind = type === 'server_tool_use' ? 'other' : name === this.#answerTool ? 'answer' : 'call'
    this.#block = { kind, id: String(index), given: false }
    if (kind === 'call') out.push({ kind: 'tool-call', choice: 0, id: textOf(tool['toolUseId']) ?? '', name })
  }

  delta(delta: Json, index: unknown, out: AnswerEvent[]): void {
    // Text opens its block by its first piece.
    if (this.#block?.id !== String(index)) this.open(undefined, index, out)
    const text = textOf(delta['text'])
    if (text) out.push({ kind: 'text', choice: 0, text, id: String(index) })
    if (isObject(delta['toolUse'])) this.#arguments(textOf(delta['toolUse']['input']) ?? '', out)
    if (isObject(delta['reasoningContent'])) this.#reasoning(delta['reasoningContent'], String(index), out)
  }

  close(out: AnswerEvent[]): void {
    const block = this.#block
    this.#block = null
    if (block?.kind === 'call' && !block.given) out.push({ kind: 'tool-arguments', choice: 0, json: '{}' })
  }

  /** A block of a plain answer. */
  block(block: Json, index: number, out: AnswerEvent[]): void {
    const tool = block['toolUse']
    if (isObject(tool)) {
      this.open({ toolUse: tool }, index, out)
      const { input } = tool
      const none = input === undefined || (isObject(input) && Object.keys(input).length === 0)
      if (!none) this.#arguments(JSON.stringify(input), out)
      else if (this.#block?.kind === 'answer') this.#arguments('{}', out)
    } else {
      this.delta(asDelta(block), index, out)
    }
    this.close(out)
  }

  finish(stop: Json, out: AnswerEvent[]): void {
    this.close(out)
    const given = textOf(stop['stopReason']) ?? ''
    if (given.startsWith('malformed')) {
      throw new ProviderFailure('upstream_malformed', `the model's answer failed: ${given}`)
    }
    const told = REASONS[given] ?? 'stop'
    const reason = this.#answerTool !== null && told === 'tool-calls' ? 'stop' : told
    const stopSequence = given === 'stop_sequence' ? stopSequenceIn(stop['additionalModelResponseFields']) : undefined
    out.push({ kind: 'finish', choice: 0, reason, ...(stopSequence === undefined ? {} : { stopSequence }) })
  }

  #arguments(json: string, out: AnswerEvent[]): void {
    const block = this.#block
    if (json === '' || !block) return
    block.given = true
    if (block.kind === 'call') out.push({ kind: 'tool-arguments', choice: 0, json })
    else if (block.kind === 'answer') out.push({ kind: 'text', choice: 0, text: json, id: block.id })
  }

  #reasoning(given: Json, id: string, out: AnswerEvent[]): void {
    const text = textOf(given['text'])
    const signature = textOf(given['signature'])
    const redacted = textOf(given['redactedContent'])
    if (text) out.push({ kind: 'reasoning', choice: 0, text, id })
    if (signature) out.push({ kind: 'reasoning-proof', choice: 0, signature: markProof('anthropic', signature), id })
    if (redacted) out.push({ kind: 'reasoning-proof', choice: 0, encrypted: markProof('bedrock', redacted) })
  }
}

const REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  tool_use: 'tool-calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  guardrail_intervened: 'content-filter',
  content_filtered: 'content-filter',
  refusal: 'refusal',
}

/** A plain answer wraps what a stream tells in pieces. */
function asDelta(block: Json): Json {
  const reasoning = block['reasoningContent']
  const cited = block['citationsContent']
  if (isObject(cited)) {
    const texts = objectsIn(cited['content']).map(({ text }) => textOf(text) ?? '')
    return { text: texts.join('') }
  }
  if (!isObject(reasoning)) return block
  const { reasoningText } = reasoning
  return { reasoningContent: isObject(reasoningText) ? reasoningText : reasoning }
}

function stopSequenceIn(fields: unknown): string | undefined {
  if (!isObject(fields)) return undefined
  const delta = isObject(fields['delta']) ? textOf(fields['delta']['stop_sequence']) : undefined
  return delta ?? textOf(fields['stop_sequence'])
}

/** The blocks of a plain answer; undefined where it is none. */
export function blocksIn(answer: Json): readonly Json[] | undefined {
  const message = isObject(answer['output']) ? answer['output']['message'] : undefined
  return isObject(message) && Array.isArray(message['content']) ? objectsIn(message['content']) : undefined
}
