// Incidents in every state the page can show, shaped as the API answers them. A test parses each with the API's own
// schemas, so that they cannot drift from what the server sends.
import type { Cause } from '../../src/diagnosis/evidence.ts'
import type { Report } from '../../src/incidents/report.ts'
import type { AlertView, ApprovalView, IncidentSummary, IncidentView } from '../../src/incidents/view.ts'

const MINUTE = 60_000
/** 03:12:40 in Berlin. */
const ONSET = Date.UTC(2026, 10, 23, 2, 12, 40)
const OPENED = ONSET + 25_000

export const HOSTILE = '<img src=x onerror="document.title=1">'

export function summary(patch: Partial<IncidentSummary> = {}): IncidentSummary {
  return {
    id: 'inc_1',
    number: 1,
    state: 'investigating',
    outcome: null,
    severity: 'critical',
    title: 'checkout: high error rate',
    sentence: 'checkout: error rate is high since 02:13 UTC. Being looked at.',
    service: 'checkout',
    cause: null,
    alerts: 23,
    flapping: [],
    firing: 21,
    openedAt: OPENED,
    updatedAt: OPENED + MINUTE,
    closedAt: null,
    ...patch,
  }
}

export function approval(patch: Partial<ApprovalView> = {}): ApprovalView {
  return {
    id: 'apr_1',
    state: 'pending',
    action: {
      name: 'roll-back',
      does: 'roll-back',
      service: 'inventory',
      parameters: { version: '7e10b' },
      title: 'Roll inventory back to 7e10b',
      expected: 'errors below 1 % within 2 min',
      undo: 'redeploy 8f2c1',
      touches: 'inventory, 3 of 3 instances',
      risk: 3,
      riskReasons: ['a release that ran for nine days before', 'every instance restarts once'],
      ifNothing: 'The payments queue fills at about 03:41.',
    },
    confirm: false,
    requestedAt: OPENED + 2 * MINUTE,
    expiresAt: OPENED + 242 * MINUTE,
    decidedAt: null,
    decidedBy: null,
    reason: null,
    run: null,
    ...patch,
  }
}

function points(fromMs: number, toMs: number, value: (at: number) => number): [number, number][] {
  const made: [number, number][] = []
  for (let at = fromMs; at <= toMs; at += 15_000) made.push([at, value(at)])
  return made
}

/** Unrest that is the same at every run. */
const ripple = (at: number): number => Math.sin(at / 40_000) + Math.sin(at / 17_000) / 2

