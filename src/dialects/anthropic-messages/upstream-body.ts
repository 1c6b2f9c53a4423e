// What is changed of a caller's body on its way up: the model's name, and reasoning of other providers that it holds.
// Every other byte stays, so fields we have never heard of arrive as they were written.
import type { Buffer } from 'node:buffer'
import { layoutOf, splice, type Splice } from '../../core/json-members.ts'
import type { Ask, Upstream } from '../../llm/dialect.ts'
import { parseExact } from '../exact-json.ts'
import { isObject, objectsIn, textOf } from '../json.ts'
import { isMarked, mayHoldProofs } from '../proof.ts'

/** The bytes to send. `ask.body` must be a JSON object. */
export function upstreamBody({ body, stream }: Ask, upstream: Upstream): Buffer {
  const { members, close } = layoutOf(body)
  // All of them: of a key given twice, parsers differ on which counts.
  const of = (name: string) => members.filter(({ key }) => key === name)
  const splices: Splice[] = of('model').map(({ start, end }) => ({ start, end, text: JSON.stringify(upstream.model) }))
  if (upstream.stream !== stream) {
    const text = String(upstream.stream)
    const given = of('stream')
    if (given.length === 0) splices.push({ start: close, end: close, text: `,"stream":${text}` })
    else splices.push(...given.map(({ start, end }) => ({ start, end, text })))
  }
  const said = upstream.prefill?.trimEnd() ?? ''
  const foreign = holdsForeignReasoning(body)
  for (const { start, end } of said === '' && !foreign ? [] : of('messages')) {
    const text = foreign
      ? withoutForeignReasoning(body.toString('utf8', start, end))
      : body.toString('utf8', start, end)
    splices.push({ start, end, text: said === '' ? text : withPrefill(text, said) })
  }
  return splice(body, splices)
}

const withPrefill = (messages: string, text: string): string =>
  `${messages.slice(0, messages.lastIndexOf(']'))},${JSON.stringify({ role: 'assistant', content: [{ type: 'text', text }] })}]`

/** Thinking without a signature is another provider's as well. */
const UNSIGNED = ['"signature":""', '"signature": ""'] as const

const holdsForeignReasoning = (body: Buffer): boolean =>
  mayHoldProofs(body) || UNSIGNED.some((signature) => body.includes(signature))

/** Anthropic refuses a conversation with thinking that it has not signed. */
function withoutForeignReasoning(json: string): string {
  const messages = parseExact(json)
  if (!Array.isArray(messages)) return json
  const isForeign = (block: unknown): boolean => {
    if (!isObject(block)) return false
    const { type } = block
    const proof = type === 'thinking' ? block['signature'] : type === 'redacted_thinking' ? block['data'] : undefined
    return typeof proof === 'string' && (proof === '' || isMarked(proof))
  }
  if (!objectsIn(messages).some(({ content }) => Array.isArray(content) && content.some(isForeign))) return json
  const cleaned = objectsIn(messages).flatMap((message) => {
    const { content } = message
    if (!Array.isArray(content) || textOf(message['role']) !== 'assistant' || !content.some(isForeign)) return [message]
    const left = content.filter((block) => !isForeign(block))
    return left.length > 0 ? [{ ...message, content: left }] : []
  })
  return JSON.stringify(cleaned)
}
