// What a ticket or a mail says, before it is put into anybody's markup: plain parts that each writes in its own way. All text
// is told plainly already, or is made so here; the one address in it is our own page's.
import { utcMinute } from '../../core/wall-clock.ts'
import { tellPlainly } from '../told-text.ts'
import type { News } from './channel.ts'
import type { ToldApproval, ToldIncident } from './told-incident.ts'

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly title: string; readonly items: readonly string[] }
  | { readonly kind: 'link'; readonly text: string; readonly url: string }

const MOST_ITEMS = 12
const MAX_ITEM = 500
const MAX_TEXT = 2000

/** All that is known of the incident now. `step` tells one news's link from another's. */
export function sayIncident(incident: ToldIncident, step: string): readonly Part[] {
  const { sentence, effect, evidence, missing, past, cause, service, approval } = incident
  return [
    text(sentence),
    ...(effect && !sentence.toLowerCase().includes(effect.toLowerCase()) ? [text(`Effect: ${effect}.`)] : []),
    list('Facts', [
      `Severity: ${incident.severity}`,
      ...(service === null ? [] : [`Service: ${service}`]),
      `Since: ${utcMinute(incident.openedAt)}`,
      `Alerts: ${incident.alerts}, of which ${incident.firing} are firing`,
      ...(cause
        ? [`Cause: ${cause.kind.replaceAll('_', ' ')} in ${cause.service}, confidence ${cause.confidence.toFixed(2)}`]
        : []),
    ]),
    ...lists(evidence, missing),
    ...(past === null ? [] : [text(past)]),
    ...(approval?.state === 'pending' ? sayProposal(approval) : []),
    link(incident, step),
  ]
}

/** What is new; undefined where the news adds nothing to what was said. */
export function sayNews({ kind, step, details, incident }: News): readonly Part[] | undefined {
  const said = ((): readonly Part[] | undefined => {
    const { approval, sentence } = incident
    const about = approval !== null && approval.id === details['approvalId'] ? approval : undefined
    switch (kind) {
      case 'opened':
        return step === 'opened' ? undefined : [text('It has begun again.'), text(sentence)]
      case 'diagnosed':
        return [text(sentence), ...lists(incident.evidence, incident.missing)]
      case 'proposed':
        return about && sayProposal(about)
      case 'decided':
        return about && sayDecision(about, details)
      case 'acted':
        return (
          about && [text(`${about.title}: ${RESULTS[word(details['result'])] ?? 'carried out'}.`), ...detailOf(about)]
        )
      case 'verified':
        return about && [text(`Looked at again: ${VERDICTS[word(details['verdict'])] ?? 'the symptom was checked'}.`)]
      case 'escalated':
        return [text('Nobody looks after it yet: whoever is on call is asked to.'), text(sentence)]
      case 'acknowledged':
        return [text('Somebody looks after it.')]
      case 'closed':
        return [text(sayClosed(incident)), text(sentence)]
    }
  })()
  return said && [...said, link(incident, step)]
}

export const sayClosed = ({ outcome, openedAt, closedAt, mergedInto }: ToldIncident): string => {
  if (mergedInto !== null) return `It is part of incident ${mergedInto} now, where it goes on.`
  const how = outcome === 'fixed' ? 'It is fixed' : outcome === 'recovered' ? 'It recovered' : 'It is closed'
  return closedAt === null ? `${how}.` : `${how}, ${minutes(closedAt - openedAt)} after it began.`
}

/** The parts that fit into `most` characters as they are written there; the link always does. */
export function fitParts(parts: readonly Part[], sizeOf: (part: Part) => number, most: number): readonly Part[] {
  let left = most - parts.reduce((sum, part) => sum + (part.kind === 'link' ? sizeOf(part) : 0), 0)
  return parts.filter((part) => part.kind === 'link' || (left -= sizeOf(part) + 2) >= 0)
}

/** One line, as a subject or a summary needs it. */
export const titleOf = ({ title }: ToldIncident, maxLength: number): string => {
  const flat = title.replaceAll(/\s+/g, ' ').trim()
  return clip(flat === '' ? 'Incident' : flat, maxLength)
}

const sayProposal = (approval: ToldApproval): readonly Part[] => [
  text(`Proposed: ${approval.title}. Risk ${approval.risk} of 10 (${approval.riskReasons.join('; ')}).`),
  list('What it means', [
    `Expected: ${approval.expected}`,
    `Undo: ${approval.undo}`,
    `Touches: ${approval.touches}`,
    ...(approval.state === 'pending'
      ? [
          `Waits for ${approval.needed === 1 ? 'a decision' : `${approval.needed} people`} until ${utcMinute(approval.expiresAt)}`,
        ]
      : []),
  ]),
]

/** What nobody decided needs no words: it expired, or the world changed before it. */
function sayDecision(
  { title, reason }: ToldApproval,
  { state, by }: Readonly<Record<string, unknown>>,
): readonly Part[] | undefined {
  if (state !== 'approved' && state !== 'refused') return undefined
  const who = typeof by === 'string' && by !== 'agent' ? tellPlainly(by) : 'the policy'
  return [
    text(`${state === 'approved' ? 'Approved' : 'Refused'} by ${who}: ${title}.${reason ? ` Reason: ${reason}` : ''}`),
  ]
}

const RESULTS: Readonly<Record<string, string>> = {
  done: 'carried out',
  failed: 'it failed, and nothing was changed',
  uncertain: 'nobody knows yet whether it was carried out',
}
const VERDICTS: Readonly<Record<string, string>> = {
  fixed: 'it is fixed',
  numbers_back: 'the numbers are back to normal',
  not_fixed: 'it is not fixed',
  worse: 'it got worse',
}

const word = (value: unknown): string => (typeof value === 'string' ? value : '')
const detailOf = ({ run }: ToldApproval): readonly Part[] => (run?.detail ? [text(run.detail)] : [])
const text = (said: string): Part => ({ kind: 'text', text: clip(said, MAX_TEXT) })
const list = (title: string, items: readonly string[]): Part => ({
  kind: 'list',
  title,
  items: items.slice(0, MOST_ITEMS).map((item) => clip(item, MAX_ITEM)),
})
const clip = (given: string, most: number): string =>
  given.length <= most ? given : `${given.slice(0, most - 1).toWellFormed()}…`
const lists = (evidence: readonly string[], missing: readonly string[]): readonly Part[] => [
  ...(evidence.length > 0 ? [list('What speaks for it', evidence)] : []),
  ...(missing.length > 0 ? [list('What would settle it', missing)] : []),
]
const link = ({ number, url }: ToldIncident, step: string): Part => ({
  kind: 'link',
  text: `Incident ${number} in Midwatch`,
  url: `${url}#${step}`,
})

const minutes = (ms: number): string => {
  const n = Math.max(1, Math.round(ms / 60_000))
  return n < 120 ? `${n} minute${n === 1 ? '' : 's'}` : `${Math.round(n / 60)} hours`
}