function inventoryCause(): Cause {
  const [fromMs, toMs] = [ONSET - 20 * MINUTE, ONSET + 4 * MINUTE]
  return {
    service: 'inventory',
    kind: 'pool_exhausted',
    metric: 'db_pool_connections',
    score: 8.4,
    confidence: 0.92,
    onset: ONSET,
    evidence: [
      {
        id: 'e1',
        claim: "inventory's connection pool is full since 02:12:40 UTC: 20 of 20 in use, before 3",
        weight: 4.1,
        ref: {
          kind: 'series',
          service: 'inventory',
          metric: 'db_pool_connections',
          labels: { state: 'in_use' },
          query: 'sum by (service) (db_pool_connections{service="inventory", state="in_use"})',
          unit: 'connections',
          fromMs,
          toMs,
          onsetMs: ONSET,
          before: 3,
          after: 20,
          points: points(fromMs, toMs, (at) => (at < ONSET ? 3 + Math.round(ripple(at)) : 20)),
        },
      },
      {
        id: 'e2',
        claim: 'deploy 8f2c1 of inventory came eleven seconds before the onset',
        weight: 2.6,
        ref: {
          kind: 'change',
          id: 'chg_1',
          at: ONSET - 11_000,
          service: 'inventory',
          changeKind: 'deploy',
          summary: 'Reserve stock in one transaction',
          from: '7e10b',
          to: '8f2c1',
          author: 'Jonas Ek',
        },
      },
      {
        id: 'e3',
        claim: 'a line that inventory never wrote before came 412 times',
        weight: 1.9,
        ref: {
          kind: 'log',
          service: 'inventory',
          template: 'timed out after <*> ms waiting for a connection from the pool (<*> waiting)',
          countBefore: 0,
          countAfter: 412,
          lines: [
            {
              at: ONSET + 3100,
              level: 'error',
              message: 'timed out after 3000 ms waiting for a connection from the pool (7 waiting)',
              ref: 'inventory.log:88213',
            },
            {
              at: ONSET + 3200,
              level: 'error',
              message: `timed out after 3000 ms waiting for a connection from the pool (9 waiting) ${HOSTILE}`,
              ref: 'inventory.log:88214',
            },
          ],
        },
      },
      {
        id: 'e4',
        claim: 'the failure comes from inventory: checkout calls it, and storefront calls checkout',
        weight: 1.2,
        ref: { kind: 'topology', path: ['storefront', 'checkout', 'inventory'] },
      },
    ],
    against: [
      {
        id: 'a1',
        claim: "inventory's queries took as long as before",
        weight: -0.4,
        ref: {
          kind: 'series',
          service: 'inventory',
          metric: 'db_query_duration_seconds',
          labels: {},
          query: 'rate(db_query_duration_seconds_sum[1m]) / rate(db_query_duration_seconds_count[1m])',
          unit: 's',
          fromMs,
          toMs,
          onsetMs: null,
          before: 0.0042,
          after: 0.0044,
          points: points(fromMs, toMs, (at) => 0.0043 + ripple(at) * 0.0003),
        },
      },
    ],
  }
}

function report(patch: Partial<Report> = {}): Report {
  return {
    sentence: DIAGNOSED_SENTENCE,
    writtenBy: 'rules',
    effect: 'checkout fails for 31 % of requests',
    causes: [
      inventoryCause(),
      {
        service: 'payment',
        kind: 'slow_dependency',
        metric: 'http_client_request_duration_seconds',
        score: 2.1,
        confidence: 0.05,
        onset: ONSET + 20_000,
        evidence: [],
        against: [],
      },
    ],
    abstained: false,
    ruledOut: [
      { service: 'payment', reason: 'it slowed 20 s after inventory, and calls it' },
      { service: 'storefront', reason: 'its errors are those of checkout passed on' },
      { service: 'catalogue', reason: 'nothing about it changed' },
    ],
    missing: [],
    map: {
      services: [
        { name: 'inventory', role: 'cause' },
        { name: 'checkout', role: 'victim' },
        { name: 'storefront', role: 'victim' },
        { name: 'payment', role: 'victim' },
        { name: 'recommendations', role: 'bystander' },
      ],
      edges: [
        { caller: 'storefront', callee: 'checkout' },
        { caller: 'storefront', callee: 'recommendations' },
        { caller: 'checkout', callee: 'inventory' },
        { caller: 'checkout', callee: 'payment' },
        { caller: 'payment', callee: 'inventory' },
      ],
    },
    looked: { series: 212, logLines: 3410, changes: 4, tookMs: 2130 },
    blind: [],
    claimsRemoved: 0,
    diagnosedAt: OPENED + 53_000,
    deliberation: {
      rounds: 1,
      stopped: 'inventory is sure enough (0.92)',
      votes: [
        {
          by: 'metrics',
          service: 'inventory',
          kind: 'pool_exhausted',
          weight: 5.1,
          reason: "inventory's pool use rose to 100 % from 02:12:40 UTC (before 31 %)",
        },
        {
          by: 'changes',
          service: 'inventory',
          kind: 'bad_deploy',
          weight: 0.96,
          reason: `inventory was changed at 02:12:29 UTC: ${HOSTILE}`,
        },
      ],
      objections: [
        {
          by: 'rules',
          test: 'was it there before?',
          outcome: 'stands',
          reason: 'pool use of inventory was at 31 % in the hour before',
        },
        {
          by: 'rules',
          test: 'do its other callers suffer?',
          outcome: 'unknown',
          reason: 'fewer than two callers of inventory are measured',
        },
      ],
      reordered: false,
      claimsRemoved: 1,
      spent: { modelCalls: 3, toolCalls: 12, tokens: 5210, costUsd: 0.0014 },
    },
    ...patch,
  }
}

