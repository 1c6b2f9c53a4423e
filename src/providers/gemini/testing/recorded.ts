// Recorded answers of Gemini, and reading them as a provider's bytes are read.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SseSplitter } from '../../../core/sse.ts'
import type { Frame } from '../../../llm/frames.ts'
import { GeminiReader } from '../reader.ts'

const FOLDER = join(import.meta.dirname, '../recorded')

export const recordedAnswer = (name: string): Buffer => readFileSync(join(FOLDER, `${name}.json`))

/** As it came over the wire: Google ends its lines with CR LF. */
export const recordedStream = (name: string): Buffer =>
  Buffer.from(
    readFileSync(join(FOLDER, `${name}.chunks.txt`), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => `data: ${line}\r\n\r\n`)
      .join(''),
  )

export const streamOf = (...chunks: readonly unknown[]): Buffer =>
  Buffer.from(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join(''))

/** A chunk with these parts of its one candidate. */
export const chunk = (parts: readonly unknown[], more: object = {}, usage: object = {}): object => ({
  candidates: [{ content: { parts, role: 'model' }, index: 0, ...more }],
  usageMetadata: { promptTokenCount: 29, ...usage },
  modelVersion: 'gemini-3-pro-preview',
  responseId: 'r1',
})

/** Frames of a stream that arrived in these pieces. */
export function readPieces(pieces: readonly Buffer[], choices = 1): Frame[] {
  const splitter = new SseSplitter()
  const reader = new GeminiReader({ choices })
  const frames = pieces.flatMap((piece) => splitter.push(piece).map((event) => reader.see(event)))
  const rest = reader.seeRest(splitter.rest())
  return rest ? [...frames, rest] : frames
}
