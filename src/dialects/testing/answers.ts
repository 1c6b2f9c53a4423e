// For tests of dialects: answers as events, what an answer says however it was cut into events, and arbitrary ones.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { type SseFrame, SseSplitter } from '../../core/sse.ts'
import type { Usage } from '../../llm/chat.ts'
import type { AnswerReader, Dialect } from '../../llm/dialect.ts'
import type { AnswerEvent, FinishReason } from '../../llm/events.ts'
import type { Frame } from '../../llm/frames.ts'

export type Part =
  | { readonly kind: 'text' | 'reasoning' | 'refusal'; readonly text: string }
  | { readonly kind: 'tool-call'; readonly id: string; readonly name: string; readonly json: string }
  | { readonly kind: 'reasoning-proof'; readonly signature?: string; readonly encrypted?: string }

export interface Answer {
  readonly id: string
  readonly model: string
  readonly createdS: number
  readonly choices: Readonly<Record<number, { readonly parts: readonly Part[]; readonly finish: FinishReason | null }>>
  readonly usage: Usage | null
}

/** What the events say, whatever the cuts. A tool call without arguments has `{}`. Throws where the grammar is broken. */
export function collected(events: readonly AnswerEvent[]): Answer {
  let head: { id: string; model: string; createdS: number } | undefined
  let usage: Usage | null = null
  const choices: Record<number, { parts: Part[]; finish: FinishReason | null }> = {}
  const choiceOf = (index: number) => {
    if (!head) throw new Error('an event before the start')
    const choice = (choices[index] ??= { parts: [], finish: null })
    if (choice.finish !== null) throw new Error('an event after the finish')
    return choice
  }
  for (const event of events) {
    switch (event.kind) {
      case 'start':
        if (head) throw new Error('a second start')
        head = { id: event.id, model: event.model, createdS: event.createdS }
        break
      case 'usage':
        usage = event.usage
        break
      case 'embeddings':
        break
      case 'finish':
        choiceOf(event.choice).finish = event.reason
        break
      case 'tool-call':
        choiceOf(event.choice).parts.push({ kind: 'tool-call', id: event.id, name: event.name, json: '' })
        break
      case 'tool-arguments': {
        const { parts } = choiceOf(event.choice)
        const call = parts.at(-1)
        if (call?.kind !== 'tool-call') throw new Error('arguments of no call')
        parts[parts.length - 1] = { ...call, json: call.json + event.json }
        break
      }
      case 'reasoning-proof': {
        const { choice: index, id: _id, ...proof } = event
        choiceOf(index).parts.push(proof)
        break
      }
      case 'text':
      case 'reasoning':
      case 'refusal': {
        const { parts } = choiceOf(event.choice)
        const last = parts.at(-1)
        if (last && last.kind === event.kind) parts[parts.length - 1] = { ...last, text: last.text + event.text }
        else parts.push({ kind: event.kind, text: event.text })
      }
    }
  }
  if (!head) throw new Error('no start')
  for (const { parts } of Object.values(choices)) {
    for (const [i, part] of parts.entries())
      if (part.kind === 'tool-call' && part.json === '') parts[i] = { ...part, json: '{}' }
  }
  return { ...head, choices, usage }
}

/** A recorded stream as bytes: one event for each line. */
export function recorded(name: string, named = false): Buffer {
  const text = readFileSync(join(import.meta.dirname, '../fixtures', name), 'utf8')
  if (!name.endsWith('.chunks.txt')) return Buffer.from(text)
  const events = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `${named ? `event: ${(JSON.parse(line) as { type: string }).type}\n` : ''}data: ${line}\n\n`)
  return Buffer.from(named ? events.join('') : `${events.join('')}data: [DONE]\n\n`)
}

/** The frames that a reader makes of a stream that arrives in these pieces. */
export function framesOf(reader: AnswerReader, pieces: readonly Buffer[]): Frame[] {
  const splitter = new SseSplitter()
  const frames = pieces.flatMap((piece) => splitter.push(piece)).map((event: SseFrame) => reader.see(event))
  const rest = reader.seeRest(splitter.rest())
  return rest ? [...frames, rest] : frames
}

