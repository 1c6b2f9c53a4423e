// Pingdom: a check from outside that went down, or came up again.
// https://www.pingdom.com/resources/webhooks/
import { mappedSender } from '../mapping/mapping.ts'

export const pingdom = mappedSender({
  name: 'pingdom',
  title: 'Pingdom',
  recognises: (body) => 'check_id' in body && 'current_state' in body,
  mapping: {
    name: 'check_name',
    status: {
      path: 'current_state',
      values: { down: 'firing', unconfirmed_down: 'firing', failing: 'firing', up: 'resolved', success: 'resolved' },
    },
    severity: 'importance_level',
    host: ['check_params.hostname', 'check_params.full_url'],
    summary: ['long_description', 'description'],
    url: ['full_url', 'check_params.full_url'],
    at: ['state_changed_timestamp', 'state_changed_utc_time'],
    identity: ['check_id'],
    labels: { check_type: 'check_type', tags: 'tags' },
    annotations: { before: 'previous_state', seen_from: ['first_probe.location'], checked: 'check_params.full_url' },
  },
})
