// The one message of an incident, as it stands now: the sentence first, how bad it is as a word and a colour, the
// evidence, the proposal with its buttons, and the way to the page.
import { timeOfDay } from '../../investigation/sentence.ts'
import type { ToldApproval, ToldIncident } from '../told-incident.ts'
import { approvalButtons, incidentButtons } from './buttons.ts'
import { type Block, clip, context, escape, link, sections, withinLimit } from './mrkdwn.ts'
import type { Post } from './post-once.ts'

const EVIDENCE_SHOWN = 5
const MISSING_SHOWN = 3
const MAX_LINE = 600
/** Slack cuts the text of a notification long before. */
const MAX_TEXT = 3000

const COLOURS: Readonly<Record<string, string>> = {
  critical: ':red_circle: Critical',
  error: ':large_orange_circle: Error',
  warning: ':large_yellow_circle: Warning',
  info: ':large_blue_circle: Info',
}

const STATES: Readonly<Record<ToldIncident['state'], string>> = {
  open: 'collecting alerts',
  investigating: 'looking for the cause',
  awaiting_approval: 'waiting for approval',
  acting: 'acting',
  verifying: 'checking whether it helped',
  watching: 'watching',
  closed: 'closed',
}

/** `withButtons`: whether an answer would reach us. */
export function incidentMessage(incident: ToldIncident, { withButtons }: { readonly withButtons: boolean }): Post {
  const { approval, sentence, evidence, missing, past } = incident
  const text: string[] = [`*${line(sentence)}*`]
  const details = [
    ...listed('Evidence', evidence, EVIDENCE_SHOWN),
    ...(incident.cause === null || incident.cause.confidence < 0.8
      ? listed(
          'What would settle it',
          missing.filter((one) => !sentence.includes(one)),
          MISSING_SHOWN,
        )
      : []),
    past === null ? '' : `*Seen before:* ${line(past)}`,
  ]
  const buttons = withButtons ? incidentButtons(incident) : undefined
  const last: Block[] = [...(buttons ? [buttons] : []), context(link(incident.url, `Open incident ${incident.number}`))]
  const proposed: Block[] = approval ? proposal(incident, approval, withButtons) : []
  return {
    text: clip(`${severityWord(incident.severity)}, incident ${incident.number}: ${escape(sentence)}`, MAX_TEXT),
    blocks: withinLimit(
      [...sections(text), context(headline(incident)), ...sections(details), ...proposed, ...last],
      proposed.length + last.length,
    ),
  }
}

function headline({
  severity,
  number,
  state,
  outcome,
  mergedInto,
  service,
  openedAt,
  closedAt,
  alerts,
  firing,
}: ToldIncident): string {
  // The dots are the only colour that a message has; what is closed needs none.
  const colour = (state === 'closed' ? undefined : COLOURS[severity]) ?? severityWord(severity)
  const parts = [
    `${colour} · incident ${number}`,
    service === null ? '' : escape(service),
    mergedInto !== null
      ? `closed: part of incident ${mergedInto} now`
      : state === 'closed' && outcome !== null
        ? `closed: ${outcome === 'fixed' ? 'fixed' : 'recovered by itself'}`
        : STATES[state],
    `${firing} of ${alerts} ${alerts === 1 ? 'alert fires' : 'alerts fire'}`,
    closedAt === null ? `since ${timeOfDay(openedAt)}` : `${timeOfDay(openedAt)} to ${timeOfDay(closedAt)}`,
  ]
  return parts.filter((part) => part !== '').join(' · ')
}

export function severityWord(severity: string): string {
  const word = escape(severity)
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}

export const line = (text: string): string => clip(escape(text), MAX_LINE)

export function listed(title: string, entries: readonly string[], shown: number): string[] {
  if (entries.length === 0) return []
  const more = entries.length > shown ? [`… and ${entries.length - shown} more on the page`] : []
  return [`*${title}:*`, ...entries.slice(0, shown).map((entry) => `• ${line(entry)}`), ...more]
}

function proposal(incident: ToldIncident, approval: ToldApproval, withButtons: boolean): Block[] {
  const waits = approval.state === 'pending' && incident.state !== 'closed'
  const blocks: Block[] = [{ type: 'divider' }, ...sections([...describeProposal(approval), becameOf(approval)])]
  return waits && withButtons ? [...blocks, approvalButtons(incident, approval)] : blocks
}

export function describeProposal(approval: ToldApproval): string[] {
  const reasons = approval.riskReasons.length === 0 ? '' : ` (${line(approval.riskReasons.join('; '))})`
  return [
    `*Proposed: ${line(approval.title)}*`,
    `Risk ${approval.risk} of 10${reasons}.`,
    `Expected: ${line(approval.expected)}`,
    `Touches: ${line(approval.touches)}`,
    `To take it back: ${line(approval.undo)}`,
  ]
}

function becameOf({ state, decidedBy, reason, expiresAt, needed, agreed, run }: ToldApproval): string {
  const why = reason === null || reason === '' ? '' : ` ${line(reason)}`
  switch (state) {
    case 'pending': {
      const people =
        needed > 1 ? ` ${needed} people have to approve it${agreed.length > 0 ? `; ${names(agreed)} did` : ''}.` : ''
      return `Waits until ${timeOfDay(expiresAt)}.${people}`
    }
    case 'approved': {
      const by = `Approved by ${line(decidedBy ?? 'someone')}.`
      return run === null ? by : `${by} ${RUNS[run.state] ?? ''} ${VERDICTS[run.verdict ?? ''] ?? ''}`.trim()
    }
    case 'refused': {
      return `Refused by ${line(decidedBy ?? 'someone')}.${why}`
    }
    case 'expired': {
      return `Expired.${why}`
    }
    case 'void': {
      return `Void.${why}`
    }
  }
}

const names = (people: readonly string[]): string => line(people.join(' and '))

export const RUNS: Readonly<Record<string, string>> = {
  intended: 'It is being carried out.',
  done: 'It was carried out.',
  failed: 'It could not be carried out.',
  uncertain: 'It is not certain whether it was carried out.',
}

export const VERDICTS: Readonly<Record<string, string>> = {
  fixed: 'It helped.',
  numbers_back: 'The numbers are back.',
  not_fixed: 'It did not help.',
  worse: 'It made things worse.',
}
