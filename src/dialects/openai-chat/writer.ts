// A chat answer written from events in no dialect, as chunks or whole. Reasoning goes where most clients look for it:
// `reasoning_content`. What the grammar of events forbids does no harm here: a second start, or words after a finish, are
// left away.
import { Buffer } from 'node:buffer'
import { newId } from '../../core/ids.ts'
import type { Usage } from '../../llm/chat.ts'
import type { AnswerWriter, Ask } from '../../llm/dialect.ts'
import type { AnswerEvent } from '../../llm/events.ts'
import { NO_BYTES } from '../../llm/frames.ts'
import { ChatMessage } from './message.ts'
import { chatUsage } from './usage-out.ts'

const DONE = 'data: [DONE]\n\n'

interface Head {
  readonly id: string
  readonly created: number
  readonly model: string
}

export class ChatWriter implements AnswerWriter {
  readonly #stream: boolean
  readonly #wantsUsage: boolean
  readonly #choices = new Map<number, ChatMessage>()
  #head: Head | undefined
  #usage: Usage | null = null

  constructor({ stream, wantsUsage }: Pick<Ask, 'stream' | 'wantsUsage'>) {
    this.#stream = stream
    this.#wantsUsage = wantsUsage
  }

  write(events: readonly AnswerEvent[]): Uint8Array {
    let out = ''
    for (const event of events) {
      if (event.kind === 'start') this.#head ??= headOf(event.id, event.createdS, event.model)
      else if (event.kind === 'usage') this.#usage = event.usage
      else if (event.kind !== 'embeddings') out += this.#choice(event.choice).take(event)
    }
    return out === '' ? NO_BYTES : Buffer.from(out)
  }

  end(): Uint8Array {
    if (!this.#stream) return NO_BYTES
    if (this.#choices.size === 0) this.#choice(0)
    let out = ''
    for (const message of this.#choices.values()) out += message.finish('stop')
    const usage = this.#wantsUsage ? chatUsage(this.#usage) : undefined
    if (usage) out += `${this.#prefix()}"choices":[],"usage":${JSON.stringify(usage)}}\n\n`
    return Buffer.from(out + DONE)
  }

  whole(): Buffer {
    if (this.#choices.size === 0) this.#choice(0)
    const { id, created, model } = this.#started()
    const choices = [...this.#choices].toSorted(([a], [b]) => a - b).map(([index, message]) => message.whole(index))
    const usage = chatUsage(this.#usage)
    return Buffer.from(JSON.stringify({ id, object: 'chat.completion', created, model, choices, usage }))
  }

  #choice(index: number): ChatMessage {
    let message = this.#choices.get(index)
    if (!message) {
      message = new ChatMessage(this.#stream ? `${this.#prefix()}"choices":[{"index":${index},` : null)
      this.#choices.set(index, message)
    }
    return message
  }

  #started(): Head {
    return (this.#head ??= headOf('', Date.now() / 1000, ''))
  }

  #prefix(): string {
    const { id, created, model } = this.#started()
    return `data: {"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${created},"model":${JSON.stringify(model)},`
  }
}

const headOf = (id: string, createdS: number, model: string): Head => ({
  id: id === '' ? newId('chatcmpl') : id,
  created: Math.floor(createdS),
  model,
})
