// What became of model calls, for the on-call agent: the ledger counted by model and provider.
import type { Db } from '../db/connect.ts'
import type { CallRecords, CallSummary } from '../llm/call-records.ts'
import type { GatewayTables } from './tables.ts'

/** Groups that are read; there is one a model, provider and error. */
const MOST_GROUPS = 500

/** `flush` resolves when what has ended is in the database. */
export function createCallRecords(db: Db<GatewayTables>, flush: () => Promise<void>): CallRecords {
  return {
    summarise: async ({ tenant, fromMs, toMs }, signal) => {
      await flush()
      signal.throwIfAborted()
      const groups = await db
        .selectFrom('ledger')
        .select(['model', 'provider', 'outcome', 'error_code', (eb) => eb.fn.countAll<number>().as('calls')])
        .where('tenant', '=', tenant)
        .where('at', '>=', fromMs)
        .where('at', '<', toMs)
        .where('outcome', 'in', ['served', 'failed'])
        .groupBy(['model', 'provider', 'outcome', 'error_code'])
        .orderBy('calls', 'desc')
        .limit(MOST_GROUPS)
        .execute()
      const summaries = new Map<
        string,
        { -readonly [K in keyof CallSummary]: CallSummary[K] } & { errors: Record<string, number> }
      >()
      for (const { model, provider, outcome, error_code, calls } of groups) {
        const key = `${model}\u0000${provider ?? ''}`
        const one = summaries.get(key) ?? { model, provider, calls: 0, failed: 0, errors: {} }
        summaries.set(key, one)
        one.calls += calls
        if (outcome !== 'failed') continue
        one.failed += calls
        const code = error_code ?? 'unknown'
        one.errors[code] = (one.errors[code] ?? 0) + calls
      }
      return [...summaries.values()]
    },
  }
}
