// Embeddings: the body of a batchEmbedContents, and its answer. Google does not say what they used.
import type { Buffer } from 'node:buffer'
import { AppError } from '../../core/errors.ts'
import { isObject, type Json, jsonBytes, objectsIn } from '../../dialects/json.ts'
import type { AnswerReader } from '../../llm/dialect.ts'
import { NO_BYTES } from '../../llm/frames.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import type { NeutralEmbeddings } from '../../llm/request.ts'
import { failureFromError } from './failures.ts'
import { readUsage } from './usage.ts'

const MAX_INPUTS = 100

export function writeEmbedContents({ inputs, dimensions }: NeutralEmbeddings, modelPath: string): Buffer {
  if (inputs.length > MAX_INPUTS) {
    throw new AppError('malformed', `Google takes at most ${MAX_INPUTS} inputs a call. Send fewer at once.`, {
      field: 'input',
    })
  }
  return jsonBytes({
    requests: inputs.map((text) => ({
      model: modelPath,
      content: { parts: [{ text }] },
      ...(dimensions === undefined ? {} : { outputDimensionality: dimensions }),
    })),
  })
}

/** `model` and `inputs`: as asked, for the answer names neither. */
export function createEmbeddingsReader(model: string, inputs: number): AnswerReader {
  const whole: AnswerReader['whole'] = (body) => {
    const answer = readAnswer(body)
    const vectors = objectsIn(answer['embeddings']).map(vectorIn)
    if (vectors.length !== inputs) {
      throw new ProviderFailure('upstream_malformed', `it gave ${vectors.length} vectors for ${inputs} inputs`)
    }
    const usage = readUsage(answer['usageMetadata'])
    return {
      kind: 'content',
      bytes: NO_BYTES,
      events: [
        { kind: 'start', id: '', model, createdS: Math.floor(Date.now() / 1000) },
        { kind: 'embeddings', vectors },
        ...(usage ? [{ kind: 'usage' as const, usage }] : []),
      ],
      text: '',
      written: 0,
      usage,
      model,
      complete: true,
    }
  }
  const notAStream = (): never => {
    throw new ProviderFailure('upstream_malformed', 'embeddings are no stream')
  }
  return { whole, see: notAStream, seeRest: notAStream }
}

function readAnswer(body: Buffer): Json {
  let answer: unknown
  try {
    answer = JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw new ProviderFailure('upstream_malformed', 'the answer is not JSON', { cause: error })
  }
  if (!isObject(answer)) throw new ProviderFailure('upstream_malformed', 'the answer is not an object')
  if (answer['error'] !== undefined) throw failureFromError(answer)
  return answer
}

function vectorIn({ values }: Json): readonly number[] {
  if (Array.isArray(values) && values.every((value): value is number => typeof value === 'number')) return values
  throw new ProviderFailure('upstream_malformed', 'a vector holds something that is not a number')
}
