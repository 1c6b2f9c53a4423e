// Rows of the ledger for tests and measurements.
import { type Decision, encodeDecision } from '../../decision.ts'
import type { LedgerRow } from '../../tables.ts'

/** A request that was let in and has not ended. */
export const ledgerRow = (id: string, more: Partial<LedgerRow> = {}): LedgerRow => ({
  id,
  tenant: 'default',
  key_id: 'local',
  team: null,
  user_hash: null,
  charged_micro_usd: null,
  request_id: `req_${id}`,
  at: 1,
  model: 'fast',
  provider: null,
  provider_model: null,
  endpoint: '/v1/chat/completions',
  status: null,
  outcome: null,
  attempts: 0,
  input_tokens: null,
  cached_tokens: null,
  cache_write_tokens: null,
  cache_write_1h_tokens: null,
  output_tokens: null,
  reasoning_tokens: null,
  usage_source: 'unknown',
  cost_micro_usd: null,
  cost_source: null,
  cache: null,
  duration_ms: null,
  ttft_ms: null,
  error_code: null,
  purpose: null,
  decision: null,
  ...more,
})

/** How a request that was answered differs from one under way. */
export const servedRow = {
  outcome: 'served',
  status: 200,
  attempts: 1,
  provider: 'openai',
  provider_model: 'gpt-4o-mini',
  input_tokens: 12,
  cached_tokens: 0,
  output_tokens: 5,
  usage_source: 'measured',
  cost_micro_usd: 0.75,
  cost_source: 'config',
  cache: 'miss',
  duration_ms: 40.125,
  ttft_ms: 12.5,
} as const satisfies Partial<LedgerRow>

export const decision: Decision = {
  strategy: 'first',
  candidates: [
    { of: 'fast', provider: 'openai', model: 'gpt-4o-mini', score: null, skipped: null },
    { of: 'fast', provider: 'anthropic', model: 'claude-haiku-4-5', score: null, skipped: 'breaker open' },
  ],
  attempts: [
    {
      provider: 'openai',
      model: 'gpt-4o-mini',
      reason: 'first',
      startedMs: 0.375,
      connectMs: 0.125,
      firstContentMs: 12.5,
      tookMs: 40.125,
      end: 'completed',
      status: 200,
      breaker: 'closed',
      usage: {
        inputTokens: 12,
        cacheReadTokens: 0,
        cacheWriteTokens: null,
        cacheWrite1hTokens: null,
        outputTokens: 5,
        reasoningTokens: null,
      },
      usageSource: 'measured',
      costMicroUsd: 0.75,
    },
  ],
  hedged: false,
  rescued: null,
  limit: null,
  cache: 'miss',
  costSource: 'config',
  deadlineMs: 120_000,
  timeLeftMs: 119_960,
  queuedMs: 0,
}

export const decisionText = encodeDecision(decision)
