// What `/v1/incidents` answers: the shapes that the page, the terminal and other programs rely on.
import { z } from 'zod'
import { proposedAction, report } from './report.ts'

export const alertView = z.object({
  id: z.string(),
  source: z.string(),
  name: z.string(),
  service: z.string().nullable(),
  severity: z.string(),
  status: z.enum(['firing', 'resolved']),
  summary: z.string(),
  startsAt: z.number(),
  endsAt: z.number().nullable(),
  times: z.number().int(),
  decision: z.enum(['opened', 'joined', 'ignored', 'muted', 'not_understood']).nullable(),
  reason: z.string().nullable(),
  url: z.string().nullable(),
})
export type AlertView = z.infer<typeof alertView>

export const stopView = z.object({ at: z.number(), by: z.string(), reason: z.string().nullable() })
export type StopView = z.infer<typeof stopView>

export const approvalView = z.object({
  id: z.string(),
  state: z.enum(['pending', 'approved', 'refused', 'expired', 'void']),
  action: proposedAction,
  /** True where the page must ask a second time before it sends. */
  confirm: z.boolean(),
  requestedAt: z.number(),
  expiresAt: z.number(),
  decidedAt: z.number().nullable(),
  decidedBy: z.string().nullable(),
  reason: z.string().nullable(),
  run: z
    .object({
      state: z.enum(['intended', 'done', 'failed', 'uncertain']),
      startedAt: z.number(),
      finishedAt: z.number().nullable(),
      detail: z.string().nullable(),
      /** What was seen of the symptom afterwards. */
      verdict: z.enum(['fixed', 'numbers_back', 'not_fixed', 'worse']).nullable().optional(),
    })
    .nullable(),
  /** How many people have to agree, and who has. */
  people: z.object({ needed: z.number().int(), agreed: z.array(z.string()) }).optional(),
  /** The person who asked for it, and so cannot approve it. */
  requestedBy: z.string().nullable().optional(),
  /** The approval whose action it takes back. */
  undoOf: z.string().nullable().optional(),
  /** Whether it was approved to take it back if it makes things worse. */
  undoIfWorse: z.boolean().optional(),
})
export type ApprovalView = z.infer<typeof approvalView>

export const eventView = z.object({
  seq: z.number().int(),
  at: z.number(),
  /** `opened`, `alert`, `investigating`, `diagnosed`, `proposed`, `approved`, `refused`, `acting`, `acted`, `verifying`, `verified`, `notified`, `closed`, `note` … */
  kind: z.string(),
  text: z.string(),
})
export type EventView = z.infer<typeof eventView>

export const incidentSummary = z.object({
  id: z.string(),
  number: z.number().int(),
  state: z.enum(['open', 'investigating', 'awaiting_approval', 'acting', 'verifying', 'watching', 'closed']),
  outcome: z.enum(['fixed', 'recovered']).nullable(),
  severity: z.string(),
  title: z.string(),
  sentence: z.string(),
  service: z.string().nullable(),
  cause: z.object({ service: z.string(), kind: z.string(), confidence: z.number() }).nullable(),
  alerts: z.number().int(),
  firing: z.number().int(),
  /** Its alerts that begin and end again and again: how often within how long. */
  flapping: z.array(
    z.object({ name: z.string(), service: z.string().nullable(), times: z.number().int(), sinceMs: z.number() }),
  ),
  openedAt: z.number(),
  updatedAt: z.number(),
  closedAt: z.number().nullable(),
})
export type IncidentSummary = z.infer<typeof incidentSummary>

/** What another system answered when it was asked about the incident: a quote, and no evidence. */
export const contextView = z.object({
  kind: z.literal('context'),
  source: z.string(),
  tool: z.string(),
  arguments: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  at: z.number(),
  text: z.string(),
  truncated: z.boolean(),
  /** Why there is no answer. */
  failure: z.string().nullable(),
  /** It has text that speaks to a machine. */
  suspicious: z.boolean(),
})
export type ContextView = z.infer<typeof contextView>

