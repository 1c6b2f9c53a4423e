// Google Cloud Monitoring (Stackdriver): one incident of an alerting policy.
// https://cloud.google.com/monitoring/support/notification-options#webhooks
import { mappedSender } from '../mapping/mapping.ts'

export const stackdriver = mappedSender({
  name: 'stackdriver',
  aliases: ['gcp', 'google'],
  title: 'Google Cloud Monitoring',
  recognises: ({ incident }) =>
    typeof incident === 'object' && incident !== null && 'policy_name' in incident && 'state' in incident,
  mapping: {
    name: ['incident.condition_name', 'incident.policy_name'],
    status: { path: 'incident.state', values: { open: 'firing', closed: 'resolved' } },
    severity: { path: 'incident.severity', values: { 'no severity': '' } },
    service: [
      'incident.resource.labels.service_name',
      'incident.resource.labels.module_id',
      'incident.resource.labels.container_name',
      'incident.metadata.user_labels.service',
      'incident.policy_user_labels.service',
    ],
    host: ['incident.resource.labels.instance_name', 'incident.resource_name', 'incident.resource.labels.instance_id'],
    summary: ['incident.summary', 'incident.documentation.subject'],
    url: 'incident.url',
    startsAt: 'incident.started_at',
    endsAt: 'incident.ended_at',
    at: ['incident.ended_at', 'incident.started_at'],
    identity: ['incident.incident_id'],
    labels: {
      policy: 'incident.policy_name',
      project: ['incident.scoping_project_id', 'incident.resource.labels.project_id'],
      zone: 'incident.resource.labels.zone',
      resource_type: ['incident.resource.type', 'incident.resource_type_display_name'],
      metric: 'incident.metric.type',
    },
    annotations: { documentation: 'incident.documentation.content', value: 'incident.observed_value' },
  },
})
