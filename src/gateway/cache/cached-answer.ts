// An answer as the cache keeps it: the bytes that its first caller got, and beside them what the next caller's headers
// and ledger row say. Outside of the process it is one value: a length, a head in JSON, and then the bytes.
import { z } from 'zod'
import type { Usage } from '../../llm/chat.ts'

export interface CachedAnswer {
  readonly form: 'stream' | 'plain'
  /** In order. A plain answer is one piece; of a stream, what only tells the usage stands apart. */
  readonly pieces: readonly Piece[]
  /** What ends the stream; empty for a plain answer. */
  readonly closing: Uint8Array
  /** Whether its caller wanted to be told the usage. */
  readonly tellsUsage: boolean
  /** What the first choice says. */
  readonly text: string
  readonly provider: string
  /** As the provider names it. */
  readonly model: string
  /** The model that the answer says it is from. */
  readonly answeredBy: string | null
  readonly usage: Usage | null
  /** When it was kept, in ms since the epoch. */
  readonly at: number
}

export interface Piece {
  readonly kind: 'said' | 'usage'
  readonly bytes: Uint8Array
}

/** What it takes in memory, about. */
export const sizeOf = (answer: CachedAnswer): number =>
  answer.pieces.reduce((sum, { bytes }) => sum + bytes.length + PIECE_BYTES, ANSWER_BYTES + 2 * answer.text.length)

const ANSWER_BYTES = 1024
const PIECE_BYTES = 128

const count = z.number().nonnegative().nullable()
const head = z.object({
  form: z.enum(['stream', 'plain']),
  pieces: z.array(z.tuple([z.enum(['said', 'usage']), z.int().nonnegative()])),
  closing: z.int().nonnegative(),
  tellsUsage: z.boolean(),
  text: z.string(),
  provider: z.string(),
  model: z.string(),
  answeredBy: z.string().nullable(),
  usage: z
    .object({
      inputTokens: count,
      cacheReadTokens: count,
      cacheWriteTokens: count,
      cacheWrite1hTokens: count,
      outputTokens: count,
      reasoningTokens: count,
    })
    .nullable(),
  at: z.number(),
})

export function encodeAnswer({ pieces, closing, ...rest }: CachedAnswer): Buffer {
  const value: z.input<typeof head> = {
    ...rest,
    pieces: pieces.map(({ kind, bytes }) => [kind, bytes.length]),
    closing: closing.length,
  }
  const text = Buffer.from(JSON.stringify(value))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  return Buffer.concat([length, text, ...pieces.map(({ bytes }) => bytes), closing])
}

/** undefined for anything but a whole answer: also for one that another version of Midwatch wrote. */
export function decodeAnswer(value: Buffer): CachedAnswer | undefined {
  if (value.length < 4) return undefined
  let at = 4 + value.readUInt32BE()
  const read = head.safeParse(parsed(value.subarray(4, at)))
  if (!read.success) return undefined
  const take = (bytes: number) => value.subarray(at, (at += bytes))
  const { pieces, closing, ...rest } = read.data
  const answer = {
    ...rest,
    pieces: pieces.map(([kind, bytes]) => ({ kind, bytes: take(bytes) })),
    closing: take(closing),
  }
  return at === value.length ? answer : undefined
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
