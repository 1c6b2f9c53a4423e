// Reads a provider's answer to an embeddings request. Some servers ignore `encoding_format`, and OpenAI's own client then
// takes a list of numbers for base64 and hands its caller nonsense: such an answer is put right, vector by vector.
import { type Splice, splice } from '../../core/json-members.ts'
import type { Usage } from '../../llm/chat.ts'
import type { AnswerReader, Ask } from '../../llm/dialect.ts'
import type { AnswerEvent } from '../../llm/events.ts'
import { type Frame, NO_BYTES, NO_EVENTS } from '../../llm/frames.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import { isObject, type Json, objectsIn } from '../json.ts'
import { failureFromError } from '../openai-chat/failures.ts'
import { readUsage } from '../openai-chat/usage.ts'
import { layoutOfAnswer } from './layout.ts'
import { embeddingsAskOf } from './read-request.ts'
import { type Encoding, encodingOf, readVector, writeVector } from './vectors.ts'

export class EmbeddingsReader implements AnswerReader {
  readonly #decode: boolean
  readonly #ask: Ask | undefined

  constructor({ decode, ask }: { readonly decode: boolean; readonly ask?: Ask | undefined }) {
    this.#decode = decode
    this.#ask = ask
  }

  see(): never {
    throw new ProviderFailure('upstream_malformed', 'it answered an embeddings call with a stream')
  }

  seeRest(): Frame | undefined {
    return undefined
  }

  whole(body: Buffer): Frame {
    const answer = parsed(body)
    if (answer['error'] !== undefined && answer['error'] !== null) throw failureFromError(answer)
    const data = inOrder(objectsIn(answer['data']))
    if (data.length === 0) throw new ProviderFailure('upstream_malformed', 'the answer has no vectors')
    const asked = this.#ask && embeddingsAskOf(this.#ask)
    const wanted = asked && (asked.inputs.kind === 'texts' ? asked.inputs.texts : asked.inputs.tokens).length
    if (wanted !== undefined && wanted !== data.length) {
      throw new ProviderFailure('upstream_malformed', `it sent ${data.length} vectors for ${wanted} inputs`)
    }
    const usage = usageOf(answer)
    return {
      kind: 'content',
      bytes: this.#decode ? NO_BYTES : respelt(body, data, asked?.encoding),
      events: this.#decode ? eventsOf(answer, data, usage) : NO_EVENTS,
      text: '',
      written: 0,
      usage,
      model: typeof answer['model'] === 'string' ? answer['model'] : null,
      complete: true,
    }
  }
}

function parsed(body: Buffer): Json {
  let answer: unknown
  try {
    answer = JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw new ProviderFailure('upstream_malformed', 'the answer is not JSON', { cause: error })
  }
  if (isObject(answer)) return answer
  throw new ProviderFailure('upstream_malformed', 'the answer is not an object')
}

/** By their index: nothing promises that they stand in the order of the inputs. */
const inOrder = (data: readonly Json[]): readonly Json[] =>
  data.every(({ index }) => Number.isInteger(index))
    ? data.toSorted((a, b) => (a['index'] as number) - (b['index'] as number))
    : data

/** An embedding writes nothing, so its whole usage is known once its prompt's is. */
function usageOf(answer: Json): Usage | null {
  const usage = readUsage(answer)
  if (!usage) return null
  const total = (answer['usage'] as Json | undefined)?.['total_tokens']
  const inputTokens = usage.inputTokens ?? (typeof total === 'number' ? total : null)
  return { ...usage, inputTokens, outputTokens: 0 }
}

function eventsOf(answer: Json, data: readonly Json[], usage: Usage | null): readonly AnswerEvent[] {
  const model = typeof answer['model'] === 'string' ? answer['model'] : ''
  const vectors = data.map(({ embedding }) => {
    const vector = readVector(embedding)
    if (vector) return vector
    throw new ProviderFailure('upstream_malformed', 'a vector is neither numbers nor base64')
  })
  return [
    { kind: 'start', id: '', model, createdS: Date.now() / 1000 },
    { kind: 'embeddings', vectors },
    ...(usage ? [{ kind: 'usage' as const, usage }] : []),
  ]
}

/** The body as it came, but for vectors that are not spelt as they were asked for. */
function respelt(body: Buffer, data: readonly Json[], encoding: Encoding | undefined): Buffer {
  if (encoding === undefined || data.every(({ embedding }) => encodingOf(embedding) === encoding)) return body
  const splices: Splice[] = []
  for (const { embedding } of layoutOfAnswer(body)?.vectors ?? []) {
    const vector = embedding && readVector(JSON.parse(body.toString('utf8', embedding.start, embedding.end)))
    if (!vector) throw new ProviderFailure('upstream_malformed', 'a vector is neither numbers nor base64')
    splices.push({ ...embedding, text: writeVector(vector, encoding) })
  }
  return splices.length === 0 ? body : splice(body, splices)
}