const DIAGNOSED_SENTENCE =
  "Checkout fails for 31 % of requests because inventory's connection pool is full since 02:12:40 UTC, eleven seconds after deploy 8f2c1 of inventory."

function alert(patch: Partial<AlertView> = {}): AlertView {
  return {
    id: 'alt_1',
    source: 'alertmanager',
    name: 'HighErrorRate',
    service: 'checkout',
    severity: 'critical',
    status: 'firing',
    summary: 'More than 5 % of requests to checkout fail',
    startsAt: OPENED,
    endsAt: null,
    times: 1,
    decision: 'opened',
    reason: 'new: no open incident within 5 min is related',
    url: 'http://127.0.0.1:9090/graph?g0.expr=up',
    ...patch,
  }
}

const alerts: AlertView[] = [
  alert(),
  alert({
    id: 'alt_2',
    name: 'SlowRequests',
    service: 'inventory',
    severity: 'warning',
    decision: 'joined',
    reason: 'dependency: checkout calls inventory, 12 s apart',
    times: 4,
  }),
  alert({
    id: 'alt_3',
    name: HOSTILE,
    service: 'storefront',
    severity: 'error',
    summary: `Errors above 2 % ${HOSTILE}`,
    decision: 'joined',
    reason: 'dependency: storefront calls checkout, 20 s apart',
    url: 'javascript:document.title=1',
  }),
  alert({ id: 'alt_4', name: 'QueueGrows', service: 'payment', status: 'resolved', endsAt: OPENED + 3 * MINUTE }),
  alert({ id: 'alt_5', name: 'PoolWaiting', service: 'inventory', severity: 'info', decision: 'joined' }),
  alert({
    id: 'alt_6',
    name: 'HighLatency',
    service: 'checkout',
    decision: 'joined',
    reason: 'service: also checkout, 40 s apart',
  }),
]

function view(patch: Partial<IncidentView> = {}): IncidentView {
  return {
    ...summary(),
    report: null,
    feedback: null,
    approval: null,
    approvals: [],
    timeline: [
      { seq: 1, at: OPENED, kind: 'opened', text: 'Opened by HighErrorRate of checkout.' },
      {
        seq: 2,
        at: OPENED + 12_000,
        kind: 'alert',
        text: 'SlowRequests of inventory joined: checkout calls inventory.',
      },
      { seq: 3, at: OPENED + 30_000, kind: 'investigating', text: 'The investigation began, with 23 alerts.' },
    ],
    alertList: alerts,
    ...patch,
  }
}

/** The cause is named and a fix waits for a decision. */
export function diagnosed(patch: Partial<IncidentView> = {}): IncidentView {
  const before = view()
  return {
    ...before,
    state: 'awaiting_approval',
    sentence: DIAGNOSED_SENTENCE,
    cause: { service: 'inventory', kind: 'pool_exhausted', confidence: 0.92 },
    told: [
      { channel: 'jira', title: 'OPS-12', url: 'https://example.atlassian.net/browse/OPS-12' },
      { channel: 'pagerduty', title: 'PagerDuty', url: null },
      { channel: 'slack', title: HOSTILE, url: 'javascript:document.title=1' },
    ],
    report: report(),
    approval: approval(),
    timeline: [
      ...before.timeline,
      { seq: 4, at: OPENED + 53_000, kind: 'diagnosed', text: 'The cause was named, with confidence 0.92.' },
      { seq: 5, at: OPENED + 2 * MINUTE, kind: 'proposed', text: 'Roll inventory back to 7e10b was proposed.' },
    ],
    ...patch,
  }
}

