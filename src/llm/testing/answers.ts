// Answers as events, any that the grammar of `events.ts` allows: for properties of whoever writes or reads them.
import fc from 'fast-check'
import type { Usage } from '../chat.ts'
import type { AnswerEvent, FinishReason } from '../events.ts'

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
const pieces = fc.array(word, { minLength: 1, maxLength: 4 })
const count = fc.option(fc.nat(100_000))

const usage: fc.Arbitrary<Usage> = fc.record({
  inputTokens: count,
  cacheReadTokens: count,
  cacheWriteTokens: count,
  cacheWrite1hTokens: count,
  outputTokens: count,
  reasoningTokens: count,
})

const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify({ value }))

/** One part of an answer, in any number of pieces. `proof`: how a signature looks. */
const part = (choice: number, proof: (text: string) => string): fc.Arbitrary<AnswerEvent[]> =>
  fc.oneof(
    pieces.map((texts) => texts.map((text): AnswerEvent => ({ kind: 'text', choice, text }))),
    fc
      .tuple(pieces, fc.boolean())
      .map(([texts, signed]) => [
        ...texts.map((text): AnswerEvent => ({ kind: 'reasoning', choice, text })),
        ...(signed ? [{ kind: 'reasoning-proof', choice, signature: proof('signature') } as const] : []),
      ]),
    word.map((text): AnswerEvent[] => [{ kind: 'reasoning-proof', choice, encrypted: proof(text) }]),
    fc
      .tuple(fc.uuid(), fc.stringMatching(/^[a-z_]{1,12}$/), json, fc.array(fc.nat(), { maxLength: 3 }))
      .map(([id, name, text, cuts]): AnswerEvent[] => [
        { kind: 'tool-call', choice, id, name },
        ...cutAt(text, cuts).map((piece): AnswerEvent => ({ kind: 'tool-arguments', choice, json: piece })),
      ]),
  )

function cutAt(text: string, cuts: readonly number[]): string[] {
  const at = [...new Set(cuts.map((cut) => cut % text.length))].sort((a, b) => a - b)
  return [0, ...at].map((from, i) => text.slice(from, at[i] ?? text.length))
}

const reason: fc.Arbitrary<FinishReason> = fc.constantFrom('stop', 'length', 'tool-calls', 'pause', 'refusal')

export interface AnswersOptions {
  /** How a proof of reasoning looks. */
  readonly proof?: (text: string) => string
}

/** A whole answer of one choice. */
export const anyAnswer = ({ proof = (text) => text }: AnswersOptions = {}): fc.Arbitrary<AnswerEvent[]> =>
  fc
    .tuple(word, word, fc.array(part(0, proof), { maxLength: 6 }), reason, fc.array(usage, { maxLength: 2 }))
    .map(([id, model, parts, why, usages]) => [
      { kind: 'start', id, model, createdS: 1 },
      ...parts.flat(),
      { kind: 'finish', choice: 0, reason: why },
      ...usages.map((one): AnswerEvent => ({ kind: 'usage', usage: one })),
    ])
