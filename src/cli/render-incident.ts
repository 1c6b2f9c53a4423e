// The same sentence and the same order as on the page, in 80 columns. Colour only on a terminal, never with NO_COLOR.
import { styleText } from 'node:util'
import type { Evidence } from '../diagnosis/evidence.ts'
import type { Past } from '../incidents/memory/past.ts'
import { sayCase, sayNudges } from '../incidents/memory/say-past.ts'
import type { Report } from '../incidents/report.ts'
import type {
  ApprovalView,
  ContextView,
  DryRunView,
  IncidentList,
  IncidentSummary,
  IncidentView,
  ListedAlert,
} from '../incidents/view.ts'
import { sayStopped } from './acting.ts'
import { renderDeliberation } from './render-report.ts'
import { renderRouting } from './render-routing.ts'

const WIDTH = 80

type Runbook = NonNullable<Report['runbooks']>[number]

export function renderList({ incidents, waiting, muted, notUnderstood, stopped }: IncidentList): string {
  const lines = incidents.map((incident) => {
    const head = `${String(incident.number).padStart(4)}  ${severityMark(incident)}  ${stateWord(incident)}  since ${clockTime(incident.openedAt)}  ${counted(incident.alerts, 'alert')}`
    return `${head}\n${wrap(incident.sentence, 6)}`
  })
  if (lines.length === 0) lines.push('Nothing is open.')
  if (waiting > 0) lines.push(`${counted(waiting, 'alert')} still to be folded.`)
  if (muted > 0) lines.push(`${counted(muted, 'firing alert')} held back; see midwatch silences.`)
  if (notUnderstood > 0)
    lines.push(
      `${counted(notUnderstood, 'alert')} could not be read today: midwatch incidents alerts --decision not_understood`,
    )
  const halted = sayStopped({ stopped })
  return [...(halted === undefined ? [] : [colour('red', halted)]), ...lines].join('\n')
}

/** Alerts with what was decided on each, the latest first. */
export function renderAlerts(alerts: readonly ListedAlert[]): string {
  if (alerts.length === 0) return 'There are none.'
  return alerts
    .map(({ receivedAt, source, severity, status, name, service, decision, reason, id }) => {
      const where = service === null ? '' : ` of ${service}`
      const head = `${clockTime(receivedAt)}  ${source}  ${severity}  ${status}  ${name}${where}`
      return `${head}\n${wrap(`${(decision ?? 'waiting').replaceAll('_', ' ')}${reason === null ? '' : `: ${reason}`} (${id})`, 6)}`
    })
    .join('\n')
}

export function renderIncident(view: IncidentView): string {
  const { report, approval } = view
  const cause = report?.causes[0]
  const halted = sayStopped(view)
  const blocks = [
    ...(halted === undefined ? [] : [colour('red', halted)]),
    `${severityMark(view)} incident ${view.number}  ${stateWord(view)}  since ${clockTime(view.openedAt)}  ${counted(view.alerts, 'alert')}, ${view.firing} firing`,
    wrap(bold(view.sentence), 0),
  ]
  for (const { title, url } of view.told ?? []) blocks.push(`Told: ${title}${url === null ? '' : `  ${url}`}`)
  for (const { name, service, times, sinceMs } of view.flapping)
    blocks.push(`${name}${service === null ? '' : ` of ${service}`} flaps: ${times} times since ${clockTime(sinceMs)}`)
  if (cause) {
    blocks.push(
      `Confidence ${cause.confidence.toFixed(2)}\n${[...cause.evidence.map(evidenceLine), ...cause.against.map((e) => `against: ${evidenceLine(e)}`)].join('\n')}`,
    )
  }
  blocks.push(...pastBlocks(report?.past), ...(report?.runbooks ?? []).map(runbookBlock))
  blocks.push(...(view.context ?? []).map(contextBlock))
  for (const next of report?.causes.slice(1, 3) ?? [])
    blocks.push(`Also possible: ${next.service}, ${next.kind.replaceAll('_', ' ')} (${next.confidence.toFixed(2)})`)
  if (report?.abstained)
    blocks.push(`The cause is not known. What would settle it:\n${report.missing.map((m) => `  - ${m}`).join('\n')}`)
  for (const { source, reason } of report?.blind ?? []) blocks.push(`Not seen: ${source} (${reason})`)
  if (view.routing) blocks.push(renderRouting(view.routing))
  if (report?.deliberation) blocks.push(renderDeliberation(report.deliberation))
  if (approval) {
    const { action } = approval
    blocks.push(
      [
        `${bold(action.title)}   [${approval.state}]`,
        `  Expected  ${action.expected}`,
        `  Undo      ${action.undo}`,
        `  Touches   ${action.touches}.  Risk ${action.risk} of 10 (${action.riskReasons.join(', ')})`,
        ...(action.callers === undefined || action.callers.length === 0
          ? []
          : [`  Callers   ${action.callers.join(', ')}`]),
        ...peopleLine(approval),
        `  If not    ${action.ifNothing}`,
        ...(approval.state === 'pending'
          ? [
              `  npx midwatch incidents approve ${view.number}${approval.confirm ? ' --yes' : ''}     or: refuse ${view.number}`,
            ]
          : []),
      ].join('\n'),
    )
  }
  blocks.push(view.timeline.map((event) => `${clockTime(event.at)}  ${wrap(event.text, 10).trimStart()}`).join('\n'))
  return blocks.join('\n\n')
}

