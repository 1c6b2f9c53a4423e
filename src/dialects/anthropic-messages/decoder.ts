// Messages events and answers as events in no dialect. What the provider's own tools did (searches, code) is no tool call
// of the caller's and stays out; so do citations, which no other dialect can tell.
import type { Usage } from '../../llm/chat.ts'
import type { AnswerEvent, FinishReason } from '../../llm/events.ts'
import { isObject, type Json, objectsIn, textOf } from '../json.ts'
import { markProof } from '../proof.ts'

const NOTHING: readonly AnswerEvent[] = []

export class MessagesDecoder {
  /** The tool call that is open, and whether any of its arguments came. */
  #call: { given: boolean } | null = null
  /** What the open block is; of a provider's own tool nothing is passed on. */
  #block: unknown = null
  /** Its number, by which the parts are told apart. */
  #id = ''
  #finished = false

  event(value: Json, usage: Usage | null): readonly AnswerEvent[] {
    switch (value['type']) {
      case 'message_start':
        return this.#start(isObject(value['message']) ? value['message'] : {})
      case 'content_block_start':
        return [
          ...this.#stop(),
          ...this.#open(isObject(value['content_block']) ? value['content_block'] : {}, value['index']),
        ]
      case 'content_block_delta':
        return this.#delta(isObject(value['delta']) ? value['delta'] : {})
      case 'content_block_stop':
        return this.#stop()
      case 'message_delta':
        return this.#end(isObject(value['delta']) ? value['delta'] : {}, usage)
      default:
        return NOTHING
    }
  }

  whole(answer: Json, usage: Usage | null): readonly AnswerEvent[] {
    return [...this.#start(answer), ...this.#end(answer, usage)]
  }

  /** With blocks that are there from the start: all of them of a plain answer, of a stream those it goes on from. */
  #start(message: Json): readonly AnswerEvent[] {
    return [
      {
        kind: 'start',
        id: textOf(message['id']) ?? '',
        model: textOf(message['model']) ?? '',
        createdS: Math.floor(Date.now() / 1000),
      },
      ...objectsIn(message['content']).flatMap((block, i) => [...this.#open(block, i), ...this.#stop()]),
    ]
  }

  #open(block: Json, index: unknown): readonly AnswerEvent[] {
    this.#block = block['type']
    this.#id = String(index)
    switch (block['type']) {
      case 'text':
        return text(textOf(block['text']), this.#id)
      case 'thinking':
        return [...reasoning(textOf(block['thinking']), this.#id), ...proof(textOf(block['signature']))]
      case 'redacted_thinking':
        return [{ kind: 'reasoning-proof', choice: 0, encrypted: markProof('anthropic', textOf(block['data']) ?? '') }]
      case 'tool_use': {
        const { input } = block
        const given = input !== undefined && input !== null && !(isObject(input) && Object.keys(input).length === 0)
        this.#call = { given }
        return [
          { kind: 'tool-call', choice: 0, id: textOf(block['id']) ?? '', name: textOf(block['name']) ?? '' },
          ...(given ? [{ kind: 'tool-arguments' as const, choice: 0, json: asJson(input) }] : []),
        ]
      }
      default:
        // An empty part keeps the place, so that whoever writes blocks again counts them alike.
        return [{ kind: 'text', choice: 0, text: '', id: this.#id }]
    }
  }

  #delta(delta: Json): readonly AnswerEvent[] {
    switch (delta['type']) {
      case 'text_delta':
        return this.#block === 'text' ? text(textOf(delta['text']), this.#id) : NOTHING
      case 'thinking_delta':
        return reasoning(textOf(delta['thinking']), this.#id)
      case 'signature_delta':
        return proof(textOf(delta['signature']))
      case 'input_json_delta': {
        const json = textOf(delta['partial_json'])
        if (!this.#call || !json) return NOTHING
        this.#call.given = true
        return [{ kind: 'tool-arguments', choice: 0, json }]
      }
      default:
        return NOTHING
    }
  }

  #stop(): readonly AnswerEvent[] {
    const call = this.#call
    this.#call = null
    this.#block = null
    return call && !call.given ? [{ kind: 'tool-arguments', choice: 0, json: '{}' }] : NOTHING
  }

  #end(delta: Json, usage: Usage | null): readonly AnswerEvent[] {
    const events: AnswerEvent[] = [...this.#stop()]
    const reason = textOf(delta['stop_reason'])
    if (reason !== undefined && !this.#finished) {
      this.#finished = true
      const details = isObject(delta['stop_details']) ? delta['stop_details'] : {}
      const why = reason === 'refusal' ? textOf(details['explanation']) : undefined
      const stopSequence = textOf(delta['stop_sequence'])
      if (why) events.push({ kind: 'refusal', choice: 0, text: why })
      events.push({
        kind: 'finish',
        choice: 0,
        reason: REASONS[reason] ?? 'stop',
        ...(stopSequence === undefined ? {} : { stopSequence }),
      })
    }
    if (usage) events.push({ kind: 'usage', usage })
    return events
  }
}

const REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool-calls',
  pause_turn: 'pause',
  compaction: 'pause',
  refusal: 'refusal',
}

const text = (said: string | undefined, id: string): readonly AnswerEvent[] =>
  said ? [{ kind: 'text', choice: 0, text: said, id }] : NOTHING

const reasoning = (said: string | undefined, id: string): readonly AnswerEvent[] =>
  said ? [{ kind: 'reasoning', choice: 0, text: said, id }] : NOTHING

const proof = (signature: string | undefined): readonly AnswerEvent[] =>
  signature ? [{ kind: 'reasoning-proof', choice: 0, signature: markProof('anthropic', signature) }] : NOTHING

const asJson = (input: unknown): string => (typeof input === 'string' ? input : JSON.stringify(input))
