// Grafana's two webhooks. Unified alerting (versions 8 to 12) speaks Alertmanager's, with links and measured values
// beside it; the older alerting tells of one rule at a time and never repeats when it began.
// https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
import { z } from 'zod'
import { parseAs } from '../../../core/parse.ts'
import { alertmanagerAlert, alertmanagerFields, readLabelledAlerts } from '../alertmanager/alertmanager.ts'
import { completeAlert, notice, notUnderstood } from '../../incoming-alert.ts'
import { anything, isObject, parts, tagsOf, text } from '../loose.ts'
import type { JsonObject, ReadContext, Reading, Sender } from '../sender.ts'
import { wordIn } from '../words.ts'

export const grafana: Sender = {
  name: 'grafana',
  title: 'Grafana',
  recognises: (body) => isUnified(body) || isLegacy(body),
  read: (body, context) => {
    if (Array.isArray(body['alerts'])) return readUnified(body, context)
    if (isLegacy(body)) return readLegacy(body, context)
    const reason = 'it has neither "alerts" (unified alerting) nor "ruleName" or "state" (the older alerting)'
    return { alerts: [notUnderstood('Grafana', reason, body, context.nowMs)] }
  },
}

const isUnified = (body: JsonObject): boolean =>
  Array.isArray(body['alerts']) &&
  ('orgId' in body || 'appVersion' in body || body['alerts'].some((one) => isObject(one) && 'silenceURL' in one))

const isLegacy = (body: JsonObject): boolean =>
  !('alerts' in body) && ('evalMatches' in body || ('ruleName' in body && 'state' in body) || 'ruleUrl' in body)

const unified = z.object({
  ...alertmanagerFields(
    alertmanagerAlert.extend({
      silenceURL: text,
      dashboardURL: text,
      panelURL: text,
      imageURL: text,
      valueString: text,
    }),
  ),
  externalURL: text,
})

function readUnified(body: JsonObject, { nowMs }: ReadContext): Reading {
  const webhook = parseAs(unified, body)
  return readLabelledAlerts(webhook, nowMs, (given) => {
    const rule = given.labels['rulename']
    const special = wordIn(SPECIAL, given.labels['alertname'])
    return {
      // Of a rule that had no data or failed, Grafana puts its own word in the place of the rule's name.
      name: special !== undefined && rule ? `${rule}: ${special}` : undefined,
      annotations: {
        dashboard: given.dashboardURL,
        panel: given.panelURL,
        silence: given.silenceURL,
        image: given.imageURL,
        value: given.valueString,
      },
      urls: [given.panelURL, given.dashboardURL, given.generatorURL, webhook.externalURL],
    }
  })
}

const SPECIAL: Readonly<Record<string, string>> = { DatasourceNoData: 'no data', DatasourceError: 'error of its query' }

const legacy = z.object({
  title: text,
  state: text,
  ruleId: text,
  ruleName: text,
  ruleUrl: text,
  message: text,
  imageUrl: text,
  orgId: text,
  dashboardId: text,
  panelId: text,
  tags: anything,
  evalMatches: parts({ metric: text, value: text, tags: anything }),
})

function readLegacy(body: JsonObject, { nowMs }: ReadContext): Reading {
  const rule = legacy.parse(body)
  const name = rule.ruleName ?? rule.title?.replace(/^\[[^\]]*\]\s*/, '')
  const state = rule.state?.toLowerCase()
  if (name === undefined)
    return { alerts: [notUnderstood('Grafana', 'it has neither ruleName nor title', body, nowMs)] }
  if (state === 'pending' || state === 'unknown')
    return { alerts: [notice(name, `the rule is ${state}, which is no alert yet`, body, nowMs)] }
  const status = wordIn(STATES, state)
  if (status === undefined) {
    const known = Object.keys(STATES).join(', ')
    const reason = `state is ${rule.state === undefined ? 'missing' : `"${rule.state}"`}; known are ${known}`
    return { alerts: [notUnderstood('Grafana', reason, body, nowMs)] }
  }
  const tags = tagsOf(rule.tags)
  const seen = rule.evalMatches.map((match) => tagsOf(match.tags))
  const labels = { ...sameInAll(seen), ...tags }
  const { severity, ...described } = labels
  return {
    alerts: [
      completeAlert(
        {
          name,
          severity: severity ?? labels['priority'],
          status,
          labels: described,
          identifiedBy: {
            rule: rule.ruleId ?? name,
            org: rule.orgId,
            grafana: hostOf(rule.ruleUrl),
          },
          annotations: {
            summary: rule.message ?? rule.title,
            state,
            value: rule.evalMatches.map((match) => `${match.metric ?? 'value'} = ${match.value ?? 'none'}`).join(', '),
            image: rule.imageUrl,
          },
          urls: [rule.ruleUrl],
        },
        nowMs,
      ),
    ],
  }
}

const STATES: Readonly<Record<string, 'firing' | 'resolved'>> = {
  alerting: 'firing',
  no_data: 'firing',
  ok: 'resolved',
  paused: 'resolved',
}

/** A rule fires for several series at once; what they all have describes the alert. */
function sameInAll(all: readonly Readonly<Record<string, string>>[]): Readonly<Record<string, string>> {
  const [first = {}, ...others] = all
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => others.every((tags) => tags[name] === value)),
  )
}

const hostOf = (url: string | undefined): string | undefined =>
  url !== undefined && URL.canParse(url) ? new URL(url).host : undefined
