// What people are told who are not engineers, whatever the channel: what they notice, since when, what is being done and
// when they hear again. Built from words of ours alone: no evidence, no cause, no version, no person, and of services only
// the names that the config gives for them. Nothing that came from outside is in it.
import type { NewsKind } from './news.ts'
import type { ToldIncident } from './told-incident.ts'
import { capital, duration } from '../investigation/sentence.ts'

export interface StatusUpdate {
  /** "The shop: some requests fail, about 31 in 100." */
  readonly headline: string
  /** What is being done now. */
  readonly doing: string
  /** Since when, or from when to when. */
  readonly since: string
  /** When they hear again; null when it is over. */
  readonly next: string | null
  /** Whether it is known what people notice. */
  readonly isKnown: boolean
}

type Told = Pick<
  ToldIncident,
  'number' | 'state' | 'service' | 'effect' | 'openedAt' | 'closedAt' | 'mergedInto' | 'approval'
>

const NOT_KNOWN = 'What exactly is affected is not known yet.'

/** The news after which there is something new to say to them. */
export const STATUS_NEWS: ReadonlySet<NewsKind> = new Set(['opened', 'diagnosed', 'acted', 'verified', 'closed'])

/** As it stands now. `names`: what people call a service. */
export function statusUpdateOf(told: Told, names: Readonly<Record<string, string>>): StatusUpdate {
  const { state, openedAt, closedAt } = told
  const headline = `${capital(nameOf(told, names))}: ${noticedOf(told)}`
  if (told.mergedInto !== null) {
    return {
      headline: `${capital(nameOf(told, names))}: it is part of another problem.`,
      doing: 'The people on call look after both together. What follows is told there.',
      since: `Since ${minuteOf(openedAt)}.`,
      next: null,
      isKnown: true,
    }
  }
  if (state === 'closed') {
    const over = closedAt ?? openedAt
    return {
      headline: `${capital(nameOf(told, names))}: it works again.`,
      doing: 'The problem is over. Nothing has to be done any more.',
      since: `From ${minuteOf(openedAt)} to ${minuteOf(over)}, ${duration(over - openedAt)}.`,
      next: null,
      isKnown: true,
    }
  }
  return { isKnown: !headline.endsWith(NOT_KNOWN), headline, since: `Since ${minuteOf(openedAt)}.`, ...workOf(told) }
}

/** The same as running text, for channels without a form of their own. */
export const sayStatus = ({ headline, doing, since, next }: StatusUpdate): string =>
  [headline, since, doing, next].filter((part) => part !== null).join('\n')

function workOf({ state, effect, approval }: Told): Pick<StatusUpdate, 'doing' | 'next'> {
  switch (state) {
    case 'open':
    case 'investigating': {
      const doing = 'The people on call know of it, and the reason is being looked for.'
      return {
        doing,
        next: `The next update comes when ${effect === null ? 'it is known what is affected' : 'the reason is known'}.`,
      }
    }
    case 'awaiting_approval': {
      return {
        doing: 'A fix is ready and is being decided on.',
        next: 'The next update comes when the fix is in place.',
      }
    }
    case 'acting': {
      return { doing: 'A fix is being put in place.', next: 'The next update comes when it is in place.' }
    }
    case 'verifying': {
      return {
        doing: 'A fix is in place. It is being checked whether it helps.',
        next: 'The next update comes with the result.',
      }
    }
    case 'watching': {
      const tried = approval?.run?.state === 'done'
      const doing = tried ? 'A first fix did not end it yet. People are working on it.' : 'People are working on it.'
      return { doing, next: 'The next update comes when it works again.' }
    }
    case 'closed': {
      return { doing: 'The problem is over.', next: null }
    }
  }
}

const nameOf = ({ service }: Told, names: Readonly<Record<string, string>>): string =>
  (service !== null && Object.hasOwn(names, service) ? names[service] : undefined) ?? 'one of our services'

/** By the three ways in which a diagnosis says what is felt; of a number only what needs no explanation. */
function noticedOf({ effect }: Told): string {
  const share = /^.* fails for (\d{1,3})(?:[.,]\d+)? ?% of requests$/.exec(effect ?? '')?.[1]
  if (share !== undefined) {
    const percent = Math.min(100, Number(share))
    if (percent >= 90) return 'it does not work at the moment.'
    return percent < 1 ? 'a few requests fail.' : `some requests fail, about ${percent} in 100. Trying again can help.`
  }
  if (/ fails for .* of requests$/.test(effect ?? '')) return 'some requests fail. Trying again can help.'
  if (/ succeeds less often: /.test(effect ?? '')) return 'it fails more often than usual. Trying again can help.'
  if (/ answers in .* instead of /.test(effect ?? '')) return 'it is slower than usual.'
  return `it may not work as usual. ${NOT_KNOWN}`
}

const minuteOf = (ms: number): string => `${new Date(ms).toISOString().slice(11, 16)} UTC`
