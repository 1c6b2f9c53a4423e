// New Relic: the older webhook of an alert policy, and the default template of a workflow's.
// https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/#webhook
import { mappedSender } from '../mapping/mapping.ts'

export const newrelic = mappedSender({
  name: 'newrelic',
  title: 'New Relic',
  recognises: (body) =>
    ('condition_name' in body && 'policy_name' in body && 'account_id' in body) || 'issueUrl' in body,
  mapping: {
    name: ['condition_name', 'title', 'annotations.title[0]', 'alertConditionNames', 'policy_name'],
    status: {
      path: ['current_state', 'state'],
      values: { acknowledged: 'firing', activated: 'firing', created: 'firing', closed: 'resolved' },
    },
    severity: ['severity', 'priority'],
    service: ['targets[0].name', 'impactedEntities', 'entitiesData.names', 'targets[0].labels.service'],
    summary: ['details', 'annotations.description[0]', 'title'],
    url: ['incident_url', 'issueUrl', 'issuePageUrl', 'violation_callback_url'],
    at: ['timestamp', 'updatedAt'],
    startsAt: ['openedAt', 'createdAt', 'activatedAt'],
    endsAt: 'closedAt',
    identity: [['incident_id', 'issueId', 'id'], 'account_id'],
    labels: {
      policy: ['policy_name', 'alertPolicyNames'],
      account: ['account_name', 'account_id', 'nrAccountId'],
      target_type: 'targets[0].type',
    },
    annotations: { runbook: ['runbook_url', 'runbookUrl'], policy_page: 'policy_url', chart: 'violation_chart_url' },
  },
})
