// The one way from an investigation to a model. Data goes in fenced, marked and without secrets; what comes back is parsed by
// a schema, repaired at most once, or nothing. Prompt and answer are in the audit log before anybody acts on them. It never
// throws but when its signal aborts: a model is a favour, and every step has its answer without one.
import { z } from 'zod'
import type { Clock } from '../../../core/clock.ts'
import { withDeadline } from '../../../core/deadline.ts'
import { describeError } from '../../../core/errors.ts'
import type { ChatMessage, ChatModel } from '../../../llm/chat.ts'
import type { Log } from '../../../observe/log.ts'
import { DATA_RULE, fence, type Piece } from './fence.ts'
import { hidePrivate, mapStrings } from './hide.ts'
import { addSpent, NOTHING_SPENT, type Purse, type Spent } from './purse.ts'

/** Writes down what happened, for good: `model.prompt`, `model.answer`. */
export type Record = (kind: string, body: Readonly<{ [name: string]: unknown }>) => Promise<void>

export interface AskerOptions {
  readonly chatModel: ChatModel | undefined
  /** The smaller first; the larger is asked where opinions differ. */
  readonly models: { readonly small: string | undefined; readonly large: string | undefined }
  readonly purse: Purse
  readonly clock: Clock
  readonly log: Log
  readonly record: Record
  /** Whom it is charged to. */
  readonly purpose: string
}

export interface Question<T> {
  /** Which step asks: for the audit log. */
  readonly step: string
  readonly size: 'small' | 'large'
  /** What to do, in our own words and with nothing from outside in it. */
  readonly task: string
  readonly pieces: readonly Piece[]
  /** Of a JSON answer. Without it the answer is text. */
  readonly schema?: z.ZodType<T>
  readonly maxTokens: number
}

type Answer<T> =
  | { readonly kind: 'answered'; readonly value: T; readonly model: string }
  /** Nobody was asked. */
  | { readonly kind: 'unasked'; readonly reason: string }
  /** Somebody was, in vain. */
  | { readonly kind: 'useless'; readonly reason: string }

export type Asked<T> = Answer<T> & { readonly spent: Spent }

export interface Asker {
  /** Whether there is any model to ask. */
  readonly has: (size: 'small' | 'large') => boolean
  ask<T>(question: Question<T>, signal: AbortSignal): Promise<Asked<T>>
}

const DEADLINE_MS = 10_000
const DATA_BUDGET = 24_000
/** Near enough to reserve by. */
const CHARACTERS_A_TOKEN = 3

export function createAsker(options: AskerOptions): Asker {
  const { chatModel, models, purse, clock, log, record, purpose } = options

  const ask = async <T>(question: Question<T>, signal: AbortSignal): Promise<Asked<T>> => {
    let spent = NOTHING_SPENT
    const answer = await tryToAsk(question, signal, (call) => {
      spent = addSpent(spent, call)
    })
    return { ...answer, spent }
  }

  const tryToAsk = async <T>(
    question: Question<T>,
    signal: AbortSignal,
    onSpent: (call: Spent) => void,
  ): Promise<Answer<T>> => {
    const model = models[question.size]
    if (!chatModel || model === undefined) return { kind: 'unasked', reason: 'no model is configured' }
    const { step, schema, maxTokens } = question
    const data = fence(question.pieces, DATA_BUDGET)
    const jsonSchema = schema && { name: step.replaceAll(/\W+/g, '_'), schema: z.toJSONSchema(schema) }
    const messages: ChatMessage[] = [
      { role: 'system', content: `${question.task}\n\n${DATA_RULE}` },
      { role: 'user', content: data.text },
    ]
    for (let attempt = 0; ; attempt++) {
      const length = messages.reduce((sum, { content }) => sum + content.length, 0)
      const worst = Math.ceil(length / CHARACTERS_A_TOKEN) + maxTokens
      const refused = purse.whyNoCall(clock.now(), worst)
      if (refused !== undefined)
        return attempt === 0 ? { kind: 'unasked', reason: refused } : { kind: 'useless', reason: refused }
      const settle = purse.reserve(worst)
      const shown = messages.map(({ role, content }) => ({ role, content }))
      let used = { tokens: worst, costMicroUsd: null as number | null, failures: 1 }
      try {
        await record('model.prompt', {
          step,
          model,
          attempt,
          flagged: data.flagged,
          hidden: data.hidden,
          messages: shown,
        })
        const answer = await withDeadline(clock, DEADLINE_MS, signal, (inner) =>
          chatModel.complete(
            { model, messages, maxTokens, temperature: 0, purpose, ...(jsonSchema ? { jsonSchema } : {}) },
            inner,
          ),
        )
        const { inputTokens, outputTokens, cacheReadTokens } = answer.usage
        const tokens =
          inputTokens === null && outputTokens === null
            ? worst
            : (inputTokens ?? 0) + (cacheReadTokens ?? 0) + (outputTokens ?? 0)
        used = { tokens, costMicroUsd: answer.costMicroUsd, failures: 0 }
        await record('model.answer', {
          step,
          model: answer.model,
          text: hidePrivate(answer.text.slice(0, MAX_ANSWER)),
          tokens,
          costMicroUsd: answer.costMicroUsd,
        })
        const read = parseAnswer(answer.text, schema, data.restore)
        if (read.kind === 'read') return { kind: 'answered', value: read.value, model: answer.model }
        if (attempt > 0) {
          used = { ...used, failures: 1 }
          return { kind: 'useless', reason: read.reason }
        }
        messages.push(
          { role: 'assistant', content: answer.text.slice(0, MAX_ANSWER) || '(nothing)' },
          {
            role: 'user',
            content: `That does not fit: ${read.reason}. Answer again with JSON of the schema and nothing else.`,
          },
        )
      } catch (error) {
        signal.throwIfAborted()
        log.warn({ err: error, step }, 'a model could not be asked')
        return { kind: 'useless', reason: describeError(error).slice(0, 200) }
      } finally {
        onSpent(settle(used))
      }
    }
  }
  return { has: (size) => chatModel !== undefined && models[size] !== undefined, ask }
}

/** A longer answer is of no use to anybody. */
const MAX_ANSWER = 20_000

type Read<T> = { readonly kind: 'read'; readonly value: T } | { readonly kind: 'unreadable'; readonly reason: string }

function parseAnswer<T>(text: string, schema: z.ZodType<T> | undefined, restore: (text: string) => string): Read<T> {
  if (!schema) return { kind: 'read', value: restore(text.trim()) as T }
  if (text.length > MAX_ANSWER) return { kind: 'unreadable', reason: 'it is too long' }
  let value: unknown
  try {
    value = JSON.parse(jsonIn(text))
  } catch {
    return { kind: 'unreadable', reason: 'it is no JSON' }
  }
  const parsed = schema.safeParse(mapStrings(value, restore))
  if (parsed.success) return { kind: 'read', value: parsed.data }
  const where = parsed.error.issues.slice(0, 3).map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`)
  return { kind: 'unreadable', reason: where.join('; ').slice(0, 300) }
}

/** Models like to wrap JSON in words or a code fence. */
function jsonIn(text: string): string {
  const [open, close] = [text.indexOf('{'), text.lastIndexOf('}')]
  return open >= 0 && close > open ? text.slice(open, close + 1) : text
}
