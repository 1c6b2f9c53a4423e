// What a request may tell a provider: users under pseudonyms, and personal data dealt with as the config says. Whoever
// wrote the request gets the originals back in the answer (see Delivery).
import type { Config } from '../config/schema.ts'
import type { Ask, DialectName } from '../llm/dialect.ts'
import { blockedError, guard } from '../privacy/guard.ts'
import type { createPrivacyMetrics } from '../privacy/metrics.ts'
import { anonymiseUsers, loadUserIdKey } from '../privacy/user-ids.ts'
import type { Vault } from '../privacy/vault.ts'
import type { ModelCall } from './run.ts'

export interface Screened {
  readonly ask: Ask
  /** What the answer's placeholders stand for; null where there are none. */
  readonly vault: Vault | null
}

/** Throws AppError `content_blocked`. */
export type Screen = (call: ModelCall, ask: Ask) => Screened

export function createScreen(
  { privacy, data }: Pick<Config, 'privacy' | 'data'>,
  count: ReturnType<typeof createPrivacyMetrics>,
): Screen {
  const key = privacy.anonymiseUserIds ? loadUserIdKey(data) : null
  return (call, ask) => {
    const named = key ? anonymiseUsers(ask.body, key, call.caller.tenant) : ask.body
    const guarded = guard(named, privacy.pii)
    if (guarded.found.length > 0) count(guarded.found)
    if (guarded.kind === 'blocked') throw blockedError(guarded.found)
    const body = guarded.kind === 'changed' ? guarded.body : named
    return {
      ask: body === ask.body ? ask : call.dialect.read(body),
      vault: guarded.kind === 'changed' && !guarded.vault.isEmpty && !WORDLESS.has(ask.dialect) ? guarded.vault : null,
    }
  }
}

/** Their answers have no words in which a placeholder could stand, and may pass as they are. */
const WORDLESS: ReadonlySet<DialectName> = new Set(['openai-embeddings', 'anthropic-count-tokens'])
