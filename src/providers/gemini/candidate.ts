// One of Gemini's alternative answers, part by part, as events. A thought is reasoning, and its text a summary; a call of
// a function carries its signature in its id (see dialects/call-id.ts).
import { newId } from '../../core/ids.ts'
import { signedCallId } from '../../dialects/call-id.ts'
import { charactersWritten, isObject, type Json, objectsIn, textOf } from '../../dialects/json.ts'
import type { AnswerEvent, FinishReason } from '../../llm/events.ts'
import { ProviderFailure } from '../../llm/provider.ts'

export interface Seen {
  readonly content: boolean
  readonly text: string
  readonly written: number
}

const FILTERED: readonly string[] = [
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'LANGUAGE',
  'OTHER',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
  'IMAGE_OTHER',
]

export class Candidate {
  readonly choice: number
  finished = false
  #called = false
  constructor(choice: number) {
    this.choice = choice
  }

  /** Throws ProviderFailure where the model broke its own protocol: no such answer may end as if it were good. */
  take(candidate: Json, out: AnswerEvent[]): Seen {
    let content = false
    let text = ''
    let written = 0
    if (this.finished) return { content, text, written }
    const { choice } = this
    const given = isObject(candidate['content']) ? candidate['content']['parts'] : undefined
    for (const part of objectsIn(given)) {
      const said = textOf(part['text'])
      if (said) {
        content = true
        written += said.length
        const thought = part['thought'] === true
        if (!thought) text += said
        out.push({ kind: thought ? 'reasoning' : 'text', choice, text: said })
      } else if (isObject(part['functionCall'])) {
        content = true
        written += charactersWritten(part['functionCall'])
        this.#call(part['functionCall'], textOf(part['thoughtSignature']), out)
      }
    }
    const reason = textOf(candidate['finishReason'])
    if (reason !== undefined && reason !== 'FINISH_REASON_UNSPECIFIED') {
      content = true
      this.finished = true
      out.push({ kind: 'finish', choice, reason: this.#reason(reason) })
    }
    return { content, text, written }
  }

  #call(call: Json, signature: string | undefined, out: AnswerEvent[]): void {
    const name = textOf(call['name'])
    // Arguments in pieces come only where they are asked for, and we do not ask.
    if (!name || call['partialArgs'] !== undefined || call['willContinue'] === true) {
      throw new ProviderFailure('upstream_malformed', 'a function call is not whole')
    }
    this.#called = true
    const id = textOf(call['id']) || newId('call')
    out.push(
      {
        kind: 'tool-call',
        choice: this.choice,
        id: signature === undefined ? id : signedCallId(id, signature),
        name,
      },
      { kind: 'tool-arguments', choice: this.choice, json: JSON.stringify(call['args'] ?? {}) },
    )
  }

  #reason(given: string): FinishReason {
    if (given === 'STOP') return this.#called ? 'tool-calls' : 'stop'
    if (given === 'MAX_TOKENS') return 'length'
    if (FILTERED.includes(given)) return 'content-filter'
    // MALFORMED_FUNCTION_CALL, UNEXPECTED_TOOL_CALL, TOO_MANY_TOOL_CALLS, MISSING_THOUGHT_SIGNATURE, …
    throw new ProviderFailure('upstream_malformed', `the model's answer failed: ${given}`)
  }
}
