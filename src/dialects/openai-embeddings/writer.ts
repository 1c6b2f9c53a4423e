// An embeddings answer written from vectors in no dialect.
import { allInputTokens } from '../../core/money.ts'
import type { Usage } from '../../llm/chat.ts'
import type { AnswerWriter, Ask } from '../../llm/dialect.ts'
import type { AnswerEvent } from '../../llm/events.ts'
import { NO_BYTES } from '../../llm/frames.ts'
import { embeddingsAskOf } from './read-request.ts'
import { writeVector } from './vectors.ts'

export class EmbeddingsWriter implements AnswerWriter {
  readonly #ask: Ask
  #model = ''
  #vectors: readonly (readonly number[])[] = []
  #usage: Usage | null = null

  constructor(ask: Ask) {
    this.#ask = ask
  }

  write(events: readonly AnswerEvent[]): Uint8Array {
    for (const event of events) {
      if (event.kind === 'start') this.#model = event.model
      else if (event.kind === 'embeddings') this.#vectors = event.vectors
      else if (event.kind === 'usage') this.#usage = event.usage
    }
    return NO_BYTES
  }

  end(): Uint8Array {
    return NO_BYTES
  }

  whole(): Buffer {
    const { encoding } = embeddingsAskOf(this.#ask)
    const data = this.#vectors.map(
      (vector, index) => `{"object":"embedding","index":${index},"embedding":${writeVector(vector, encoding)}}`,
    )
    const model = JSON.stringify(this.#model)
    return Buffer.from(`{"object":"list","data":[${data.join(',')}],"model":${model}${usageMember(this.#usage)}}`)
  }
}

function usageMember(usage: Usage | null): string {
  if (!usage || usage.inputTokens === null) return ''
  const tokens = allInputTokens(usage)
  return `,"usage":{"prompt_tokens":${tokens},"total_tokens":${tokens}}`
}