/** How bad it is and why, whose it is, where it goes, and who was woken. Every decision with its rule. */
export const routingView = z.object({
  severity: z.object({ rule: z.string(), reason: z.string() }),
  kind: z.object({ kind: z.string(), reason: z.string() }),
  owner: z.object({ owner: z.string().nullable(), reason: z.string() }),
  routes: z.array(z.object({ route: z.string(), rule: z.string(), team: z.string().nullable() })),
  assessedAt: z.number(),
  escalations: z.array(
    z.object({
      team: z.string(),
      state: z.enum(['running', 'acknowledged', 'exhausted', 'ended']),
      by: z.string().nullable(),
      steps: z.array(
        z.object({ step: z.number().int(), at: z.number(), told: z.array(z.string()), missing: z.array(z.string()) }),
      ),
      /** When the next step is due, unless somebody acknowledges before. */
      nextAt: z.number().nullable(),
    }),
  ),
})
export type RoutingView = z.infer<typeof routingView>

/** Where it was told of: a ticket, a message, a letter. */
const toldView = z.object({ channel: z.string(), title: z.string(), url: z.string().nullable() })

export const incidentView = incidentSummary.extend({
  /** The first of them first; absent where nobody is told. */
  told: z.array(toldView).optional(),
  /** Its `past` is looked up anew: what people have said of those incidents since then counts. */
  report: report.nullable(),
  /** What was said of the diagnosis last and still counts. */
  feedback: z
    .object({
      verdict: z.enum(['right', 'wrong']),
      by: z.string(),
      at: z.number(),
      service: z.string().nullable(),
      kind: z.string().nullable(),
    })
    .nullable(),
  approval: approvalView.nullable(),
  /** Earlier approvals of the same incident, newest first. */
  approvals: z.array(approvalView),
  /** Of the latest look; absent where nobody else is asked. */
  context: z.array(contextView).optional(),
  timeline: z.array(eventView),
  /** The first hundred; `alerts` says how many there are. */
  alertList: z.array(alertView),
  /** null until it is classified. */
  routing: routingView.nullable().optional(),
  stopped: stopView.nullable().optional(),
})
export type IncidentView = z.infer<typeof incidentView>

/** `GET /v1/incidents?state=open|closed|all&limit=&before=` */
export const incidentList = z.object({
  incidents: z.array(incidentSummary),
  /** Alerts stored but not folded yet. */
  waiting: z.number().int(),
  /** Firing alerts that are held back by silences, maintenance windows and inhibitions. */
  muted: z.number().int(),
  /** Alerts of the last day that nobody here could read; they are kept. */
  notUnderstood: z.number().int().default(0),
  now: z.number(),
  /** Since when nothing is carried out, and who stopped it; null while acting goes on. */
  stopped: stopView.nullable().optional(),
})
export type IncidentList = z.infer<typeof incidentList>

/** `GET /v1/alerts?decision=&source=&limit=` */
export const alertList = z.object({
  alerts: z.array(
    alertView.extend({
      incidentId: z.string().nullable(),
      receivedAt: z.number(),
      fingerprint: z.string(),
      labels: z.record(z.string(), z.string()),
      /** Machines that it names. */
      hosts: z.array(z.string()),
      /** What there is to look at, by its name. */
      links: z.record(z.string(), z.string()),
    }),
  ),
  waiting: z.number().int(),
  now: z.number(),
})
export type ListedAlert = z.infer<typeof alertList>['alerts'][number]

/** `POST /v1/incidents/:id/approvals/:approvalId` */
export const approvalDecision = z.strictObject({
  decision: z.enum(['approve', 'refuse']),
  reason: z.string().max(2000).optional(),
  /** Sent by the page after the second, deliberate act that a high risk asks for. */
  confirmed: z.boolean().optional(),
  /** To take it back without asking again if it makes things worse. */
  undoIfWorse: z.boolean().optional(),
})
export type ApprovalDecision = z.infer<typeof approvalDecision>

