// Opsgenie's outgoing webhook: an action upon an alert. What only adds a note or a tag says nothing of how it stands.
// https://support.atlassian.com/opsgenie/docs/opsgenie-edge-connector-alert-action-data/
import { z } from 'zod'
import { completeAlert, notice, notUnderstood } from '../../incoming-alert.ts'
import { anything, isObject, opened, part, tagsOf, text, textByName, texts, time } from '../loose.ts'
import type { Sender } from '../sender.ts'
import { wordIn } from '../words.ts'

export const opsgenie: Sender = {
  name: 'opsgenie',
  title: 'Opsgenie',
  recognises: (body) =>
    isObject(body['alert']) && 'action' in body && ('alertId' in body['alert'] || 'tinyId' in body['alert']),
  read: (body, { nowMs }) => {
    const given = opened(body['alert'])
    const { action, source } = about.parse(body)
    if (!isObject(given)) return { alerts: [notUnderstood('Opsgenie', 'alert is not an object', body, nowMs)] }
    const alert = shape.parse(given)
    const id = alert.alertId ?? alert.id ?? alert.alias
    const name = alert.message ?? alert.alias
    if (name === undefined || id === undefined)
      return { alerts: [notUnderstood('Opsgenie', 'alert.message or alert.alertId is missing', body, nowMs)] }
    const status = wordIn(STATES, (action ?? alert.status ?? 'open').toLowerCase())
    if (status === undefined)
      return {
        alerts: [notice(name, `${action ?? alert.status ?? ''} does not change how the alert stands`, body, nowMs)],
      }
    const tags = tagsOf(alert.tags)
    return {
      alerts: [
        completeAlert(
          {
            name,
            service: alert.details['service'] ?? tags['service'] ?? alert.entity,
            severity: alert.priority,
            status,
            toldAtMs: alert.updatedAt ?? alert.createdAt,
            startsAtMs: alert.createdAt,
            labels: { ...alert.details, ...tags, entity: alert.entity, tags: texts.parse(alert.tags).join(', ') },
            identifiedBy: { opsgenie_alert: id },
            annotations: {
              summary: alert.description ?? alert.message,
              state: action,
              alias: alert.alias,
              source: alert.source ?? source.name,
              number: alert.tinyId,
            },
            urls: [alert.url, alert.details['url']],
          },
          nowMs,
        ),
      ],
    }
  },
}

const about = z.object({ action: text, source: part({ name: text, type: text }) })
const shape = z.object({
  alertId: text,
  id: text,
  tinyId: text,
  alias: text,
  message: text,
  description: text,
  entity: text,
  priority: text,
  source: text,
  status: text,
  url: text,
  tags: anything,
  details: textByName,
  createdAt: time,
  updatedAt: time,
})

const STATES: Readonly<Record<string, 'firing' | 'resolved'>> = {
  open: 'firing',
  create: 'firing',
  acknowledge: 'firing',
  acked: 'firing',
  unacknowledge: 'firing',
  escalate: 'firing',
  escalatenext: 'firing',
  assignownership: 'firing',
  takeownership: 'firing',
  updatepriority: 'firing',
  updatemessage: 'firing',
  updatedescription: 'firing',
  snooze: 'firing',
  unsnooze: 'firing',
  close: 'resolved',
  closed: 'resolved',
  resolved: 'resolved',
  delete: 'resolved',
}
