// What makes two requests the same: everything that can change the answer, and so every member of the body that is not
// known to change nothing. A member nobody here has heard of counts. The bytes are hashed as they came, never written
// again: `1.0` is not `1` and a key given twice is not a key given once. That costs a hit here and there, and can never
// give one request the answer of another. The hash is a cryptographic one, for the body is a stranger's.
import { hash } from 'node:crypto'
import { layoutOf, type Member, type Range } from '../../core/json-members.ts'
import type { Ask, DialectName } from '../../llm/dialect.ts'

/** Where an answer may be used again. */
export interface KeyScope {
  readonly tenant: string
  /** What else decides the answer and stands outside of the body: the targets behind the model's name. */
  readonly variant: string
}

/**
 * Members that change who is told of the call, how it is delivered or what it costs, but not what is said. The Responses
 * API tells most of its members again in the answer, so there they count.
 */
const WITHOUT_EFFECT: Readonly<Record<DialectName, ReadonlySet<string>>> = {
  'openai-chat': new Set([
    'stream',
    'stream_options',
    'user',
    'metadata',
    'store',
    'prompt_cache_key',
    'prompt_cache_retention',
    'safety_identifier',
  ]),
  'openai-responses': new Set(['stream', 'stream_options']),
  'openai-embeddings': new Set(['user']),
  'anthropic-messages': new Set(['stream', 'metadata']),
  'anthropic-count-tokens': new Set(['metadata']),
}

/** A request as cache and coalescing see it. Its key is made when it is first asked for. */
export class RequestKey {
  readonly ask: Ask
  readonly members: readonly Member[]
  readonly #scope: KeyScope
  #exact: string | undefined

  constructor(ask: Ask, scope: KeyScope) {
    this.ask = ask
    this.#scope = scope
    this.members = layoutOf(ask.body).members
  }

  /** The same for requests that must get the same answer, streamed or not. */
  get exact(): string {
    this.#exact ??= this.#digest()
    return this.#exact
  }

  /** The same for requests that must get the same bytes. */
  get delivery(): string {
    const { stream, wantsUsage } = this.ask
    return `${this.exact}${stream ? 's' : 'p'}${stream && wantsUsage ? 'u' : ''}`
  }

  /** The same for requests that differ in nothing but what stands in the hole, a part of one member's value. */
  around(hole: Range): string {
    return this.#digest(hole)
  }

  #digest(hole?: Range): string {
    const { body, dialect, model } = this.ask
    const without = WITHOUT_EFFECT[dialect]
    const members = this.members
      .filter(({ key }) => !without.has(key))
      // Stable: what is given twice stays in its order, for which of the two counts is the reader's choice.
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    const pieces: Range[] = []
    // Names and lengths come first, as JSON, so that no two requests can lead to the same bytes.
    const head: (string | number)[] = [
      this.#scope.tenant,
      this.#scope.variant,
      dialect,
      model,
      hole ? 'around' : 'exact',
    ]
    for (const { key, start, end } of members) {
      head.push(key)
      for (const piece of hole && hole.start >= start && hole.end <= end
        ? [
            { start, end: hole.start },
            { start: hole.end, end },
          ]
        : [{ start, end }]) {
        pieces.push(piece)
        head.push(piece.end - piece.start)
      }
    }
    return hash('sha256', joined(JSON.stringify(head), body, pieces), 'base64url')
  }
}

function joined(head: string, body: Buffer, pieces: readonly Range[]): Buffer {
  const headBytes = Buffer.byteLength(head)
  const all = Buffer.allocUnsafe(pieces.reduce((sum, { start, end }) => sum + end - start, headBytes))
  let at = all.write(head)
  for (const { start, end } of pieces) at += body.copy(all, at, start, end)
  return all
}