/** `POST /v1/incidents/:id/approvals/:approvalId/dry-run` */
export const dryRunView = z.object({
  would: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('http'),
      method: z.string(),
      url: z.string(),
      headers: z.record(z.string(), z.string()),
      body: z.record(z.string(), z.string()),
    }),
    z.object({ kind: z.literal('command'), argv: z.array(z.string()), env: z.array(z.string()) }),
  ]),
  preconditions: z.array(z.object({ says: z.string(), holds: z.boolean(), seen: z.string() })),
  /** Why it would not be carried out now. */
  inTheWay: z.string().nullable(),
  /** What the catalogue's own trial answered; null where it has none. */
  trial: z.object({ kind: z.enum(['done', 'refused', 'unsent', 'unclear']), detail: z.string() }).nullable(),
})
export type DryRunView = z.infer<typeof dryRunView>

/** `POST /v1/incidents/:id/actions`: an entry of the catalogue, or an earlier action to be taken back. */
export const askBody = z.union([
  z.strictObject({
    action: z.string().min(1).max(100),
    service: z.string().min(1).max(200).optional(),
    parameters: z.record(z.string(), z.string().max(200)).default({}),
  }),
  z.strictObject({ undo: z.string().min(1).max(200) }),
])

/** `POST /v1/actions/stop` */
export const stopBody = z.strictObject({ reason: z.string().max(2000).optional() })

/** `GET /v1/actions`: what may be done, how it did so far, and whether anything is done now. */
export const actingView = z.object({
  stopped: stopView.nullable(),
  actions: z.array(
    z.object({
      name: z.string(),
      does: z.string(),
      services: z.array(z.string()),
      fits: z.array(z.string()),
      title: z.string(),
      undo: z.string(),
      /** Whether Midwatch can take it back by itself. */
      undoable: z.boolean(),
      risk: z.number(),
      parameters: z.record(z.string(), z.string()),
      preconditions: z.array(z.string()),
      cooldownSeconds: z.number(),
      record: z.object({ judged: z.number(), worked: z.number(), worse: z.number() }),
    }),
  ),
})
export type ActingView = z.infer<typeof actingView>

/** `POST /v1/incidents/cases/erasures`: one incident's case (an id or a number), or all in which a text stands. */
export const erasureBody = z.union([
  z.strictObject({ incident: z.string().min(1).max(100) }),
  z.strictObject({ mentions: z.string().min(3).max(500) }),
])
/** The numbers of the incidents whose cases are gone now. */
export const erasureView = z.object({ erased: z.array(z.number().int()) })

/** `GET /v1/incidents/:id/runbook` */
export const runbookView = z.object({ markdown: z.string(), cases: z.array(z.number().int()) })

/** `GET /v1/incidents/:id/postmortem` */
export const postmortemView = z.object({ markdown: z.string() })

const why = z.string().trim().min(1, 'say why').max(1000)

/** `POST /v1/incidents/:id/merge`: the alerts of `incident` (an id or a number) become those of `:id`. */
export const mergeBody = z.strictObject({ incident: z.string().min(1).max(100), reason: why })
export const mergedView = z.object({ incident: z.number().int(), merged: z.number().int() })

/** `POST /v1/incidents/:id/ack` */
export const acknowledgedView = z.object({ incident: z.number().int(), by: z.string() })

/** `POST /v1/incidents/:id/split`: these alerts become an incident of their own. */
export const splitBody = z.strictObject({ alerts: z.array(z.string().max(100)).min(1).max(1000), reason: why })
export const splitView = z.object({ incident: z.number().int(), split: z.number().int() })

/** `POST /v1/incidents/:id/feedback` */
export const feedbackBody = z.strictObject({
  /** The latest word counts; `withdrawn` takes back what was said before. */
  verdict: z.enum(['right', 'wrong', 'withdrawn']),
  service: z.string().max(200).optional(),
  kind: z.string().max(100).optional(),
  text: z.string().max(5000).optional(),
})
export type FeedbackBody = z.infer<typeof feedbackBody>
