// `get_incident`: one incident with its evidence, its proposal, its alerts and its timeline, as much of each as fits.
import { z } from 'zod'
import type { Db } from '../db/connect.ts'
import { AppError } from '../core/errors.ts'
import type { Cause, Evidence, EvidenceRef } from '../diagnosis/evidence.ts'
import { readIncident } from '../incidents/read.ts'
import type { IncidentTables } from '../incidents/tables.ts'
import type { ApprovalView, IncidentView } from '../incidents/view.ts'
import type { Quoting } from './quoting.ts'
import { isoTime, tellSummary } from './search-incidents.ts'
import { offer, type OfferedTool } from './tool.ts'

const MOST_EVENTS = 60
const MOST_ALERTS = 20
const MOST_CAUSES = 3
const MOST_EVIDENCE = 12
const MOST_LINES = 3
const MOST_CONTEXT = 10
/** Of an answer, in characters; what is longer is told with less of everything. */
const FITS = 60_000
const SHARES = [1, 0.5, 0.2, 0.05]

export const whichIncident = z
  .union([z.number().int().positive(), z.string().min(1).max(100)])
  .transform(String)
  .describe('its number or id')

export const getIncident = (db: Db<IncidentTables>, confirmFromRisk: number): OfferedTool =>
  offer({
    name: 'get_incident',
    title: 'Get an incident',
    description:
      'One incident with everything known of it: causes with the evidence for and against each and where to check it, what was ruled out, what could not be seen, the proposed action and its risk (a person decides on it, elsewhere), its alerts and its timeline.',
    scopes: ['incidents:read'],
    input: z.strictObject({ incident: whichIncident }),
    readOnly: true,
    call: async ({ input: { incident }, caller, quoting }) => {
      const view = await mustRead(db, incident, caller.tenant, confirmFromRisk)
      return fit((share) => tellIncident(view, quoting.shorter(share)))
    },
  })

/** Throws `not_found`, the same for what is another tenant's and for what is nowhere. */
export async function mustRead(
  db: Db<IncidentTables>,
  incident: string,
  tenant: string,
  confirmFromRisk: number,
): Promise<IncidentView> {
  const view = await readIncident(db, incident, { tenant, confirmFromRisk })
  if (!view)
    throw new AppError('not_found', `There is no incident ${incident}. search_incidents lists those there are.`)
  return view
}

/** As JSON that is not too long. */
function fit(tell: (share: number) => unknown): string {
  let text = ''
  for (const share of SHARES) {
    text = JSON.stringify(tell(share))
    if (text.length <= FITS) break
  }
  return text
}

function tellIncident(view: IncidentView, quoting: Quoting) {
  const { report, feedback } = view
  const events = quoting.some(view.timeline.toReversed(), MOST_EVENTS).toReversed()
  return {
    ...tellSummary(view, quoting),
    diagnosis:
      report === null
        ? null
        : {
            abstained: report.abstained,
            effect: quoting.text(report.effect, 300),
            causes: quoting.some(report.causes, MOST_CAUSES).map((cause) => tellCause(cause, quoting)),
            ruledOut: quoting
              .some(report.ruledOut, 10)
              .map(({ service, reason }) => ({ service: quoting.name(service), reason: quoting.text(reason, 200) })),
            missing: quoting.some(report.missing, 10).map((one) => quoting.text(one, 300)),
            notSeen: report.blind.map(({ source, reason }) => ({
              source: quoting.name(source),
              reason: quoting.text(reason, 200),
            })),
            claimsRemoved: report.claimsRemoved,
            diagnosedAt: isoTime(report.diagnosedAt),
            earlier: report.past === undefined ? null : quoting.text(report.past.sentence),
          },
    feedback: feedback && { verdict: feedback.verdict, by: quoting.text(feedback.by, 100), at: isoTime(feedback.at) },
    proposal: view.approval && tellApproval(view.approval, quoting),
    alertList: quoting.some(view.alertList, MOST_ALERTS).map((alert) => ({
      name: quoting.name(alert.name),
      service: alert.service === null ? null : quoting.name(alert.service),
      severity: quoting.name(alert.severity),
      status: alert.status,
      summary: quoting.text(alert.summary, 200),
      startsAt: isoTime(alert.startsAt),
      decision: alert.decision,
      reason: alert.reason === null ? null : quoting.text(alert.reason, 200),
    })),
    context: quoting.some(view.context ?? [], MOST_CONTEXT).map(({ source, tool, text, failure }) => ({
      source: quoting.name(source),
      tool: quoting.name(tool),
      quote: quoting.text(text, 1000),
      failure: failure === null ? null : quoting.text(failure, 200),
    })),
    timelineOmitted: view.timeline.length - events.length,
    timeline: events.map(({ at, kind, text }) => ({ at: isoTime(at), kind, text: quoting.text(text, 400) })),
  }
}

