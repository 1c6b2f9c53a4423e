// Sentry's webhooks: those of its integration platform (issues, issue alerts, metric alerts, told apart by the header
// `sentry-hook-resource` or by their shape), and the older plugin's, which is one issue with its latest event.
// https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
import { z } from 'zod'
import { completeAlert, type IncomingAlert, notice, notUnderstood } from '../../incoming-alert.ts'
import { anything, isObject, opened, part, tagsOf, text, texts, time } from '../loose.ts'
import type { JsonObject, ReadContext, Sender } from '../sender.ts'

export const sentry: Sender = {
  name: 'sentry',
  title: 'Sentry',
  recognises: (body, headers) => {
    if (headers['sentry-hook-resource'] !== undefined) return true
    const data = body['data']
    if (isObject(data) && ('issue' in data || 'metric_alert' in data || 'triggered_rule' in data)) return true
    return 'project_slug' in body || ('culprit' in body && 'event' in body)
  },
  read: (body, context) => ({ alerts: [readBody(body, context)] }),
}

const hook = z.object({
  action: text,
  data: part({
    issue: anything,
    event: anything,
    error: anything,
    metric_alert: anything,
    triggered_rule: text,
    description_text: text,
    description_title: text,
    web_url: text,
  }),
})

function readBody(body: JsonObject, { headers, nowMs }: ReadContext): IncomingAlert {
  const { action, data } = hook.parse(body)
  const metricAlert = opened(data.metric_alert)
  if (isObject(metricAlert)) return readMetricAlert(metricAlert, action, data, nowMs)
  const issue = opened(data.issue)
  if (isObject(issue)) return readIssue(issue, action, nowMs)
  const event = opened(data.event ?? data.error)
  if (isObject(event)) return readEvent(event, data.triggered_rule, nowMs)
  if ('culprit' in body || 'project_slug' in body || 'message' in body || isObject(opened(body['event'])))
    return readPlugin(body, nowMs)
  const resource = String(headers['sentry-hook-resource'] ?? '')
  if (['installation', 'comment', 'preprod_artifact'].includes(resource) || isObject(body['installation']))
    return notice(`Sentry ${resource || 'installation'}`, `${resource || 'installation'} is no alert`, body, nowMs)
  const reason = 'it has none of data.issue, data.event and data.metric_alert, and no message'
  return notUnderstood('Sentry', reason, body, nowMs)
}

const project = part({ id: text, name: text, slug: text })
const issueShape = z.object({
  id: text,
  shortId: text,
  title: text,
  culprit: text,
  level: text,
  status: text,
  permalink: text,
  web_url: text,
  firstSeen: time,
  lastSeen: time,
  count: text,
  userCount: text,
  project,
  metadata: part({ value: text, type: text, title: text, filename: text }),
  platform: text,
})

/** Whoever resolves or archives an issue ends it; whatever else happens to it says how it stands. */
const ENDED = new Set(['resolved', 'ignored', 'archived'])

function readIssue(given: JsonObject, action: string | undefined, nowMs: number): IncomingAlert {
  const issue = issueShape.parse(given)
  const name = issue.title ?? issue.metadata.title ?? issue.metadata.value
  if (name === undefined) return notUnderstood('Sentry', 'data.issue has no title', given, nowMs)
  if (issue.id === undefined) return notUnderstood('Sentry', 'data.issue has no id', given, nowMs)
  const status = ENDED.has(action ?? '') || ENDED.has(issue.status ?? '') ? 'resolved' : 'firing'
  return completeAlert(
    {
      name,
      service: issue.project.slug ?? issue.project.name,
      severity: levelOf(issue.level),
      status,
      // `lastSeen` tells when the fault was seen, not when somebody resolved it.
      toldAtMs: status === 'resolved' ? undefined : issue.lastSeen,
      startsAtMs: issue.firstSeen,
      labels: { platform: issue.platform, culprit: issue.culprit },
      identifiedBy: { sentry_issue: issue.id },
      annotations: {
        summary: issue.metadata.value ?? name,
        state: action,
        issue: issue.shortId,
        events: issue.count,
        users: issue.userCount,
      },
      urls: [issue.web_url, issue.permalink],
    },
    nowMs,
  )
}

const eventShape = z.object({
  event_id: text,
  issue_id: text,
  issue_url: text,
  title: text,
  message: text,
  culprit: text,
  level: text,
  project: text,
  project_slug: text,
  project_name: text,
  web_url: text,
  url: text,
  datetime: time,
  timestamp: time,
  received: time,
  environment: text,
  release: text,
  server_name: text,
  platform: text,
  logger: text,
  tags: anything,
  fingerprint: texts,
  hashes: texts,
  metadata: part({ value: text, type: text, title: text }),
  logentry: part({ formatted: text, message: text }),
  'sentry.interfaces.Message': part({ message: text, formatted: text }),
})
type SentryEvent = z.output<typeof eventShape>

