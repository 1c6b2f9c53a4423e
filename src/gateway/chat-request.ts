// What the gateway reads of a chat request. Only what it decides by is checked; the rest is between caller and provider.
import { z } from 'zod'
import { layoutOf } from '../core/json-members.ts'
import { parseAs, parseJson } from '../core/parse.ts'

const chatBody = z.looseObject({
  model: z.string().min(1).max(256),
  messages: z.array(z.looseObject({ role: z.string() })).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  n: z.int().min(1).max(128).nullish(),
})

export interface ChatRead {
  readonly model: string
  readonly stream: boolean
  /** Whether the caller wants the usage chunk at the end of a stream. */
  readonly wantsUsage: boolean
  readonly choices: number
  /** Characters of text that the model has to read: for estimates. */
  readonly promptCharacters: () => number
}

/** Throws `malformed` naming the field. */
export function readChatRequest(bytes: Buffer): ChatRead {
  const body = parseAs(chatBody, parseJson(bytes))
  return {
    model: body.model,
    stream: body.stream === true,
    wantsUsage: body.stream_options?.include_usage === true,
    choices: body.n ?? 1,
    promptCharacters: () =>
      body.messages.reduce((sum, { content }) => sum + charactersIn(content), 0) + sizeOfTools(bytes),
  }
}

/** As they came: written again, tools nested ten thousand deep would overflow the stack. */
function sizeOfTools(bytes: Buffer): number {
  const tools = layoutOf(bytes).members.filter(({ key }) => key === 'tools')
  return tools.reduce((sum, { start, end }) => sum + end - start, 0)
}

/** Text only: an image's bytes say nothing about its tokens. */
function charactersIn(content: unknown): number {
  if (typeof content === 'string') return content.length
  if (!Array.isArray(content)) return 0
  return content.reduce<number>(
    (sum, part: { text?: unknown } | null) => sum + (typeof part?.text === 'string' ? part.text.length : 0),
    0,
  )
}
