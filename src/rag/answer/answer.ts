// From a question to an answer made of passages only. Reading it is reading the whole: retrieve, write the prompt, let a model
// speak, and release each of its sentences once it was checked; what cannot be had from a model is extracted, and what is not
// there is said not to be there. A model is never trusted: it fails, lies, stalls and obeys strangers, and costs the asker no
// more than the wait.
import type { Clock } from '../../core/clock.ts'
import { withDeadline } from '../../core/deadline.ts'
import { describeError } from '../../core/errors.ts'
import { withoutInvisible } from '../../core/invisible.ts'
import type { ChatAnswer, ChatModel, Usage } from '../../llm/chat.ts'
import type { Retrieved, RetrieveQuery, Retriever } from '../../llm/retriever.ts'
import type { Log } from '../../observe/log.ts'
import { checkSentence } from './check-sentence.ts'
import { type Evidence, readEvidence } from './evidence.ts'
import { extract, isNear } from './extract.ts'
import { NO_ANSWER, writePrompt } from './prompt.ts'
import { splitSentences, wholeSentences } from './sentences.ts'
import { type AnswerSentence, type AnswerSource, type NearDocument, Sources } from './source.ts'

export interface AnswerParts {
  readonly retriever: Retriever
  /** Charged to whoever asks. */
  readonly chatModel: ChatModel | undefined
  readonly clock: Clock
  readonly log: Log
}

export interface Question extends RetrieveQuery {
  /** Of the config's `models`; undefined: extracts. */
  readonly model: string | undefined
  /** What becomes of a sentence that no passage supports. `drop` where it is left out. */
  readonly unsupported?: 'drop' | 'mark'
  readonly requestId?: string
  /** How long a model may take; half a minute where it is left out. */
  readonly deadlineMs?: number
}

export interface Answer {
  readonly text: string
  readonly sentences: readonly AnswerSentence[]
  readonly sources: readonly AnswerSource[]
  /** false: it is not known, and `text` says so. */
  readonly answered: boolean
  readonly mode: 'model' | 'extract' | 'none'
  /** Why it is no (whole) answer of a model; null where it is one, or none was asked for. */
  readonly reason: string | null
  /** As the provider names it; null where none was asked. */
  readonly model: string | null
  readonly droppedSentences: number
  readonly removedLinks: number
  readonly confidence: number
  /** What is nearest, where nothing answers. */
  readonly nearest: readonly NearDocument[]
  /** Of input and output together; 0 where no model was asked, null where one was and did not say. */
  readonly tokensUsed: number | null
  readonly costMicroUsd: number | null
  readonly missing: NonNullable<Retrieved['missing']>
}

/** With all sources cited so far. */
export type OnSentence = (sentence: AnswerSentence, sources: readonly AnswerSource[]) => void

/** `onSentence` gets each sentence as soon as it was checked; joined they are the answer. Throws what the retriever throws. */
export async function answerQuestion(
  parts: AnswerParts,
  question: Question,
  signal: AbortSignal,
  onSentence: OnSentence = () => undefined,
): Promise<Answer> {
  const retrieved = await parts.retriever.retrieve(question, signal)
  const evidence = retrieved.passages.map(readEvidence).filter(({ sentences }) => sentences.length > 0)
  const draft = new Draft(question, onSentence)
  const said =
    retrieved.none || evidence.length === 0 ? NOT_ASKED : await listen(parts, question, evidence, draft, signal)
  return finish(question, retrieved, evidence, draft, said)
}

/** What was heard of a model. */
interface Said {
  readonly answer: ChatAnswer | null
  readonly asked: boolean
  readonly reason: string | null
  /** It says itself that the passages do not answer. */
  readonly declined: boolean
}

const NOT_ASKED: Said = { answer: null, asked: false, reason: null, declined: false }

/** The sentences that may be shown, as they come. */
class Draft {
  readonly sentences: AnswerSentence[] = []
  readonly sources = new Sources()
  dropped = 0
  kept = 0
  removedLinks = 0
  readonly #question: Question
  readonly #onSentence: OnSentence
  readonly #seen = new Set<string>()

