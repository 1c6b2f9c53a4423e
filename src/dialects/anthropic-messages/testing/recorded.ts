// Recorded answers of Anthropic, and reading them as a provider's bytes are read.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SseSplitter } from '../../../core/sse.ts'
import type { AnswerEvent } from '../../../llm/events.ts'
import type { Frame } from '../../../llm/frames.ts'
import { MessagesChecker } from '../checker.ts'
import { MessagesReader } from '../reader.ts'

const FOLDER = join(import.meta.dirname, '../../fixtures/anthropic-messages')

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
