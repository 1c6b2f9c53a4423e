// What a news adds to the thread of its incident: the step in a sentence, with what belongs to it alone.
import { z } from 'zod'
import { timeOfDay } from '../../investigation/sentence.ts'
import { tellPlainly } from '../../told-text.ts'
import type { News } from '../channel.ts'
import type { ToldApproval, ToldIncident } from '../told-incident.ts'
import { describeProposal, line, listed, RUNS, severityWord, VERDICTS } from './incident-message.ts'
import { clip, sections, withinLimit } from './mrkdwn.ts'
import type { Post } from './post-once.ts'

const EVIDENCE_SHOWN = 20
const MAX_TEXT = 3000

/** What may stand in the details of a news. All of it is text that others may have written. */
const details = z.object({
  approvalId: z.string().optional().catch(undefined),
  state: z.string().optional().catch(undefined),
  by: z.string().optional().catch(undefined),
  result: z.string().optional().catch(undefined),
  detail: z.string().optional().catch(undefined),
  verdict: z.string().optional().catch(undefined),
  outcome: z.string().optional().catch(undefined),
  reason: z.string().optional().catch(undefined),
  /** Of an escalation: which step of how many, and who is told by it. */
  team: z.string().optional().catch(undefined),
  step: z.number().optional().catch(undefined),
  steps: z.number().optional().catch(undefined),
  told: z.array(z.string()).catch([]),
})
type Details = z.infer<typeof details>

type Told = Pick<News, 'kind' | 'at' | 'details' | 'incident'>

export function stepMessage(news: Told): Post {
  const lines = linesOf(news, details.parse(news.details))
  const [first = ''] = lines
  return {
    text: clip(first.replaceAll('*', ''), MAX_TEXT),
    blocks: withinLimit(sections([`${first}  _${timeOfDay(news.at)}_`, ...lines.slice(1)]), 0),
  }
}

function linesOf({ kind, incident }: Told, told: Details): string[] {
  const approval = incident.approval?.id === told.approvalId ? incident.approval : null
  switch (kind) {
    case 'opened': {
      const { alerts, title, severity } = incident
      return [
        `*Opened:* ${line(title)}`,
        `${severityWord(severity)}, ${alerts} ${alerts === 1 ? 'alert' : 'alerts'}. The cause is looked for.`,
      ]
    }
    case 'diagnosed': {
      return diagnosed(incident)
    }
    case 'proposed': {
      return approval ? describeProposal(approval) : ['*Proposed:* an action; see the page.']
    }
    case 'decided': {
      return [decided(approval, told)]
    }
    case 'acted': {
      const what = approval ? ` ${line(approval.title)}.` : ''
      const detail = told.result === 'done' || told.detail === undefined ? '' : ` ${outside(told.detail)}`
      return [`*Acted:* ${RUNS[told.result ?? ''] ?? ''}${what}${detail}`]
    }
    case 'verified': {
      return [`*Verified:* ${VERDICTS[told.verdict ?? ''] ?? 'it was looked at.'}`]
    }
    case 'escalated': {
      return [`*Escalated:* ${escalated(told)}`]
    }
    case 'acknowledged': {
      return [`*Acknowledged:* ${outside(told.by ?? 'Someone')} looks after it.`]
    }
    case 'closed': {
      if (incident.mergedInto !== null) return [`*Closed:* it is part of incident ${incident.mergedInto} now.`]
      const how = told.outcome === 'fixed' ? 'the action fixed it' : 'all alerts have ended without an action of ours'
      return [`*Closed:* ${how}.`]
    }
  }
}

function diagnosed({ sentence, cause, evidence, missing }: ToldIncident): string[] {
  const sure = cause ? ` Confidence ${cause.confidence.toFixed(2)}.` : ''
  return [
    `*Diagnosed:* ${line(sentence)}${sure}`,
    ...listed('Evidence', evidence, EVIDENCE_SHOWN),
    ...listed('What would settle it', missing, EVIDENCE_SHOWN),
  ]
}

function decided(approval: ToldApproval | null, { state, by }: Details): string {
  const who = outside(by ?? 'someone')
  const what = approval ? `: ${line(approval.title)}.` : '.'
  const reason = approval?.reason ? ` ${line(approval.reason)}` : ''
  switch (state) {
    case 'approved': {
      return `*Approved* by ${who}${what}`
    }
    case 'agreed': {
      return `*Approved* by ${who}${what} One more person has to.`
    }
    case 'refused': {
      return `*Refused* by ${who}${what}${reason}`
    }
    case 'expired': {
      return `*Expired*${what}${reason}`
    }
    case 'void':
    case undefined:
    default: {
      return `*Void*${what}${reason}`
    }
  }
}

function escalated({ reason, team, step, steps, told }: Details): string {
  if (reason !== undefined) return outside(reason)
  const which = step === undefined ? '' : `step ${step}${steps === undefined ? '' : ` of ${steps}`}`
  const whose = [team === undefined ? '' : outside(team), which].filter((part) => part !== '').join(', ')
  const who = told.length === 0 ? 'the next ones' : outside(told.join(', '))
  return `it goes to ${who}${whose === '' ? '' : ` (${whose})`}.`
}

const outside = (text: string): string => line(tellPlainly(text))