  constructor(question: Question, onSentence: OnSentence) {
    this.#question = question
    this.#onSentence = onSentence
  }

  take(said: string, evidence: readonly Evidence[]): void {
    if (this.sentences.length >= MOST_SENTENCES) return
    const checked = checkSentence(said, evidence, this.sources)
    this.removedLinks += checked.removedLinks
    if (checked.kind === 'empty') return
    if (checked.kind === 'kept') {
      // A model that turns in circles.
      if (this.#seen.has(checked.sentence.text)) return
      this.#seen.add(checked.sentence.text)
      this.kept++
      this.release(checked.sentence)
      return
    }
    this.dropped++
    if (this.#question.unsupported === 'mark') this.release(checked.marked)
  }

  release(sentence: AnswerSentence): void {
    this.sentences.push(sentence)
    this.#onSentence(sentence, this.sources.list)
  }
}

const MOST_SENTENCES = 60
const MOST_CHARACTERS = 24_000
const MAX_ANSWER_TOKENS = 900
const DEADLINE_MS = 30_000
/** From here on the retriever is believed that a passage fits that shares no words with the question. */
const SURE = 0.7

/** Never throws, but when `signal` aborts. */
async function listen(
  { chatModel, clock, log }: AnswerParts,
  question: Question,
  evidence: readonly Evidence[],
  draft: Draft,
  signal: AbortSignal,
): Promise<Said> {
  const { model } = question
  if (!chatModel || model === undefined) return NOT_ASKED
  const prompt = writePrompt(question.text, evidence)
  if (prompt.evidence.length === 0) return { ...NOT_ASKED, reason: 'The passages are too long for the model.' }
  const ear = new Ear((sentence) => draft.take(sentence, prompt.evidence))
  const enough = new AbortController()
  let answer: ChatAnswer | null = null
  let reason: string | null = null
  try {
    answer = await withDeadline(
      clock,
      question.deadlineMs ?? DEADLINE_MS,
      AbortSignal.any([signal, enough.signal]),
      (inner) =>
        chatModel.complete(
          {
            model,
            messages: prompt.messages,
            maxTokens: MAX_ANSWER_TOKENS,
            temperature: 0,
            purpose: 'knowledge',
          },
          inner,
          (text) => {
            // What comes after its time was given up is not part of the answer any more.
            if (inner.aborted) return
            ear.hear(text)
            if (ear.heard.length > MOST_CHARACTERS) enough.abort(new Error('the model does not stop'))
          },
        ),
    )
    ear.end(answer.text)
  } catch (error) {
    signal.throwIfAborted()
    reason = `The model gave no ${draft.kept > 0 ? 'whole ' : ''}answer: ${describeError(error).slice(0, 300)}`
    log.warn({ err: error, requestId: question.requestId, model }, 'a model did not answer from passages')
  }
  return { answer, asked: true, reason, declined: ear.isDeclined && draft.kept === 0 }
}

/** Collects what a model says until a sentence is whole. */
class Ear {
  heard = ''
  #taken = 0
  readonly #take: (sentence: string) => void

  constructor(take: (sentence: string) => void) {
    this.#take = take
  }

  hear(text: string): void {
    this.heard += text
    // Only what ends a sentence can make one whole.
    if (this.heard.length <= MOST_CHARACTERS && /[\s.!?。！？\]]/.test(text)) this.#takeUntil(wholeSentences)
  }

  /** `whole` is all that was said, of which models that do not stream have told nothing yet. */
  end(whole: string): void {
    if (whole.startsWith(this.heard)) this.heard = whole.slice(0, MOST_CHARACTERS)
    this.#takeUntil((rest) => rest.length)
  }

  get isDeclined(): boolean {
    return /^[\s"'`*]*NO[_ ]?ANSWER\b/i.test(this.heard)
  }

  #takeUntil(end: (rest: string) => number): void {
    // From the beginning of its line on: what stands there decides what the rest of the line is.
    const from = this.heard.lastIndexOf('\n', this.#taken - 1) + 1
    const rest = this.heard.slice(from)
    const whole = Math.max(end(rest), this.#taken - from)
    for (const { start, end: stop } of splitSentences(rest.slice(0, whole))) {
      if (from + start < this.#taken) continue
      const sentence = rest.slice(start, stop)
      if (!sentence.includes(NO_ANSWER)) this.#take(sentence)
    }
    this.#taken = from + whole
  }
}

function finish(
  question: Question,
  retrieved: Retrieved,
  evidence: readonly Evidence[],
  draft: Draft,
  said: Said,
): Answer {
  const shared = {
    model: said.answer?.model ?? null,
    droppedSentences: draft.dropped,
    removedLinks: draft.removedLinks,
    confidence: retrieved.confidence,
    tokensUsed: said.asked ? tokensOf(said.answer?.usage) : 0,
    costMicroUsd: said.asked ? (said.answer?.costMicroUsd ?? null) : 0,
    missing: retrieved.missing ?? [],
  }
  if (draft.kept > 0)
    return { ...whole(draft), ...shared, answered: true, mode: 'model', reason: said.reason, nearest: [] }
  const unsure = retrieved.confidence < SURE && !isNear(question.text, evidence)
  const nothing = retrieved.none || said.declined || unsure
  const marked = draft.sentences.length
  const reason =
    said.reason ??
    (said.declined
      ? 'The model says that the passages do not answer it.'
      : said.asked
        ? 'Nothing that the model said is supported by the passages.'
        : null)
  if (!nothing) {
    for (const sentence of extract(question.text, evidence, draft.sources)) draft.release(sentence)
    if (draft.sentences.length > marked)
      return { ...whole(draft), ...shared, answered: true, mode: 'extract', reason, nearest: [] }
  }
  const nearest = nearestOf(retrieved)
  const text = dontKnow(question.collections, nearest)
  draft.release({ text, citations: [] })
  return {
    ...shared,
    text,
    sentences: [],
    sources: [],
    answered: false,
    mode: 'none',
    reason: reason ?? 'Nothing in the documents fits the question.',
    nearest,
  }
}

function tokensOf(usage: Usage | undefined): number | null {
  if (!usage || (usage.inputTokens === null && usage.outputTokens === null)) return null
  const { inputTokens, cacheReadTokens, cacheWriteTokens, cacheWrite1hTokens, outputTokens } = usage
  const parts = [inputTokens, cacheReadTokens, cacheWriteTokens, cacheWrite1hTokens, outputTokens]
  return parts.reduce<number>((sum, tokens) => sum + (tokens ?? 0), 0)
}

const whole = ({ sentences, sources }: Draft): Pick<Answer, 'text' | 'sentences' | 'sources'> => ({
  text: joinSentences(sentences),
  sentences,
  sources: sources.list,
})

/** As they are joined by whoever gets them one by one: a line for each. */
const joinSentences = (sentences: readonly AnswerSentence[]): string => sentences.map(({ text }) => text).join('\n')

function nearestOf({ passages }: Retrieved): readonly NearDocument[] {
  const near = new Map<string, NearDocument>()
  for (const { collection, document, title, source } of passages) {
    if (near.size < 3) near.set(JSON.stringify([collection, document]), { collection, document, title, source })
  }
  return [...near.values()]
}

function dontKnow(collections: readonly string[], nearest: readonly NearDocument[]): string {
  const where = `I don't know: nothing in ${collections.join(', ')} answers this.`
  if (nearest.length === 0) return where
  const names = nearest.map(({ title, document }) =>
    title === document ? plainName(document) : `${plainName(title)} (${plainName(document)})`,
  )
  return `${where} The nearest documents are ${names.join(', ')}.`
}

/** Titles were written by anyone too. */
const plainName = (name: string): string =>
  withoutInvisible(name)
    .replaceAll(/[[\]<>!\s]+/g, ' ')
    .trim()
    .slice(0, 120)
