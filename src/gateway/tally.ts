// What a try used, as far as it went. What the provider says counts; where it says nothing (a stream that was cut or
// hung up on, a server that reports no usage) the text that went through is counted instead, and is called an estimate.
import type { Usage } from '../llm/chat.ts'
import type { Frame } from '../llm/frames.ts'

/** Characters a token, for estimates: the usual figure for English text. */
const CHARACTERS_A_TOKEN = 4

export class Tally {
  #reported: Usage | null = null
  /** Characters since the provider last said what it used: a greeting that tells of the input is not the whole of it. */
  #sinceReport = 0
  #model: string | null = null

  see(frame: Frame): void {
    const { usage } = frame
    // Some report running totals on every chunk: the last is the whole. Some report that there is nothing to report.
    if (usage && (usage.inputTokens !== null || usage.outputTokens !== null)) this.#reported = usage
    if (usage?.outputTokens === undefined || usage.outputTokens === null) this.#sinceReport += frame.written
    else this.#sinceReport = 0
    if (frame.model !== null) this.#model = frame.model
  }

  /** The model as the provider named it in its answer. */
  get model(): string | null {
    return this.#model
  }

  /** `answered`: the provider began to answer, so it has read the prompt. null: then it used nothing we know of. */
  result(answered: boolean, promptCharacters: () => number): { usage: Usage; source: 'measured' | 'estimated' } | null {
    const reported = this.#reported
    if (reported && reported.inputTokens !== null && reported.outputTokens !== null && this.#sinceReport === 0) {
      return { usage: reported, source: 'measured' }
    }
    if (!answered) return null
    return {
      usage: {
        inputTokens: reported?.inputTokens ?? Math.ceil(promptCharacters() / CHARACTERS_A_TOKEN),
        cacheReadTokens: reported?.cacheReadTokens ?? null,
        cacheWriteTokens: reported?.cacheWriteTokens ?? null,
        cacheWrite1hTokens: reported?.cacheWrite1hTokens ?? null,
        outputTokens: (reported?.outputTokens ?? 0) + Math.ceil(this.#sinceReport / CHARACTERS_A_TOKEN),
        reasoningTokens: reported?.reasoningTokens ?? null,
      },
      source: 'estimated',
    }
  }
}