function peopleLine({ people, requestedBy, state }: ApprovalView): string[] {
  const asked =
    requestedBy === undefined || requestedBy === null ? [] : [`  Asked by  ${requestedBy}, who cannot approve it`]
  if (!people || people.needed < 2 || state !== 'pending') return asked
  const agreed = people.agreed.length === 0 ? 'nobody has yet' : `${people.agreed.join(', ')} has`
  return [...asked, `  Needs     two people; ${agreed}`]
}

/** What would run, what it presumes, what stands in its way, and what a trial answered. */
export function renderDryRun(title: string, { would, preconditions, inTheWay, trial }: DryRunView): string {
  const lines =
    would.kind === 'command'
      ? [`  ${would.argv.map((word) => JSON.stringify(word)).join(' ')}`]
      : [
          `  ${would.method} ${would.url}`,
          ...Object.entries(would.headers).map(([name, value]) => `  ${name}: ${value}`),
          ...(Object.keys(would.body).length === 0 ? [] : [`  ${JSON.stringify(would.body)}`]),
        ]
  const checks = preconditions.map(
    ({ says, holds, seen }) => `  ${holds ? 'holds' : 'DOES NOT HOLD'}: ${says} (${seen})`,
  )
  return [
    bold(`${title}. Nothing was run. This would be:`),
    ...lines,
    ...(checks.length === 0 ? [] : ['Preconditions:', ...checks]),
    inTheWay === null ? 'Nothing stands in its way now.' : `It would not be carried out now: ${inTheWay}`,
    trial === null ? 'The catalogue has no trial for it.' : `The catalogue’s trial: ${trial.kind} (${trial.detail})`,
  ].join('\n')
}

const evidenceLine = (evidence: Evidence): string => wrap(`- ${evidence.claim}`, 2)

function pastBlocks(past: Past | undefined): string[] {
  if (past === undefined) return []
  const cases = past.cases.map((one) => `  - ${sayCase(one)}`)
  const nudges = sayNudges(past).map((nudge) => wrap(`Moved by it: ${nudge}.`, 2))
  return [[`Earlier incidents. ${past.sentence}`, ...cases.map((line) => wrap(line.trim(), 2)), ...nudges].join('\n')]
}

/** A quote of what somebody wrote: set apart, and named as what it is. */
function runbookBlock({ document, headings, quote, start, end, suspicious }: Runbook): string {
  const where = [document, ...headings].join(' › ')
  const doubt = suspicious ? '\n  It has text that speaks to a machine. Nothing obeys it; read it with care.' : ''
  const quoted = quote.split('\n').map((line) => `  | ${line}`)
  return `Runbook ${where} (${start}–${end})${doubt}\n${quoted.join('\n')}`
}

/** What another system answered: set apart, and no evidence. */
function contextBlock({ source, tool, arguments: input, text, truncated, failure, suspicious }: ContextView): string {
  const asked = Object.entries(input).map(([name, value]) => `${name} ${value}`)
  const head = `Asked ${source}: ${[tool, ...asked].join(', ')}`
  if (failure !== null && text === '') return `${head}\n  No answer: ${failure}`
  const quoted = text.split('\n').map((line) => `  | ${line}`)
  return [
    head,
    ...(failure === null ? [] : [`  ${failure}`]),
    ...(suspicious ? ['  It has text that speaks to a machine. Nothing obeys it; read it with care.'] : []),
    ...quoted.slice(0, 20),
    ...(truncated || quoted.length > 20 ? ['  | …'] : []),
  ].join('\n')
}

function severityMark({ severity }: IncidentSummary): string {
  if (severity === 'critical') return colour('red', '■ critical')
  if (severity === 'error') return colour('red', '▲ error')
  return severity === 'warning' ? colour('yellow', '● warning') : `○ ${severity}`
}

const stateWord = (incident: IncidentSummary): string => (incident.outcome ?? incident.state).replaceAll('_', ' ')

const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`

const clockTime = (ms: number): string => new Date(ms).toLocaleTimeString(undefined, { hour12: false })

const bold = (text: string): string => style('bold', text)
const colour = (name: 'red' | 'yellow', text: string): string => style(name, text)
const style = (format: 'bold' | 'red' | 'yellow', text: string): string =>
  styleText(format, text, { stream: process.stdout })

/** Words wrapped to 80 columns; every line after the first is indented too. */
function wrap(text: string, indent: number): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((part) => ' '.repeat(indent) + part).join('\n')
}
