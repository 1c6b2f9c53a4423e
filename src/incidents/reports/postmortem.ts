// The draft of a post-mortem out of what was recorded of an incident, and out of nothing else: where the record is silent
// it says "unknown". What went well and what is open follow from figures and gaps by fixed rules; opinions are left to
// the people who read it. Every time is UTC. Text from outside stands in code spans.
import type { ApprovalView, EventView, IncidentView } from '../view.ts'
import type { Report } from '../report.ts'
import { duration } from '../investigation/sentence.ts'
import { cell, code, plain } from '../markdown.ts'
import { sayCase, sayCause } from '../memory/say-past.ts'
import { sayReally } from '../memory/standing.ts'
import { claimLines, utc } from './reference.ts'

type Block = readonly string[]

const UNKNOWN = 'Unknown.'
/** Events that a table shows; a storm has more, and says so. */
const MOST_EVENTS = 200

/** Markdown. `view` is the incident as the API shows it, open or closed. */
export function writePostmortem(view: IncidentView): string {
  const { report } = view
  const blocks: Block[] = [
    [`# Post-mortem of incident ${view.number}: ${code(view.title)}`],
    [
      view.closedAt === null
        ? 'Draft. The incident is still open: what is missing may yet come. Every time is UTC.'
        : 'Draft, made of what was recorded. Every time is UTC. Read it, correct it, and add what only people know.',
    ],
    ['## Summary'],
    [plain(view.sentence)],
    ['## Impact'],
    impact(view),
    ['## Timeline'],
    timeline(view),
    ['## Cause'],
    ...cause(view),
    ['## What was done'],
    done(view),
    ['## How it was verified'],
    verified(view),
    ['## What went well'],
    wentWell(view),
    ['## What is open'],
    open(view, report),
    ['## Follow-ups'],
    followUps(view, report),
  ]
  return `${blocks
    .filter(({ length }) => length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`
}

function impact(view: IncidentView): Block {
  const { report } = view
  const victims = report?.map.services.filter(({ role }) => role === 'victim').map(({ name }) => code(name)) ?? []
  const began = firstAlertAt(view)
  return [
    `- What users felt: ${report === null || report.effect === '' ? 'unknown.' : code(report.effect)}`,
    `- Services hurt: ${victims.length === 0 ? 'unknown.' : victims.join(', ')}`,
    `- Severity: ${code(view.severity)}`,
    `- Alerts: ${view.alerts}${view.firing > 0 ? `, of which ${view.firing} still fire` : ''}`,
    `- First alert began: ${began === null ? 'unknown.' : utc(began)}`,
    `- Incident opened: ${utc(view.openedAt)}`,
    view.closedAt === null
      ? '- Incident closed: not yet.'
      : `- Incident closed: ${utc(view.closedAt)}, after ${duration(view.closedAt - view.openedAt)}`,
  ]
}

function timeline(view: IncidentView): Block {
  const rows: { readonly at: number; readonly text: string }[] = view.timeline.map(({ at, kind, text }) => ({
    at,
    text: `${kind.replaceAll(/\W/g, ' ')}: ${cell(text)}`,
  }))
  const began = firstAlertAt(view)
  if (began !== null && began < view.openedAt) rows.push({ at: began, text: 'the first alert began' })
  const [named] = view.report?.causes ?? []
  if (named && named.onset !== null)
    rows.push({ at: named.onset, text: `onset of the named cause (${cell(sayCause(named))})` })
  for (const { ref } of named?.evidence ?? [])
    if (ref.kind === 'change')
      rows.push({ at: ref.at, text: `${ref.changeKind} of ${cell(ref.service)}: ${cell(ref.summary)}` })
  const shown = rows.sort((a, b) => a.at - b.at).slice(0, MOST_EVENTS)
  return [
    '| time | what happened |',
    '| --- | --- |',
    ...shown.map(({ at, text }) => `| ${utc(at)} | ${text} |`),
    ...(rows.length > shown.length ? [`| … | ${rows.length - shown.length} more events are not shown |`] : []),
  ]
}

function cause({ report, feedback }: IncidentView): readonly Block[] {
  const said = feedback === null ? [] : [[sayFeedback(feedback)]]
  const [named] = report?.causes ?? []
  if (!report || !named) {
    const why = report === null ? 'No report was written.' : 'The diagnosis named no cause.'
    return [[`${UNKNOWN} ${why}`], ...said]
  }
  const others = report.causes.slice(1, 4)
  return [
    [`${code(sayCause(named))}, with a confidence of ${named.confidence.toFixed(2)}${confirmed(feedback)}.`],
    ...said,
    named.evidence.length === 0
      ? ['What speaks for it: unknown.']
      : ['What speaks for it:', '', ...named.evidence.flatMap(claimLines)],
    named.against.length === 0 ? [] : ['What speaks against it:', '', ...named.against.flatMap(claimLines)],
    others.length === 0
      ? []
      : ['Also possible:', '', ...others.map((one) => `- ${code(sayCause(one))} (${one.confidence.toFixed(2)})`)],
    report.ruledOut.length === 0
      ? []
      : ['Ruled out:', '', ...report.ruledOut.map(({ service, reason }) => `- ${code(service)}: ${plain(reason)}`)],
    report.past === undefined || report.past.cases.length === 0
      ? []
      : ['Earlier incidents that looked alike:', '', ...report.past.cases.map((one) => `- ${plain(sayCase(one))}`)],
  ]
}

const confirmed = (feedback: IncidentView['feedback']): string =>
  feedback === null ? '; nobody confirmed it' : feedback.verdict === 'right' ? '; confirmed' : '; marked wrong'