const pastReport: Report['past'] = {
  sentence: 'Second time in 30 days; last time “Roll inventory back to 5c1aa” fixed it (incident 9).',
  cause: { service: 'inventory', kind: 'pool_exhausted' },
  cases: [
    {
      incidentId: 'inc_9',
      number: 9,
      closedAt: OPENED - 6 * 86_400_000,
      lastedMs: 11 * MINUTE,
      likeness: 0.93,
      shared: ['anomaly:inventory pool_used up', 'alert:checkout HighErrorRate'],
      differing: [],
      diagnosed: { service: 'inventory', kind: 'pool_exhausted' },
      standing: { kind: 'mended', cause: { service: 'inventory', kind: 'pool_exhausted' } },
      outcome: 'fixed',
      fix: { title: 'Roll inventory back to 5c1aa', helped: true },
    },
  ],
  nudges: [
    { service: 'inventory', kind: 'pool_exhausted', score: 0.13, confidence: 0.032, because: [9], reordered: false },
  ],
}

const runbook: NonNullable<Report['runbooks']>[number] = {
  collection: 'runbooks',
  document: 'inventory/pool.md',
  title: 'The connection pool is full',
  source: null,
  headings: ['Inventory', 'Pool'],
  quote: `Look for a release that holds connections across calls. ${HOSTILE}`,
  start: 412,
  end: 506,
  page: null,
  confidence: 0.81,
  suspicious: false,
}

const decided = { state: 'approved' as const, decidedAt: OPENED + 3 * MINUTE, decidedBy: 'Mina Okafor' }

/** Every state, by its address: `/incidents/1` and so on. */
export function everyIncident(): readonly IncidentView[] {
  const riskyAction = { ...approval().action, risk: 8, title: 'Restart every inventory instance' }
  const all: Partial<IncidentView>[] = [
    diagnosed({ title: 'checkout: high error rate', report: report({ past: pastReport, runbooks: [runbook] }) }),
    view({ state: 'open', severity: 'warning', alerts: 1, firing: 1, alertList: alerts.slice(1, 2) }),
    view(),
    diagnosed({ severity: 'error', approval: approval({ confirm: true, action: riskyAction }) }),
    diagnosed({
      state: 'acting',
      approval: approval({
        ...decided,
        run: { state: 'intended', startedAt: OPENED + 181_000, finishedAt: null, detail: null },
      }),
    }),
    diagnosed({
      state: 'verifying',
      approval: approval({
        ...decided,
        run: { state: 'done', startedAt: OPENED + 181_000, finishedAt: OPENED + 183_000, detail: 'answered 200' },
      }),
    }),
    diagnosed({
      state: 'watching',
      approval: approval({
        ...decided,
        run: { state: 'uncertain', startedAt: OPENED + 181_000, finishedAt: null, detail: 'the connection broke' },
      }),
      approvals: [
        approval({ id: 'apr_0', state: 'refused', decidedAt: OPENED, decidedBy: 'Mina Okafor', reason: 'too early' }),
      ],
    }),
    diagnosed({
      state: 'watching',
      sentence: 'Checkout fails for 31 % of requests since 02:13 UTC. The cause is not known.',
      cause: null,
      approval: null,
      report: report({
        abstained: true,
        missing: ['the logs of inventory, which could not be read', 'what was deployed between 02:00 and 02:13 UTC'],
        blind: [{ source: 'loki', reason: 'the connection was refused' }],
        claimsRemoved: 2,
        writtenBy: 'fast (gpt-4o-mini)',
      }),
    }),
    diagnosed({
      state: 'closed',
      outcome: 'fixed',
      firing: 0,
      closedAt: OPENED + 6 * MINUTE,
      approval: approval({
        ...decided,
        run: { state: 'done', startedAt: OPENED + 181_000, finishedAt: OPENED + 183_000, detail: 'answered 200' },
      }),
    }),
    view({ state: 'closed', outcome: 'recovered', firing: 0, severity: 'warning', closedAt: OPENED + 4 * MINUTE }),
  ]
  return all.map((patch, i) => ({ ...view(), ...patch, id: `inc_${i + 1}`, number: i + 1 }))
}
