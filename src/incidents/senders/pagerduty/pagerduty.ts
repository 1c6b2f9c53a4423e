// PagerDuty's webhooks: version 3 (`event`), and versions 1 and 2 (`messages`, some of them of several incidents). One
// incident of PagerDuty is one life; its number identifies it, and its title and service are what it is known by again.
// https://developer.pagerduty.com/docs/webhooks-overview
import { z } from 'zod'
import { completeAlert, type IncomingAlert, notice, notUnderstood } from '../../incoming-alert.ts'
import { anything, isObject, opened, part, text, time } from '../loose.ts'
import type { JsonObject, Reading, Sender } from '../sender.ts'
import { wordIn } from '../words.ts'
import { findSeverity } from '../../severity.ts'

export const pagerduty: Sender = {
  name: 'pagerduty',
  title: 'PagerDuty',
  recognises: (body, headers) =>
    headers['x-pagerduty-signature'] !== undefined ||
    (isObject(body['event']) && typeof body['event']['event_type'] === 'string') ||
    (Array.isArray(body['messages']) &&
      body['messages'].some((one) => isObject(one) && ('incident' in one || 'data' in one))) ||
    isIncident(body),
  read: (body, { nowMs }) => ({ alerts: readBody(body, nowMs) }),
}

/** The incident alone, as its API gives it. Many a sender calls what it sends an incident. */
const isIncident = (body: JsonObject): boolean =>
  ('incident_number' in body && 'service' in body) ||
  (body['type'] === 'incident' && ('incident_number' in body || 'incident_key' in body || 'escalation_policy' in body))

function readBody(body: JsonObject, nowMs: number): Reading['alerts'] {
  const messages = opened(body['messages'])
  if (Array.isArray(messages) && messages.length > 0)
    return messages.map((message, i) => readMessage(message, i, nowMs))
  const event = opened(body['event'])
  if (isObject(event)) return [readEvent(event, nowMs)]
  if (isIncident(body) || body['type'] === 'incident') return [readIncident(body, {}, nowMs)]
  const reason = 'it has neither "event" (webhooks of version 3) nor "messages" (versions 1 and 2)'
  return [notUnderstood('PagerDuty', reason, body, nowMs)]
}

interface Told {
  /** `incident.resolved`. */
  readonly type?: string | undefined
  readonly atMs?: number | undefined
}

const envelope = z.object({ id: text, event_type: text, resource_type: text, occurred_at: time, data: anything })

function readEvent(given: JsonObject, nowMs: number): IncomingAlert {
  const event = envelope.parse(given)
  const type = event.event_type
  if (type === undefined) return notUnderstood('PagerDuty', 'event.event_type is missing', given, nowMs)
  const data = opened(event.data)
  if (!type.startsWith('incident.')) return notice(type, `${type} is no event of an incident`, given, nowMs)
  if (!isObject(data)) return notUnderstood('PagerDuty', 'event.data is not the object of an incident', given, nowMs)
  // A note or an update of the status page carries the incident only by reference, and says nothing of how it stands.
  if (typeof data['type'] === 'string' && !/^incident(?:_reference)?$/.test(data['type']))
    return notice(type, `${type} tells nothing of the state of an incident`, given, nowMs)
  return readIncident(data, { type, atMs: event.occurred_at }, nowMs)
}

const message = z.object({
  type: text,
  event: text,
  created_on: time,
  incident: anything,
  data: part({ incident: anything }),
})

function readMessage(given: unknown, index: number, nowMs: number): IncomingAlert {
  const said = message.parse(isObject(given) ? given : {})
  const incident = opened(said.incident ?? said.data.incident)
  if (isObject(incident)) return readIncident(incident, { type: said.event ?? said.type, atMs: said.created_on }, nowMs)
  return notUnderstood('PagerDuty', `messages.${index}.incident is not an object`, given, nowMs)
}

const named = { id: text, summary: text, name: text, html_url: text }
const incident = z.object({
  id: text,
  status: text,
  title: text,
  summary: text,
  description: text,
  incident_key: text,
  html_url: text,
  urgency: text,
  created_at: time,
  created_on: time,
  resolved_at: time,
  last_status_change_at: time,
  last_status_change_on: time,
  priority: part(named),
  service: part(named),
  escalation_policy: part(named),
  trigger_summary_data: part({ subject: text, description: text }),
  trigger_details_html_url: text,
  resolve_reason: part({ incident: part(named) }),
  conference_bridge: part({ conference_url: text }),
})

function readIncident(given: JsonObject, { type, atMs }: Told, nowMs: number): IncomingAlert {
  const said = incident.parse(given)
  if (said.id === undefined) return notUnderstood('PagerDuty', 'the incident has no id', given, nowMs)
  const status = wordIn(STATES, said.status?.toLowerCase()) ?? wordIn(STATES, type?.split('.').at(-1))
  if (status === undefined) {
    const reason = `the status of the incident is ${said.status === undefined ? 'missing' : `"${said.status}"`}`
    return notUnderstood('PagerDuty', reason, given, nowMs)
  }
  const title =
    said.title ??
    said.trigger_summary_data.subject ??
    said.trigger_summary_data.description ??
    said.summary?.replace(/^\[#\d+\]\s*/, '') ??
    said.resolve_reason.incident.summary
  const priority = said.priority.summary ?? said.priority.name
  const changedAtMs = said.resolved_at ?? said.last_status_change_at ?? said.last_status_change_on
  return completeAlert(
    {
      name: title ?? `PagerDuty incident ${said.id}`,
      partial: title === undefined || said.service.id === undefined,
      service: said.service.summary ?? said.service.name,
      // A priority of the account's own making says nothing here; the urgency always has one of two values.
      severity: findSeverity(priority) === undefined ? said.urgency : priority,
      status,
      toldAtMs: atMs ?? changedAtMs ?? said.created_at ?? said.created_on,
      startsAtMs: said.created_at ?? said.created_on,
      endsAtMs: status === 'resolved' ? (changedAtMs ?? atMs) : undefined,
      labels: { dedup_key: said.incident_key?.includes('%') ? undefined : said.incident_key },
      identifiedBy: { pagerduty_incident: said.id },
      annotations: {
        summary: said.description ?? title,
        state: said.status,
        priority,
        urgency: said.urgency,
        escalation_policy: said.escalation_policy.summary,
        service_page: said.service.html_url,
        conference: said.conference_bridge.conference_url,
      },
      urls: [said.html_url, said.trigger_details_html_url],
    },
    nowMs,
  )
}

/** By the incident's own word, or else by the last word of the event's name. */
const STATES: Readonly<Record<string, 'firing' | 'resolved'>> = {
  triggered: 'firing',
  trigger: 'firing',
  acknowledged: 'firing',
  acknowledge: 'firing',
  unacknowledged: 'firing',
  unacknowledge: 'firing',
  escalated: 'firing',
  escalate: 'firing',
  reopened: 'firing',
  reassigned: 'firing',
  assign: 'firing',
  delegated: 'firing',
  delegate: 'firing',
  priority_updated: 'firing',
  resolved: 'resolved',
  resolve: 'resolved',
}
