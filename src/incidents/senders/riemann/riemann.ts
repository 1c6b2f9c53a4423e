// Riemann: one event of its stream, with a host, a service and a state. https://riemann.io/concepts.html
import { mappedSender } from '../mapping/mapping.ts'

export const riemann = mappedSender({
  name: 'riemann',
  title: 'Riemann',
  recognises: (body) =>
    'host' in body && 'service' in body && 'state' in body && ('metric' in body || 'description' in body),
  mapping: {
    name: ['service', 'description'],
    status: { path: 'state', values: { ok: 'resolved', expired: 'firing', warning: 'firing', critical: 'firing' } },
    severity: { path: 'state', values: { expired: 'warning', ok: 'info' } },
    service: 'service',
    host: 'host',
    summary: 'description',
    at: 'time',
    identity: ['host', 'service'],
    labels: { tags: 'tags' },
    annotations: { value: ['metric', 'metric_f', 'metric_d'] },
  },
})
