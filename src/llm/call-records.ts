// How the rest of Midwatch asks what became of model calls: counted, never call by call.

export interface CallSummary {
  /** The name that callers used. */
  readonly model: string
  /** Who answered, or was tried last; null when nobody was asked. */
  readonly provider: string | null
  readonly calls: number
  /** Those that failed for the provider's or our own reason, not because of what was asked. */
  readonly failed: number
  /** How many by error code. */
  readonly errors: Readonly<Record<string, number>>
}

export interface CallRecords {
  /** Calls that began with `fromMs` ≤ time < `toMs` and are over. */
  summarise(
    query: { tenant: string; fromMs: number; toMs: number },
    signal: AbortSignal,
  ): Promise<readonly CallSummary[]>
}