const titleOf = (event: SentryEvent): string | undefined =>
  event.title ?? event.metadata.title ?? event.metadata.type ?? event.logentry.formatted ?? event.message

function describe(event: SentryEvent) {
  const tags = tagsOf(event.tags)
  return {
    environment: event.environment ?? tags['environment'],
    release: event.release ?? tags['release'],
    host: event.server_name ?? tags['server_name'],
    platform: event.platform,
    culprit: event.culprit,
  }
}

function readEvent(given: JsonObject, rule: string | undefined, nowMs: number): IncomingAlert {
  const event = eventShape.parse(given)
  const name = titleOf(event)
  if (name === undefined) return notUnderstood('Sentry', 'data.event has no title', given, nowMs)
  // The project stands as a number; its name only in the address.
  const slug = event.project_slug ?? event.project_name ?? /\/projects\/[^/]+\/([^/]+)\//.exec(event.url ?? '')?.[1]
  const group = event.issue_id ?? event.hashes[0]
  return completeAlert(
    {
      name,
      service: slug,
      severity: levelOf(event.level),
      status: 'firing',
      toldAtMs: event.datetime ?? event.timestamp ?? event.received,
      labels: describe(event),
      identifiedBy: group === undefined ? { project: event.project ?? slug, name } : { sentry_issue: group },
      annotations: { summary: event.message ?? event.metadata.value ?? name, rule, event: event.event_id },
      urls: [event.web_url, event.url],
    },
    nowMs,
  )
}

const pluginShape = z.object({
  id: text,
  project: text,
  project_name: text,
  project_slug: text,
  culprit: text,
  level: text,
  message: text,
  url: text,
  triggering_rules: texts,
  event: anything,
})

function readPlugin(body: JsonObject, nowMs: number): IncomingAlert {
  const issue = pluginShape.parse(body)
  const inner = opened(issue.event)
  const event = eventShape.parse(isObject(inner) ? inner : {})
  const message = issue.message ?? event['sentry.interfaces.Message'].message
  const name = titleOf(event) ?? message
  if (name === undefined) return notUnderstood('Sentry', 'it has neither message nor event.title', body, nowMs)
  const service = issue.project_slug ?? issue.project_name ?? issue.project
  return completeAlert(
    {
      name,
      service,
      severity: levelOf(issue.level ?? event.level),
      status: 'firing',
      toldAtMs: event.timestamp ?? event.received ?? event.datetime,
      labels: { ...describe(event), culprit: issue.culprit ?? event.culprit },
      identifiedBy: issue.id === undefined ? { project: service, name } : { sentry_issue: issue.id },
      annotations: { summary: message ?? name, rule: issue.triggering_rules.join(', '), event: event.event_id },
      urls: [issue.url],
    },
    nowMs,
  )
}

const metricAlertShape = z.object({
  id: text,
  identifier: text,
  title: text,
  status: text,
  date_started: time,
  date_closed: time,
  date_detected: time,
  projects: texts,
  alert_rule: part({ id: text, name: text, aggregate: text, query: text, environment: text }),
})

function readMetricAlert(
  given: JsonObject,
  action: string | undefined,
  about: z.output<typeof hook>['data'],
  nowMs: number,
): IncomingAlert {
  const alert = metricAlertShape.parse(given)
  const name = alert.title ?? alert.alert_rule.name ?? about.description_title?.replace(/^\w+:\s*/, '')
  if (name === undefined) return notUnderstood('Sentry', 'data.metric_alert has no title', given, nowMs)
  const resolved = action === 'resolved' || action === 'closed'
  return completeAlert(
    {
      name,
      service: alert.projects.length === 1 ? alert.projects[0] : undefined,
      severity: resolved ? undefined : action,
      status: resolved ? 'resolved' : 'firing',
      toldAtMs: resolved ? alert.date_closed : (alert.date_detected ?? alert.date_started),
      startsAtMs: alert.date_started,
      labels: { environment: alert.alert_rule.environment, projects: alert.projects.join(',') },
      // The rule's, for it is what fires; each time that it does Sentry gives another number.
      identifiedBy: { sentry_rule: alert.alert_rule.id ?? name, id: alert.alert_rule.id ? undefined : alert.id },
      annotations: {
        summary: about.description_text ?? about.description_title,
        state: action,
        query: [alert.alert_rule.aggregate, alert.alert_rule.query].filter(Boolean).join(' where '),
        incident: alert.identifier,
      },
      urls: [about.web_url],
    },
    nowMs,
  )
}

/** Sentry's own scale: `fatal` is the worst, and an `error` that reached a webhook is one. */
const levelOf = (level: string | undefined): string | undefined => (level === 'sample' ? 'info' : level)
