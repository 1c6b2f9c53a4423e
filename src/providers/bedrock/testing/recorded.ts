// Recorded answers of Bedrock, messages made by AWS' own encoder, and reading them as a provider's bytes are read.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import type { Frame } from '../../../llm/frames.ts'
import { EventStreamSplitter } from '../event-stream.ts'
import { ConverseReader } from '../reader.ts'

export const recorded = (name: string): Buffer => readFileSync(join(import.meta.dirname, '../recorded', name))

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString('utf8'),
  (text) => Buffer.from(text, 'utf8'),
)

function message(headers: Readonly<Record<string, string>>, body: unknown): Buffer {
  const asked = Object.entries(headers).map(([name, value]) => [name, { type: 'string', value }] as const)
  const bytes = codec.encode({ headers: Object.fromEntries(asked), body: Buffer.from(JSON.stringify(body)) })
  return Buffer.from(bytes)
}

export const event = (type: string, body: unknown): Buffer =>
  message({ ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }, body)

export const exception = (type: string, text: string): Buffer =>
  message({ ':exception-type': type, ':message-type': 'exception' }, { message: text })

/** Frames of a stream that arrived in these pieces. */
export function readPieces(pieces: readonly Buffer[], answerTool: string | null = null): Frame[] {
  const splitter = new EventStreamSplitter()
  const reader = new ConverseReader('claude', answerTool)
  const frames = pieces.flatMap((piece) => splitter.push(piece).map((one) => reader.see(one)))
  splitter.rest()
  return frames
}
