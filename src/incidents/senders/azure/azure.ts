// Azure Monitor's action groups: the common alert schema, and those before it (classic metric alerts, metric alerts of
// version 2, log alerts, the activity log). Its scale of severities is its own: Sev0 is critical, Sev4 says the least.
// https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-payload-samples
import { z } from 'zod'
import { completeAlert, type IncomingAlert, notUnderstood } from '../../incoming-alert.ts'
import { anything, isObject, part, parts, text, textByName, texts, time } from '../loose.ts'
import type { JsonObject, Sender } from '../sender.ts'
import { wordIn } from '../words.ts'

export const azure: Sender = {
  name: 'azure',
  aliases: ['azuremonitor', 'azure-monitor'],
  title: 'Azure Monitor',
  recognises: (body) =>
    (typeof body['schemaId'] === 'string' && /azure|insights/i.test(body['schemaId'])) ||
    'alertContext' in body ||
    (isObject(body['context']) && ('conditionType' in body['context'] || 'portalLink' in body['context'])) ||
    (isObject(body['data']) && isObject(body['data']['essentials'])),
  read: (body, { nowMs }) => ({ alerts: [readBody(body, nowMs)] }),
}

const criterion = {
  metricName: text,
  metricNamespace: text,
  operator: text,
  threshold: text,
  metricValue: text,
  dimensions: parts({ name: text, value: text }),
  webTestName: text,
}
const condition = part({ ...criterion, allOf: parts(criterion), windowStartTime: time, windowEndTime: time })
const alertContext = part({
  condition,
  conditionType: text,
  SearchQuery: text,
  LinkToSearchResults: text,
  LinkToFilteredSearchResultsUI: text,
  eventTimestamp: time,
  operationName: text,
  level: text,
})
const common = z.object({
  essentials: part({
    alertId: text,
    alertRule: text,
    severity: text,
    signalType: text,
    monitorCondition: text,
    monitoringService: text,
    alertTargetIDs: texts,
    configurationItems: texts,
    originAlertId: text,
    firedDateTime: time,
    resolvedDateTime: time,
    description: text,
    investigationLink: text,
  }),
  alertContext,
  customProperties: textByName,
})

function readBody(body: JsonObject, nowMs: number): IncomingAlert {
  const data = isObject(body['data']) ? body['data'] : body
  if (isObject(data['essentials'])) return readCommon(data, body, nowMs)
  if (isObject(data['context'])) return readClassic(data, body, nowMs)
  if ('AlertRuleName' in data) return readLogAlert(data, nowMs)
  if (isObject(data['alertContext'])) return readContextAlone(data, body, nowMs)
  const reason = 'it has neither data.essentials (the common schema) nor context (the schemas before it)'
  return notUnderstood('Azure Monitor', reason, body, nowMs)
}

const SCALE = ['critical', 'error', 'warning', 'info', 'info'] as const

/** `Sev1` and `1` → error. */
const severityOf = (given: string | undefined): string | undefined => {
  const level = /^(?:Sev)?([0-4])$/i.exec(given ?? '')?.[1]
  return level === undefined ? given : SCALE[Number(level)]
}

const STATES: Readonly<Record<string, 'firing' | 'resolved'>> = {
  fired: 'firing',
  activated: 'firing',
  active: 'firing',
  resolved: 'resolved',
  deactivated: 'resolved',
}

/** Machines are places; whatever else serves is a service. */
function targetOf(
  id: string | undefined,
  name: string | undefined,
): { service?: string | undefined; host?: string | undefined } {
  const pieces = id?.split('/') ?? []
  const last = name ?? pieces.at(-1)
  const machine = /\/(?:virtualmachines|virtualmachinescalesets|machines)(?:\/|$)/i.test(id ?? '')
  return machine ? { host: last } : { service: last }
}

const groupOf = (id: string | undefined): string | undefined => /\/resourcegroups\/([^/]+)/i.exec(id ?? '')?.[1]

