// An Ask for tests of what only looks at a request's body and a few of its fields.
import type { Ask, DialectName } from '../../../llm/dialect.ts'

export interface AskedHow {
  readonly dialect?: DialectName
  readonly model?: string
}

export function askOf(body: string, { dialect = 'openai-chat', model = 'fast' }: AskedHow = {}): Ask {
  const read = JSON.parse(body.replace(/^\uFEFF/, '')) as {
    stream?: boolean
    stream_options?: { include_usage?: boolean } | null
    n?: unknown
    temperature?: unknown
    max_tokens?: number
    tools?: unknown
  }
  return {
    dialect,
    body: Buffer.from(body),
    model,
    stream: read.stream === true,
    wantsUsage: read.stream_options?.include_usage === true,
    choices: typeof read.n === 'number' ? read.n : 1,
    maxOutputTokens: read.max_tokens ?? null,
    temperature: typeof read.temperature === 'number' ? read.temperature : null,
    user: null,
    demands: new Set(Array.isArray(read.tools) && read.tools.length > 0 ? (['tools'] as const) : []),
    promptCharacters: () => body.length,
    neutral: () => {
      throw new Error('no test translates this request')
    },
  }
}