function sayFeedback({ verdict, by, at, ...named }: NonNullable<IncidentView['feedback']>): string {
  const really = sayReally(named)
  return `${code(by)} said at ${utc(at)} that the diagnosis was ${verdict}${really === '' ? '' : `: it was ${code(really)}`}.`
}

const allApprovals = ({ approval, approvals }: IncidentView): readonly ApprovalView[] =>
  [...(approval === null ? [] : [approval]), ...approvals].sort((a, b) => a.requestedAt - b.requestedAt)

function done(view: IncidentView): Block {
  const approvals = allApprovals(view)
  if (approvals.length === 0) return ['Midwatch proposed nothing. What people did by themselves: unknown.']
  return [
    ...approvals.flatMap(({ action, requestedAt, state, decidedAt, decidedBy, reason, run }) => [
      `- ${code(action.title)}, risk ${action.risk} of 10, proposed at ${utc(requestedAt)}`,
      `  - Decision: ${state}${decidedAt === null ? '' : ` at ${utc(decidedAt)}`}${decidedBy === null ? '' : ` by ${code(decidedBy)}`}${reason === null ? '' : `: ${code(reason)}`}`,
      run === null
        ? '  - Not carried out.'
        : `  - Carried out: ${run.state}, begun at ${utc(run.startedAt)}${run.finishedAt === null ? '' : `, over at ${utc(run.finishedAt)}`}${run.detail === null ? '' : `: ${code(run.detail)}`}`,
      `  - Undo: ${code(action.undo)}`,
    ]),
    '- What people did by themselves: unknown.',
  ]
}

/** Events of looking again after an action; and how it ended. */
const VERIFYING = ['verified', 'closed']

function verified(view: IncidentView): Block {
  const told = view.timeline.filter(({ kind }) => VERIFYING.includes(kind))
  return told.length === 0 ? [UNKNOWN] : told.map(({ at, text }) => `- ${utc(at)}: ${code(text)}`)
}

const firstOf = ({ timeline }: IncidentView, kind: string): EventView | undefined =>
  timeline.find((event) => event.kind === kind)

function wentWell(view: IncidentView): Block {
  const diagnosed = firstOf(view, 'diagnosed')
  const fixed = allApprovals(view).filter(({ run }) => run?.state === 'done')
  const lines = [
    ...(view.alerts > 1 ? [`- ${view.alerts} alerts became one incident.`] : []),
    ...(diagnosed && view.report?.abstained === false && view.feedback?.verdict !== 'wrong'
      ? [`- A cause was named ${duration(diagnosed.at - view.openedAt)} after the incident was opened.`]
      : []),
    ...(view.outcome === 'fixed'
      ? fixed.map(({ action }) => `- ${code(action.title)} was carried out and verified.`)
      : []),
    ...(view.outcome === 'recovered' ? ['- It ended without an action of Midwatch.'] : []),
  ]
  return lines.length === 0 ? ['Nothing that the record shows.'] : lines
}

function open(view: IncidentView, report: Report | null): Block {
  const approvals = allApprovals(view)
  const lines = [
    ...(view.firing > 0 ? [`- ${view.firing} of its alerts still fire.`] : []),
    ...(report === null ? ['- It was not diagnosed.'] : []),
    ...(report?.abstained ? ['- The cause is not known.'] : []),
    ...(view.feedback?.verdict === 'wrong' ? ['- The diagnosis was wrong.'] : []),
    ...(report && !report.abstained && view.feedback === null
      ? ['- Nobody said whether the diagnosis was right.']
      : []),
    ...(report?.blind ?? []).map(({ source, reason }) => `- ${code(source)} could not be looked at: ${plain(reason)}`),
    ...(report && report.claimsRemoved > 0
      ? [`- ${report.claimsRemoved} claims did not hold when they were asked again, and were taken out.`]
      : []),
    ...approvals
      .filter(({ state }) => state === 'expired')
      .map(({ action }) => `- ${code(action.title)} was proposed, and nobody decided in time.`),
    ...approvals
      .filter(({ run }) => run?.state === 'uncertain' || run?.state === 'failed')
      .map(({ action, run }) => `- ${code(action.title)}: its outcome was ${run?.state}.`),
    ...(view.outcome === 'recovered' && report?.abstained === false
      ? ['- It is not known what ended it: it can come back.']
      : []),
  ]
  return lines.length === 0 ? ['Nothing that the record shows.'] : lines
}

function followUps(view: IncidentView, report: Report | null): Block {
  const lines = [
    ...(report && view.feedback === null
      ? ['- [ ] Say whether the diagnosis was right, on the page of the incident: it teaches the next one.']
      : []),
    ...(report?.missing ?? []).map((missing) => `- [ ] Find out: ${plain(missing)}`),
    ...(report?.blind ?? []).map(({ source }) => `- [ ] Make ${code(source)} readable again.`),
    ...(report?.past?.cases.length
      ? [`- [ ] It happened before: write a runbook (\`midwatch incidents runbook ${view.number}\` drafts one).`]
      : []),
    ...(view.outcome === 'fixed' && report?.causes[0]
      ? [`- [ ] Mend what caused it (${code(sayCause(report.causes[0]))}): what was done took the symptom away.`]
      : []),
  ]
  return lines.length === 0 ? ['None that follow from the record.'] : lines
}

/** When the earliest of its alerts began by its sender's word; null where there is none. Of the hundred that are shown. */
function firstAlertAt({ alertList }: IncidentView): number | null {
  const starts = alertList.map(({ startsAt }) => startsAt).filter((at) => at > 0)
  return starts.length === 0 ? null : Math.min(...starts)
}