type Condition = z.output<typeof condition>

/** The criteria, in whichever of the two places they stand. */
const criteriaOf = (given: Condition) => (given.allOf.length > 0 ? given.allOf : given.metricName ? [given] : [])

const spell = (given: Condition): string =>
  criteriaOf(given)
    .map(({ metricName, operator, threshold, metricValue }) =>
      [metricName, operator, threshold, metricValue === undefined ? '' : `(is ${metricValue})`]
        .filter(Boolean)
        .join(' '),
    )
    .join(', ')

function readCommon(data: JsonObject, raw: unknown, nowMs: number): IncomingAlert {
  const { essentials, alertContext: about, customProperties } = common.parse(data)
  const status = wordIn(STATES, essentials.monitorCondition?.toLowerCase() ?? 'fired')
  if (essentials.alertRule === undefined)
    return notUnderstood('Azure Monitor', 'data.essentials.alertRule is missing', raw, nowMs)
  if (status === undefined) {
    const reason = `data.essentials.monitorCondition is "${essentials.monitorCondition ?? ''}"; known are Fired and Resolved`
    return notUnderstood('Azure Monitor', reason, raw, nowMs)
  }
  const [target] = essentials.alertTargetIDs
  return completeAlert(
    {
      name: essentials.alertRule,
      severity: severityOf(essentials.severity),
      status,
      toldAtMs: status === 'resolved' ? essentials.resolvedDateTime : essentials.firedDateTime,
      startsAtMs: essentials.firedDateTime,
      endsAtMs: essentials.resolvedDateTime,
      ...labelled(targetOf(target, essentials.configurationItems[0]), {
        ...customProperties,
        resource_group: groupOf(target),
        metric: criteriaOf(about.condition)[0]?.metricName,
        signal: essentials.signalType,
        monitor: essentials.monitoringService,
      }),
      // The id of the alert is the life's own; that of its origin is the rule's upon its target.
      identifiedBy: { alert: essentials.alertId ?? essentials.originAlertId ?? essentials.alertRule, target },
      annotations: {
        summary: essentials.description ?? (spell(about.condition) || about.operationName),
        condition: spell(about.condition),
        state: essentials.monitorCondition,
        query: about.SearchQuery,
        search: about.LinkToSearchResults,
      },
      urls: [
        essentials.investigationLink,
        about.LinkToFilteredSearchResultsUI,
        about.LinkToSearchResults,
        portalLink(target),
      ],
    },
    nowMs,
  )
}

const labelled = (target: ReturnType<typeof targetOf>, labels: Readonly<Record<string, string | undefined>>) => ({
  service: target.service,
  labels: { ...labels, host: target.host },
})

const portalLink = (id: string | undefined): string | undefined =>
  id?.startsWith('/subscriptions/') ? `https://portal.azure.com/#resource${encodeURI(id.toWellFormed())}` : undefined

const classic = z.object({
  status: text,
  context: part({
    timestamp: time,
    id: text,
    name: text,
    description: text,
    severity: text,
    condition,
    conditionType: text,
    resourceName: text,
    resourceType: text,
    resourceId: text,
    resourceGroupName: text,
    resourceRegion: text,
    portalLink: text,
    activityLog: part({
      eventTimestamp: time,
      operationName: text,
      level: text,
      status: text,
      resourceId: text,
      resourceGroupName: text,
      correlationId: text,
      caller: text,
      properties: part({
        title: text,
        service: text,
        region: text,
        communication: text,
        incidentType: text,
        stage: text,
      }),
    }),
  }),
  properties: anything,
})

