// Several embeddings requests as one, and its answer as theirs, on the bytes: inputs go up and vectors come back digit
// for digit as they were written.
import { canonicalJson } from '../../core/hash.ts'
import { elementsOf, layoutOf, type Range, type Splice, splice } from '../../core/json-members.ts'
import type { Usage } from '../../llm/chat.ts'
import { allInputTokens } from '../../core/money.ts'
import { layoutOfAnswer, type VectorPlace } from './layout.ts'
import type { EmbeddingsAsk } from './read-request.ts'

/** Equal for requests that may go up together: everything but the inputs is the same. */
export function jointKey({ body, inputs }: EmbeddingsAsk): string {
  const { input: _inputs, ...rest } = JSON.parse(body.toString('utf8')) as Record<string, unknown>
  return `${inputs.kind} ${canonicalJson(rest)}`
}

/** How many vectors answer it. */
export const countOfInputs = ({ inputs }: EmbeddingsAsk): number =>
  inputs.kind === 'texts' ? inputs.texts.length : inputs.tokens.length

/** One body with all inputs, in order. All must have the same key. */
export function joinRequests(asks: readonly EmbeddingsAsk[]): Buffer {
  const [first] = asks
  if (!first) throw new Error('there is nothing to join')
  const text = `[${asks.map(inputTexts).flat().join(',')}]`
  // Of an input given twice the last one counts, and then there is only one.
  const places = layoutOf(first.body).members.filter(({ key }) => key === 'input')
  return splice(
    first.body,
    places.map(({ start, end }) => ({ start, end, text })),
  )
}

function inputTexts({ body, inputs }: EmbeddingsAsk): string[] {
  const place = layoutOf(body).members.findLast(({ key }) => key === 'input')
  if (!place) throw new Error('a request without inputs was read')
  const elements = body[place.start] === OPEN_BRACKET ? elementsOf(body, place) : []
  const isList = inputs.kind === 'texts' ? elements.length > 0 : body[elements[0]?.start ?? 0] === OPEN_BRACKET
  return (isList ? elements : [place]).map(({ start, end }) => body.toString('utf8', start, end))
}

const OPEN_BRACKET = 0x5b

export interface Portion {
  /** How many of the inputs. */
  readonly count: number
  /** What it is told that it used. */
  readonly usage: Usage | null
}

/** Each one's own answer; undefined where the answer cannot be taken apart. */
export function splitAnswer(body: Buffer, portions: readonly Portion[]): Buffer[] | undefined {
  const layout = layoutOfAnswer(body)
  const wanted = portions.reduce((sum, { count }) => sum + count, 0)
  const vectors = layout && inOrder(body, layout.vectors)
  if (!layout || vectors?.length !== wanted) return undefined
  let from = 0
  return portions.map(({ count, usage }) => {
    const own = vectors.slice(from, (from += count))
    const data = own.map((vector, index) => numbered(body, vector, index)).join(',')
    const splices: Splice[] = [{ ...layout.data, text: `[${data}]` }]
    if (layout.usage && usage) {
      const tokens = allInputTokens(usage)
      splices.push({ ...layout.usage, text: `{"prompt_tokens":${tokens},"total_tokens":${tokens}}` })
    }
    return splice(body, splices)
  })
}

function inOrder(body: Buffer, vectors: readonly VectorPlace[]): readonly VectorPlace[] {
  const numbers = vectors.map(({ index }) => (index ? Number(textOf(body, index)) : Number.NaN))
  if (!numbers.every(Number.isInteger)) return vectors
  return vectors
    .map((vector, i) => ({ vector, number: numbers[i] ?? 0 }))
    .sort((a, b) => a.number - b.number)
    .map(({ vector }) => vector)
}

/** The element with another index. */
function numbered(body: Buffer, { element, index }: VectorPlace, number: number): string {
  if (!index) return textOf(body, element)
  return `${body.toString('utf8', element.start, index.start)}${number}${body.toString('utf8', index.end, element.end)}`
}

const textOf = (body: Buffer, { start, end }: Range): string => body.toString('utf8', start, end)
