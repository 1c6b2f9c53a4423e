// Elastic: the documents of Kibana's alerts (`kibana.alert.*`), the usual templates of its webhook connector, and what a
// watch sends. A connector's body is its user's own, so the names are looked for in all the places they commonly stand.
// https://www.elastic.co/docs/reference/kibana/connectors-kibana/webhook-action-type
import { mappedSender } from '../mapping/mapping.ts'

export const elastic = mappedSender({
  name: 'elastic',
  aliases: ['kibana', 'elasticsearch'],
  title: 'Elastic',
  recognises: (body) =>
    Object.keys(body).some((name) => name.startsWith('kibana.')) ||
    'watch_id' in body ||
    'kibana' in body ||
    ('rule' in body && ('alert' in body || 'context' in body)) ||
    ('ruleName' in body && 'alertId' in body),
  mapping: {
    name: [
      '["kibana.alert.rule.name"]',
      'kibana.alert.rule.name',
      'rule.name',
      'ruleName',
      'alertName',
      'rule_name',
      'metadata.name',
      'watch_id',
      'rule',
    ],
    status: {
      path: [
        '["kibana.alert.status"]',
        'kibana.alert.status',
        'alert.actionGroup',
        'alertActionGroup',
        'actionGroup',
        'alert.status',
        'status',
        'state',
      ],
      values: {
        'metrics.inventory_threshold.fired': 'firing',
        'metrics.threshold.fired': 'firing',
        'logs.threshold.fired': 'firing',
        threshold_met: 'firing',
        'threshold met': 'firing',
        'query matched': 'firing',
        default: 'firing',
        untracked: 'resolved',
        executed: 'firing',
        execution_not_needed: 'resolved',
      },
      default: 'firing',
    },
    severity: [
      '["kibana.alert.severity"]',
      'kibana.alert.severity',
      'severity',
      'alert.severity',
      'metadata.severity',
      'rule.params.severity',
      'priority',
    ],
    service: [
      '["service.name"]',
      'service.name',
      'context.serviceName',
      'context.service.name',
      'service',
      'metadata.service',
    ],
    host: ['["host.name"]', 'host.name', 'context.host.name', 'context.host', 'host', 'hostname', 'context.monitorUrl'],
    summary: [
      '["kibana.alert.reason"]',
      'kibana.alert.reason',
      'context.reason',
      'context.message',
      'message',
      'reason',
      'alert.message',
      'context.title',
    ],
    url: [
      '["kibana.alert.url"]',
      'kibana.alert.url',
      'context.alertDetailsUrl',
      'context.viewInAppUrl',
      'rule.url',
      'url',
      'kibanaBaseUrl',
    ],
    at: ['["@timestamp"]', 'date', 'timestamp', 'trigger.triggered_time', 'execution_time', 'context.timestamp'],
    startsAt: ['["kibana.alert.start"]', 'kibana.alert.start', 'alert.start'],
    endsAt: ['["kibana.alert.end"]', 'kibana.alert.end', 'alert.end'],
    identity: [
      [
        '["kibana.alert.rule.uuid"]',
        'kibana.alert.rule.uuid',
        'rule.id',
        'ruleId',
        'watch_id',
        'rule.name',
        'ruleName',
        'rule',
      ],
      ['["kibana.alert.instance.id"]', 'kibana.alert.instance.id', 'alert.id', 'alertId', 'alertInstanceId'],
    ],
    labels: {
      rule_type: ['["kibana.alert.rule.category"]', 'kibana.alert.rule.category', 'rule.type', 'ruleType'],
      space: ['rule.spaceId', 'spaceId'],
      tags: ['["kibana.alert.rule.tags"]', 'rule.tags', 'tags'],
      group: ['["kibana.alert.instance.id"]', 'alert.id', 'context.group'],
    },
    annotations: {
      value: ['context.value', '["kibana.alert.evaluation.value"]', 'value'],
      threshold: ['context.threshold'],
    },
  },
})
