// VMware vRealize (Aria) Operations: one alert on a resource. Its words are constants such as ALERT_CRITICALITY_LEVEL_WARNING.
// https://docs.vmware.com/en/VMware-Aria-Operations/index.html (REST notification plug-in)
import { mappedSender } from '../mapping/mapping.ts'

export const vrealize = mappedSender({
  name: 'vrealize',
  aliases: ['vmware'],
  title: 'vRealize Operations',
  recognises: (body) => 'criticality' in body && 'alertId' in body && 'resourceName' in body,
  mapping: {
    name: ['alertName', 'info', 'subType', 'type'],
    status: {
      path: 'status',
      values: { active: 'firing', new: 'firing', updated: 'firing', canceled: 'resolved', cancelled: 'resolved' },
    },
    severity: {
      path: 'criticality',
      values: {
        ALERT_CRITICALITY_LEVEL_CRITICAL: 'critical',
        ALERT_CRITICALITY_LEVEL_IMMEDIATE: 'error',
        ALERT_CRITICALITY_LEVEL_WARNING: 'warning',
        ALERT_CRITICALITY_LEVEL_INFO: 'info',
        ALERT_CRITICALITY_LEVEL_AUTO: 'warning',
      },
    },
    host: 'resourceName',
    summary: ['info', 'alertName'],
    startsAt: 'startDate',
    at: ['updateDate', 'startDate'],
    identity: ['alertId'],
    labels: { resource_kind: 'resourceKind', adapter: 'adapterKind', type: 'type', sub_type: 'subType' },
  },
})