const tellCause = ({ service, kind, confidence, onset, evidence, against }: Cause, quoting: Quoting) => ({
  service: quoting.name(service),
  kind,
  confidence,
  onset: onset === null ? null : isoTime(onset),
  evidence: quoting.some(evidence, MOST_EVIDENCE).map((one) => tellEvidence(one, quoting)),
  against: quoting.some(against, MOST_EVIDENCE).map((one) => tellEvidence(one, quoting)),
})

const tellEvidence = ({ id, claim, weight, ref }: Evidence, quoting: Quoting) => ({
  id,
  claim: quoting.text(claim, 400),
  weight,
  reference: tellReference(ref, quoting),
})

function tellReference(ref: EvidenceRef, quoting: Quoting) {
  switch (ref.kind) {
    case 'series': {
      const { kind, service, query, unit, before, after, onsetMs, fromMs, toMs } = ref
      const when = { from: isoTime(fromMs), to: isoTime(toMs), onset: onsetMs === null ? null : isoTime(onsetMs) }
      return { kind, service: quoting.name(service), query: quoting.text(query, 400), unit, before, after, ...when }
    }
    case 'log': {
      const { kind, service, template, countBefore, countAfter, lines } = ref
      return {
        kind,
        service: quoting.name(service),
        template: quoting.text(template, 300),
        countBefore,
        countAfter,
        lines: quoting.some(lines, MOST_LINES).map(({ at, level, message, ref: place }) => ({
          at: isoTime(at),
          level: quoting.name(level),
          message: quoting.text(message, 300),
          place: quoting.text(place, 200),
        })),
      }
    }
    case 'change': {
      const { kind, id, at, service, changeKind, summary, from, to, author } = ref
      const named = { from, to, author }
      return {
        kind,
        id: quoting.name(id),
        at: isoTime(at),
        service: quoting.name(service),
        changeKind,
        summary: quoting.text(summary, 300),
        ...Object.fromEntries(
          Object.entries(named).flatMap(([key, value]) =>
            value === undefined ? [] : [[key, quoting.text(value, 100)]],
          ),
        ),
      }
    }
    case 'topology': {
      return { kind: ref.kind, path: quoting.some(ref.path, 20).map((service) => quoting.name(service)) }
    }
  }
}

const tellApproval = ({ state, action, decidedBy, run, expiresAt }: ApprovalView, quoting: Quoting) => ({
  state,
  action: quoting.text(action.title, 200),
  expected: quoting.text(action.expected, 300),
  undo: quoting.text(action.undo, 300),
  touches: quoting.text(action.touches, 200),
  risk: action.risk,
  riskReasons: quoting.some(action.riskReasons, 10).map((reason) => quoting.text(reason, 200)),
  expiresAt: isoTime(expiresAt),
  decidedBy: decidedBy === null ? null : quoting.text(decidedBy, 100),
  run: run && { state: run.state },
  /** So that nobody looks for a tool that does it. */
  decidedWhere: 'A person decides, on the page or with `midwatch incidents approve`; no tool here can.',
})
