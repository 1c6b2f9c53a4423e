// Graylog: the alarm callback of versions before 3, and the HTTP notification of an event definition since.
// https://go2docs.graylog.org/current/interacting_with_your_log_data/notifications.html
import { mappedSender } from '../mapping/mapping.ts'

export const graylog = mappedSender({
  name: 'graylog',
  title: 'Graylog',
  recognises: (body) => 'check_result' in body || 'event_definition_id' in body || 'event_definition_title' in body,
  mapping: {
    name: ['event_definition_title', 'check_result.triggered_condition.title', 'stream.title', 'event.message'],
    status: {
      path: ['check_result.triggered', 'event.alert'],
      values: { true: 'firing', false: 'resolved' },
      default: 'firing',
    },
    severity: { path: 'event.priority', values: { '1': 'info', '2': 'warning', '3': 'error', '4': 'critical' } },
    service: ['event.fields.service', 'event.group_by_fields.service', 'event.fields.application'],
    host: ['event.fields.host', 'event.fields.source', 'event.group_by_fields.source'],
    summary: ['check_result.result_description', 'event.message', 'event_definition_description'],
    at: ['check_result.triggered_at', 'event.timestamp'],
    identity: [
      ['event_definition_id', 'check_result.triggered_condition.id', 'stream.id'],
      ['event.key', 'event.key_tuple', 'stream.id'],
    ],
    labels: {
      stream: ['stream.title', 'event.source_streams'],
      condition: ['check_result.triggered_condition.type', 'event_definition_type'],
    },
    annotations: {
      condition: 'check_result.triggered_condition.description',
      line: ['check_result.matching_messages[0].message', 'backlog[0].message'],
    },
  },
})