/** The events of a stream in the dialect that arrives in these pieces. */
export function eventsOf(dialect: Dialect, pieces: readonly Buffer[], choices = 1): AnswerEvent[] {
  return framesOf(dialect.createReader({ decode: true, choices }), pieces).flatMap(({ events }) => events)
}

export const cutAt = (bytes: Buffer, at: number): readonly Buffer[] => [bytes.subarray(0, at), bytes.subarray(at)]

/** The parsed events of a stream. */
export function sseOf(bytes: Uint8Array): { event: string | null; data: unknown }[] {
  const splitter = new SseSplitter()
  return splitter
    .push(Buffer.from(bytes))
    .flatMap(({ event, data }) =>
      data === null ? [] : [{ event, data: data === '[DONE]' ? data : (JSON.parse(data) as unknown) }],
    )
}

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
const pieces = fc.array(words, { minLength: 1, maxLength: 4 })
const json = fc
  .dictionary(words, fc.oneof(words, fc.integer(), fc.constant(null)), { maxKeys: 3 })
  .map((value) => JSON.stringify(value))

interface PartShape {
  readonly text?: boolean
  readonly reasoning?: boolean
}

const texts = (kind: 'text' | 'reasoning' | 'refusal', choice: number): fc.Arbitrary<AnswerEvent[]> =>
  pieces.map((all) => all.map((text) => ({ kind, choice, text })))

const toolCall = (choice: number, n: number): fc.Arbitrary<AnswerEvent[]> =>
  fc
    .tuple(words, fc.option(json, { nil: undefined }), fc.nat({ max: 40 }))
    .map(([name, args, at]) => [
      { kind: 'tool-call', choice, id: `call_${choice}_${n}`, name },
      ...(args === undefined ? [] : [args.slice(0, at), args.slice(at)])
        .filter((piece) => piece !== '')
        .map((piece): AnswerEvent => ({ kind: 'tool-arguments', choice, json: piece })),
    ])

/** One choice: parts in an order that OpenAI's models use, and a finish that fits them. */
function choiceOf(choice: number, { reasoning = true }: PartShape): fc.Arbitrary<AnswerEvent[]> {
  const opening = reasoning ? fc.option(texts('reasoning', choice), { nil: [] }) : fc.constant([])
  const said = fc.oneof(
    texts('text', choice).map((events) => ({
      events,
      reasons: ['stop', 'length', 'content-filter'] as FinishReason[],
    })),
    texts('refusal', choice).map((events) => ({ events, reasons: ['refusal'] as FinishReason[] })),
    fc
      .tuple(fc.option(texts('text', choice), { nil: [] }), fc.integer({ min: 1, max: 3 }))
      .chain(([text, count]) =>
        fc
          .tuple(...Array.from({ length: count }, (_, n) => toolCall(choice, n)))
          .map((calls) => ({ events: [...text, ...calls.flat()], reasons: ['tool-calls'] as FinishReason[] })),
      ),
  )
  return fc
    .tuple(opening, said)
    .chain(([before, { events, reasons }]) =>
      fc
        .constantFrom(...reasons)
        .map((reason): AnswerEvent[] => [...before, ...events, { kind: 'finish', choice, reason }]),
    )
}

const tokens = fc.nat({ max: 1_000_000 })
const usage: fc.Arbitrary<Usage> = fc
  .tuple(tokens, tokens, tokens, tokens)
  .map(([inputTokens, cacheReadTokens, outputTokens, reasoning]) => ({
    inputTokens,
    cacheReadTokens,
    cacheWriteTokens: null,
    cacheWrite1hTokens: null,
    outputTokens,
    reasoningTokens: Math.min(reasoning, outputTokens),
  }))

/** Answers as events, with the usage after everything. */
export const arbitraryAnswer = ({ choices = 1, ...shape }: PartShape & { readonly choices?: number } = {}) =>
  fc
    .tuple(
      fc.tuple(words, words, fc.nat({ max: 2_000_000_000 })),
      fc.tuple(...Array.from({ length: choices }, (_, choice) => choiceOf(choice, shape))),
      usage,
    )
    .map(([[id, model, createdS], said, usage]): AnswerEvent[] => [
      { kind: 'start', id, model, createdS },
      ...said.flat(),
      { kind: 'usage', usage },
    ])
