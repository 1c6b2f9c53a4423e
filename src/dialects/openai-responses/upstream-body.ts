// What is changed of a caller's body on its way up: the model's name, and proofs of reasoning that another provider gave,
// which OpenAI refuses. Every other byte stays.
import { layoutOf, splice, type Splice } from '../../core/json-members.ts'
import type { Ask, Upstream } from '../../llm/dialect.ts'
import { isObject, jsonBytes } from '../json.ts'
import { isMarked, mayHoldProofs } from '../proof.ts'

export function upstreamBody({ body }: Ask, { model }: Upstream): Buffer {
  const { members } = layoutOf(body)
  const splices: Splice[] = members
    .filter(({ key }) => key === 'model')
    .map(({ start, end }) => ({ start, end, text: JSON.stringify(model) }))
  if (mayHoldProofs(body)) {
    for (const { key, start, end } of members) {
      if (key !== 'input') continue
      const input = JSON.parse(body.toString('utf8', start, end)) as unknown
      if (!Array.isArray(input) || !input.some(isForeign)) continue
      splices.push({ start, end, text: jsonBytes(input.filter((item) => !isForeign(item))).toString() })
    }
  }
  return splice(body, splices)
}

const isForeign = (item: unknown): boolean =>
  isObject(item) &&
  item['type'] === 'reasoning' &&
  typeof item['encrypted_content'] === 'string' &&
  isMarked(item['encrypted_content'])
