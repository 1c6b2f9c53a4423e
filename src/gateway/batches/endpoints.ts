// Which addresses a batch can call.
import type { Scope } from '../../core/caller.ts'
import { DIALECT } from '../../dialects/all.ts'
import type { Dialect, DialectName } from '../../llm/dialect.ts'

export interface BatchEndpoint {
  readonly dialect: Dialect
  readonly scope: Scope
}

const NAMES: readonly DialectName[] = ['openai-chat', 'openai-responses', 'openai-embeddings', 'anthropic-messages']

export const BATCH_ENDPOINTS: ReadonlyMap<string, BatchEndpoint> = new Map(
  NAMES.flatMap((name) => {
    const dialect = DIALECT[name]
    const scope: Scope = name === 'openai-embeddings' ? 'llm:embed' : 'llm:chat'
    return dialect ? [[dialect.endpoint, { dialect, scope }] as const] : []
  }),
)
