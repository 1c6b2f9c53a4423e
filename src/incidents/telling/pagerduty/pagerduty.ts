// Pages through PagerDuty's Events API v2. The incident's id is the `dedup_key`, by which PagerDuty itself makes one alert of
// any number of the same events: nothing has to be looked for before it is told again.
// (developer.pagerduty.com/docs/events-api-v2/trigger-events)
import { z } from 'zod'
import { AppError } from '../../../core/errors.ts'
import type { Secret } from '../../../core/secret.ts'
import { normaliseSeverity } from '../../severity.ts'
import { type Channel, isAnswered, type News } from '../channel.ts'
import { titleOf } from '../ticket-words.ts'
import type { ToldIncident } from '../told-incident.ts'
import { connectVendorApi, refusalOf, type VendorAnswer } from '../vendor-api.ts'

export interface PagerdutyOptions {
  /** `https://events.pagerduty.com`, or `https://events.eu.pagerduty.com`. */
  readonly url: string
  /** Of an Events API v2 integration of a service. */
  readonly routingKey: Secret
  /** Others, by the name that a route calls them. */
  readonly routingKeys: Readonly<Record<string, Secret>>
  /** What pages: that it began, or that its cause was looked for. */
  readonly on: 'opened' | 'diagnosed'
  /** Whether a person's decision here stops the escalation there. */
  readonly acknowledge: boolean
  readonly timeoutMs?: number
  readonly fetch?: typeof fetch
}

type Action = 'trigger' | 'acknowledge' | 'resolve'

const DONE: Readonly<Record<Action, string>> = {
  trigger: 'paged',
  acknowledge: 'told that somebody looks after it',
  resolve: 'told that it is over',
}
/** PagerDuty takes 512 KB; all of ours is far below it. */
const MAX_ITEMS = 20
const MAX_SUMMARY = 1024
const MAX_DETAIL = 2000

const failure = z.object({ message: z.string().optional(), errors: z.array(z.string()).optional() })

export function createPagerduty(options: PagerdutyOptions): Channel {
  const { routingKey, routingKeys, timeoutMs, fetch } = options
  const api = connectVendorApi({
    kind: 'PagerDuty',
    url: options.url,
    secrets: [routingKey, ...Object.values(routingKeys)],
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(fetch === undefined ? {} : { fetch }),
  })
  const refused = (answer: VendorAnswer): AppError => {
    const { message, errors = [] } = failure.catch({}).parse(answer.json)
    return refusalOf(api, answer, {
      said: [message ?? answer.text, ...errors].join(' '),
      advice: {
        400: 'it does not take the event; check that the routing key in agent.notify.pagerduty is that of an Events API v2 integration',
        401: 'the routing key in agent.notify.pagerduty is not accepted',
        403: 'the routing key in agent.notify.pagerduty is not accepted',
        404: 'there is no Events API at this address; agent.notify.pagerduty.url is https://events.pagerduty.com, or https://events.eu.pagerduty.com',
      },
    })
  }
  const send = async (body: object, signal: AbortSignal): Promise<void> => {
    const answer = await api.call({ method: 'POST', path: '/v2/enqueue', body }, signal)
    if (answer.status !== 202) throw refused(answer)
  }
  return {
    name: 'pagerduty',
    // Nothing else of this API says whether it takes a key; what acknowledges an alert that never was does nothing.
    examine: async (signal) => {
      for (const key of [routingKey, ...Object.values(routingKeys)])
        await send({ routing_key: key.reveal(), event_action: 'acknowledge', dedup_key: 'midwatch-doctor' }, signal)
      return `${api.name} takes ${['the routing key', ...Object.keys(routingKeys)].join(', ')}`
    },
    wants: new Set(['opened', 'diagnosed', 'decided', 'escalated', 'acknowledged', 'closed']),
    async tell(news, signal) {
      const { incident, to } = news
      const action = actionOf(news, options)
      if (!action) return undefined
      const key = to === null ? routingKey : Object.hasOwn(routingKeys, to) ? routingKeys[to] : undefined
      if (!key)
        throw new AppError(
          'malformed',
          `PagerDuty has no routing key of that name: add it to agent.notify.pagerduty.routingKeys.`,
        )
      const body = {
        routing_key: key.reveal(),
        event_action: action,
        dedup_key: incident.id,
        ...(action === 'trigger' ? eventOf(incident) : {}),
      }
      await send(body, signal)
      // Whoever answered before PagerDuty heard of it answers there too; else it goes on to wake the next ones.
      if (action === 'trigger' && news.kind !== 'escalated' && incident.isAcknowledged && options.acknowledge)
        await send({ routing_key: key.reveal(), event_action: 'acknowledge', dedup_key: incident.id }, signal)
      await news.leave({ reference: incident.id, title: to === null ? 'PagerDuty' : `PagerDuty ${to}`, url: null })
      return `PagerDuty${to === null ? '' : ` (${to})`} was ${DONE[action]}.`
    },
  }
}

/**
 * By how the incident stands now: news from before its end, told late, pages nobody, nor does a step of an escalation that
 * somebody answered; an answer from before it opened again does not answer for what began then. It pages once for each beginning and each
 * escalation, for whoever resolved it there meanwhile would be woken by anything more. An end is always told: the answer to a
 * page may have been lost.
 */
function actionOf(news: News, { on, acknowledge }: PagerdutyOptions): Action | undefined {
  const { kind, step, at, details, incident, trace } = news
  if (incident.state === 'closed') return kind === 'closed' ? 'resolve' : undefined
  if (isAnswered(news)) return undefined
  const isAgain = kind === 'opened' && step !== 'opened' && trace !== undefined
  const isFirst = kind === on && (on === 'opened' || trace === undefined)
  if (isAgain || isFirst || kind === 'escalated') return 'trigger'
  if (!acknowledge || trace === undefined || at < incident.begunAt) return undefined
  if (kind === 'acknowledged') return 'acknowledge'
  if (kind !== 'decided') return undefined
  const { by, state } = details
  const isPerson = typeof by === 'string' && by !== 'agent'
  return isPerson && (state === 'approved' || state === 'refused') ? 'acknowledge' : undefined
}

function eventOf(incident: ToldIncident) {
  const { sentence, severity, service, cause, evidence, missing, effect, past, url, number } = incident
  const clip = (text: string): string => text.slice(0, MAX_DETAIL).toWellFormed()
  return {
    client: 'Midwatch',
    client_url: url,
    links: [{ href: url, text: `Incident ${number} in Midwatch` }],
    payload: {
      summary: titleOf({ ...incident, title: sentence === '' ? incident.title : sentence }, MAX_SUMMARY),
      source: clip(service ?? 'unknown'),
      severity: normaliseSeverity(severity),
      timestamp: new Date(incident.openedAt).toISOString(),
      ...(service === null ? {} : { component: clip(service) }),
      ...(cause ? { class: cause.kind } : {}),
      custom_details: {
        title: clip(incident.title),
        alerts: incident.alerts,
        firing: incident.firing,
        ...(cause ? { cause: `${cause.kind} in ${cause.service}`, confidence: cause.confidence } : {}),
        ...(effect === null ? {} : { effect: clip(effect) }),
        ...(evidence.length === 0 ? {} : { evidence: evidence.slice(0, MAX_ITEMS).map(clip) }),
        ...(missing.length === 0 ? {} : { missing: missing.slice(0, MAX_ITEMS).map(clip) }),
        ...(past === null ? {} : { past: clip(past) }),
      },
    },
  }
}
