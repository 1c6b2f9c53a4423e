// News as a channel is given it, for the tests of channels.
import type { News, Trace } from '../channel.ts'
import type { ToldApproval, ToldIncident } from '../told-incident.ts'

export const PROPOSAL: ToldApproval = {
  id: 'apr_1',
  state: 'pending',
  title: 'Roll inventory back to 7e10b',
  expected: 'Errors return to normal within two minutes.',
  undo: 'Deploy 8f2c1 of inventory again.',
  touches: 'inventory, every instance',
  risk: 4,
  riskReasons: ['3 of the catalogue', '+1: two services call it'],
  confirm: false,
  needed: 1,
  agreed: [],
  expiresAt: 1_790_000_900_000,
  decidedBy: null,
  reason: null,
  run: null,
}

export const INCIDENT_TOLD: ToldIncident = {
  id: 'inc_1',
  tenant: 'default',
  number: 7,
  severity: 'critical',
  state: 'watching',
  outcome: null,
  service: 'storefront',
  openedAt: 1_790_000_000_000,
  closedAt: null,
  alerts: 12,
  firing: 9,
  title: 'HighErrorRate on storefront',
  sentence: "Storefront fails for 31 % of requests because inventory's connection pool is full since 03:15:04 UTC.",
  url: 'http://midwatch.example/incidents/inc_1',
  cause: { service: 'inventory', kind: 'pool_exhausted', confidence: 0.91 },
  effect: 'storefront fails for 31 % of requests',
  evidence: ['pool_in_use of inventory rose from 4 to 20 of 20 at 03:15:04 UTC.'],
  missing: [],
  past: null,
  begunAt: 1_790_000_000_000,
  isAcknowledged: false,
  mergedInto: null,
  approval: null,
}

export interface MadeNews {
  readonly news: News
  /** What was left, last first. */
  readonly traces: Trace[]
}

type Parts = Partial<Omit<News, 'incident'>> & { readonly incident?: Partial<ToldIncident> }

export function makeNews(parts: Parts = {}): MadeNews {
  const traces: Trace[] = parts.trace ? [parts.trace] : []
  const kind = parts.kind ?? 'diagnosed'
  const incident = { ...INCIDENT_TOLD, ...parts.incident }
  return {
    traces,
    news: {
      kind,
      step: kind,
      at: 1_790_000_060_000,
      details: {},
      to: null,
      key: `${incident.id}:${kind}`,
      trace: traces[0],
      leave: (trace) => {
        traces.unshift(trace)
        return Promise.resolve()
      },
      ...parts,
      incident,
    },
  }
}