function readClassic(data: JsonObject, raw: unknown, nowMs: number): IncomingAlert {
  const { status: word, context } = classic.parse(data)
  const log = context.activityLog
  const name = context.name ?? log.properties.title ?? log.operationName
  const ended = /^(?:resolved|complete)$/i.test(log.properties.stage ?? '')
  const status = ended ? 'resolved' : wordIn(STATES, word?.toLowerCase() ?? 'activated')
  if (name === undefined) return notUnderstood('Azure Monitor', 'context.name is missing', raw, nowMs)
  if (status === undefined) {
    const reason = `status is "${word ?? ''}"; known are Activated, Deactivated, Fired and Resolved`
    return notUnderstood('Azure Monitor', reason, raw, nowMs)
  }
  const resource = context.resourceId ?? log.resourceId
  return completeAlert(
    {
      name,
      severity: severityOf(context.severity) ?? (log.level === 'Informational' ? 'info' : log.level),
      status,
      toldAtMs: context.timestamp ?? log.eventTimestamp,
      ...labelled(
        log.properties.service === undefined
          ? targetOf(resource, context.resourceName)
          : { service: log.properties.service },
        {
          resource_group: context.resourceGroupName ?? groupOf(resource),
          resource_type: context.resourceType,
          region: context.resourceRegion ?? log.properties.region,
          metric: criteriaOf(context.condition)[0]?.metricName,
          operation: log.operationName,
        },
      ),
      identifiedBy: {
        rule: context.id ?? name,
        target: resource,
        correlation: context.id ? undefined : log.correlationId,
      },
      annotations: {
        summary: context.description ?? log.properties.communication ?? (spell(context.condition) || log.status),
        condition: spell(context.condition),
        state: word,
      },
      urls: [context.portalLink, portalLink(resource)],
    },
    nowMs,
  )
}

const logAlert = z.object({
  AlertRuleName: text,
  AlertType: text,
  Severity: text,
  Description: text,
  SearchQuery: text,
  LinkToSearchResults: text,
  SearchIntervalEndtimeUtc: time,
  SearchIntervalEndTimeUtc: time,
  ResourceId: text,
  AffectedConfigurationItems: texts,
  ResultCount: text,
})

/** A classic alert on a search of logs. It never tells of an end. */
function readLogAlert(data: JsonObject, nowMs: number): IncomingAlert {
  const said = logAlert.parse(data)
  const name = said.AlertRuleName ?? 'unnamed log alert'
  const [target] = said.AffectedConfigurationItems
  return completeAlert(
    {
      name,
      severity: severityOf(said.Severity),
      status: 'firing',
      toldAtMs: said.SearchIntervalEndtimeUtc ?? said.SearchIntervalEndTimeUtc,
      ...labelled(targetOf(said.ResourceId, target), {
        resource_group: groupOf(said.ResourceId),
        type: said.AlertType,
      }),
      identifiedBy: { rule: name, target: said.ResourceId ?? target },
      annotations: { summary: said.Description ?? name, query: said.SearchQuery, count: said.ResultCount },
      urls: [said.LinkToSearchResults],
    },
    nowMs,
  )
}

/** The part of the common schema that says what was measured, without the one that says of which rule. */
function readContextAlone(data: JsonObject, raw: unknown, nowMs: number): IncomingAlert {
  const { alertContext: about } = common.parse(data)
  const [first] = criteriaOf(about.condition)
  const name =
    first?.webTestName ??
    (first?.metricName
      ? `${first.metricName} ${first.operator ?? ''} ${first.threshold ?? ''}`.trim()
      : about.operationName)
  if (name === undefined)
    return notUnderstood('Azure Monitor', 'alertContext says neither what was measured nor what was done', raw, nowMs)
  return completeAlert(
    {
      name,
      severity: about.level,
      status: 'firing',
      toldAtMs: about.condition.windowEndTime ?? about.eventTimestamp,
      startsAtMs: about.condition.windowStartTime,
      labels: { metric: first?.metricName, namespace: first?.metricNamespace },
      annotations: { summary: spell(about.condition), condition: spell(about.condition) },
    },
    nowMs,
  )
}
