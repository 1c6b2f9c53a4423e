// Chat chunks and answers as events in no dialect. Reasoning has no field of OpenAI's own: vLLM, DeepSeek, xAI say
// `reasoning_content`, OpenRouter, Groq and newer vLLM `reasoning`, Mistral a part of the content.
import type { Usage } from '../../llm/chat.ts'
import type { AnswerEvent, FinishReason } from '../../llm/events.ts'
import { isObject, type Json, objectsIn, textOf } from '../json.ts'
import { finishReasonIn } from './finish.ts'
import { ToolCallOrder } from './tool-calls.ts'

interface Choice {
  readonly index: number
  readonly calls: ToolCallOrder
  refused: boolean
  finished: boolean
}

export class ChatDecoder {
  readonly #choices = new Map<number, Choice>()
  #started = false

  /** `usage`: what the chunk tells of it. */
  chunk(chunk: Json, usage: Usage | null): readonly AnswerEvent[] {
    const out: AnswerEvent[] = []
    for (const choice of objectsIn(chunk['choices'])) {
      this.#start(chunk, out)
      const delta = isObject(choice['delta']) ? choice['delta'] : {}
      this.#say(this.#choice(choice['index']), delta, finishReasonIn(choice), out)
    }
    if (usage) {
      this.#start(chunk, out)
      out.push({ kind: 'usage', usage })
    }
    return out
  }

  whole(answer: Json, usage: Usage | null): readonly AnswerEvent[] {
    const out: AnswerEvent[] = []
    this.#start(answer, out)
    for (const choice of objectsIn(answer['choices'])) {
      const message = isObject(choice['message']) ? choice['message'] : {}
      this.#say(this.#choice(choice['index']), message, finishReasonIn(choice) ?? 'stop', out)
    }
    if (usage) out.push({ kind: 'usage', usage })
    return out
  }

  /** Not at Azure's first chunk, which has no choices and neither id nor model. */
  #start(chunk: Json, out: AnswerEvent[]): void {
    if (this.#started) return
    this.#started = true
    const created = chunk['created']
    out.push({
      kind: 'start',
      id: textOf(chunk['id']) ?? '',
      model: textOf(chunk['model']) ?? '',
      createdS: typeof created === 'number' && created >= 0 ? Math.floor(created) : Math.floor(Date.now() / 1000),
    })
  }

  #choice(given: unknown): Choice {
    const index = typeof given === 'number' ? given : 0
    let choice = this.#choices.get(index)
    if (!choice) {
      choice = { index, calls: new ToolCallOrder(index), refused: false, finished: false }
      this.#choices.set(index, choice)
    }
    return choice
  }

  #say(choice: Choice, message: Json, finish: string | undefined, out: AnswerEvent[]): void {
    if (choice.finished) return
    const { index, calls } = choice
    const said: AnswerEvent[] = []
    sayText(index, message, said)
    if (said.length > 0) {
      calls.end(out)
      out.push(...said)
      choice.refused ||= said.at(-1)?.kind === 'refusal'
    }
    for (const delta of objectsIn(message['tool_calls'])) calls.take(delta, out)
    if (finish === undefined) return
    choice.finished = true
    calls.end(out)
    out.push({ kind: 'finish', choice: index, reason: reasonOf(finish, choice) })
  }
}

/** All that is not a tool call. */
function sayText(choice: number, message: Json, out: AnswerEvent[]): void {
  const say = (kind: 'text' | 'reasoning' | 'refusal', text: string | undefined) => {
    if (text) out.push({ kind, choice, text })
  }
  say('reasoning', textOf(message['reasoning_content']) || textOf(message['reasoning']))
  const content = message['content']
  if (typeof content === 'string') say('text', content)
  for (const part of objectsIn(content)) {
    if (part['type'] !== 'thinking') say('text', textOf(part['text']))
    else say('reasoning', textOf(part['thinking']) ?? objectsIn(part['thinking']).map(textIn).join(''))
  }
  say('refusal', textOf(message['refusal']))
}

const textIn = (part: Json): string => textOf(part['text']) ?? ''

/** Some servers say `stop` where they mean tool calls, or have words of their own for it. */
function reasonOf(finish: string, { calls, refused }: Choice): FinishReason {
  switch (finish) {
    case 'length':
    case 'max_tokens':
    case 'model_length':
      return 'length'
    case 'content_filter':
      return 'content-filter'
    default:
      if (calls.any) return 'tool-calls'
      return refused ? 'refusal' : 'stop'
  }
}
