// Recorded answers of Anthropic, and reading them as a provider's bytes are read.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SseSplitter } from '../../../core/sse.ts'
import type { AnswerEvent } from '../../../llm/events.ts'
import type { Frame } from '../../../llm/frames.ts'
import { MessagesChecker } from '../checker.ts'
import { MessagesReader } from '../reader.ts'

const FOLDER = join(import.meta.dirname, '../recorded')

export const recordedAnswer = (name: string): Buffer => readFileSync(join(FOLDER, `${name}.json`))

/** As it came over the wire. */
export function recordedStream(name: string): Buffer {
  const lines = readFileSync(join(FOLDER, `${name}.chunks.txt`), 'utf8')
    .split('\n')
    .filter(Boolean)
  return Buffer.from(lines.map((line) => asEvent(JSON.parse(line) as { type: string }, line)).join(''))
}

export const asEvent = (
  value: { readonly type: string } & Readonly<Record<string, unknown>>,
  data = JSON.stringify(value),
): string => `event: ${value.type}\ndata: ${data}\n\n`

/** Frames of a stream that arrived in these pieces. */
export function readPieces(pieces: readonly Buffer[], decode: boolean): Frame[] {
  const splitter = new SseSplitter()
  const reader = new MessagesReader({ decode })
  const frames = pieces.flatMap((piece) => splitter.push(piece).map((event) => reader.see(event)))
  const rest = reader.seeRest(splitter.rest())
  return rest ? [...frames, rest] : frames
}

export const eventsOf = (stream: Buffer): AnswerEvent[] => readPieces([stream], true).flatMap(({ events }) => events)

/** What the checker finds wrong with a stream, first of all; null when nothing is. */
export function checkStream(stream: Buffer): string | null {
  const checker = new MessagesChecker()
  for (const { event, data } of new SseSplitter().push(stream)) {
    const wrong = data === null ? null : checker.see(event, JSON.parse(data))
    if (wrong !== null) return wrong
  }
  return checker.end()
}

/** Adjacent pieces of one part as one, without the provider's ids and times: what an answer says. */
export function saidIn(events: readonly AnswerEvent[]): AnswerEvent[] {
  const said: AnswerEvent[] = []
  for (const event of events) {
    const last = said.at(-1)
    const plain = withoutIds(event)
    if (plain === null) continue
    if (last?.kind === 'text' && plain.kind === 'text')
      said[said.length - 1] = { ...last, text: last.text + plain.text }
    else if (last?.kind === 'reasoning' && plain.kind === 'reasoning') {
      said[said.length - 1] = { ...last, text: last.text + plain.text }
    } else if (last?.kind === 'tool-arguments' && plain.kind === 'tool-arguments') {
      said[said.length - 1] = { ...last, json: last.json + plain.json }
    } else said.push(plain)
  }
  return said
}

function withoutIds(event: AnswerEvent): AnswerEvent | null {
  switch (event.kind) {
    case 'start':
      return { ...event, createdS: 0 }
    case 'text':
    case 'reasoning':
      return event.text === '' ? null : { kind: event.kind, choice: event.choice, text: event.text }
    case 'tool-arguments':
      return event.json === '' ? null : event
    case 'reasoning-proof':
    case 'refusal':
    case 'tool-call':
    case 'finish':
    case 'usage':
    case 'embeddings':
      return event
  }
}
