// What the gateway reads of an embeddings request. Only what it decides by is checked; the rest is between caller and
// provider. Inputs are texts, or tokens that only the maker of a model can read.
import { z } from 'zod'
import { AppError } from '../../core/errors.ts'
import { parseAs, parseJson } from '../../core/parse.ts'
import type { Ask, Demand } from '../../llm/dialect.ts'
import type { NeutralEmbeddings } from '../../llm/request.ts'
import { given } from '../json.ts'
import { type Encoding, ENCODINGS } from './vectors.ts'

const embeddingsBody = z.looseObject({
  model: z.string().min(1).max(256),
  input: z.unknown(),
  encoding_format: z.enum(ENCODINGS).nullish(),
  dimensions: z.int().min(1).nullish(),
  user: z.string().nullish(),
})

type EmbeddingsBody = z.output<typeof embeddingsBody>

export type Inputs =
  | { readonly kind: 'texts'; readonly texts: readonly string[] }
  | { readonly kind: 'tokens'; readonly tokens: readonly (readonly number[])[] }

export interface EmbeddingsAsk extends Ask {
  readonly inputs: Inputs
  readonly encoding: Encoding
}

const DEMANDS: ReadonlySet<Demand> = new Set(['embeddings'])

/** Throws `malformed` naming the field. */
export function readEmbeddingsRequest(bytes: Buffer): EmbeddingsAsk {
  const body = parseAs(embeddingsBody, parseJson(bytes))
  const inputs = inputsOf(body.input)
  return {
    dialect: 'openai-embeddings',
    body: bytes,
    model: body.model,
    stream: false,
    wantsUsage: true,
    choices: 1,
    // It writes none.
    maxOutputTokens: 0,
    temperature: null,
    user: body.user ?? null,
    demands: DEMANDS,
    promptCharacters: () => charactersOf(inputs).reduce((sum, count) => sum + count, 0),
    neutral: () => neutralOf(body, inputs),
    inputs,
    encoding: body.encoding_format ?? 'float',
  }
}

/** The same, of a request that was read already. */
export const embeddingsAskOf = (ask: Ask): EmbeddingsAsk =>
  'inputs' in ask ? (ask as EmbeddingsAsk) : readEmbeddingsRequest(ask.body)

/** The usual figure for English text, by which tokens count like the text they stand for. */
const CHARACTERS_A_TOKEN = 4

/** Of each input. */
export const charactersOf = (inputs: Inputs): number[] =>
  inputs.kind === 'texts'
    ? inputs.texts.map((text) => text.length)
    : inputs.tokens.map((tokens) => tokens.length * CHARACTERS_A_TOKEN)

/** Throws `malformed` naming the field. */
function inputsOf(input: unknown): Inputs {
  if (typeof input === 'string') return { kind: 'texts', texts: [input] }
  if (!Array.isArray(input)) throw wrongInput('input', 'must be a text, a list of texts, or tokens')
  const [first] = input as unknown[]
  if (first === undefined) throw wrongInput('input', 'is empty')
  if (typeof first === 'string') {
    const at = input.findIndex((text) => typeof text !== 'string')
    if (at >= 0) throw wrongInput(`input.${at}`, 'must be a text, like the first')
    return { kind: 'texts', texts: input as string[] }
  }
  if (typeof first === 'number') return { kind: 'tokens', tokens: [tokensOf(input, 'input')] }
  return { kind: 'tokens', tokens: input.map((tokens, i) => tokensOf(tokens, `input.${i}`)) }
}

function tokensOf(value: unknown, field: string): readonly number[] {
  if (!Array.isArray(value) || value.length === 0) throw wrongInput(field, 'must be a text, or a list of tokens')
  const at = value.findIndex((token) => !Number.isInteger(token) || (token as number) < 0)
  if (at >= 0) throw wrongInput(`${field}.${at}`, 'must be a token: a whole number')
  return value as number[]
}

const wrongInput = (field: string, why: string): AppError =>
  new AppError('malformed', `The field ${field} ${why}.`, { field })

function neutralOf({ dimensions, user }: EmbeddingsBody, inputs: Inputs): NeutralEmbeddings {
  if (inputs.kind === 'tokens') {
    throw new AppError(
      'malformed',
      'The field input holds tokens, which mean nothing to the model behind this name. Send the text itself.',
      { field: 'input' },
    )
  }
  return { kind: 'embeddings', inputs: inputs.texts, ...given({ dimensions, user }) }
}
