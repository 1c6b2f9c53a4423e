// The on-call agent's catalogue of actions for the shop: what it may ask the platform to do, and how it finds out
// after a crash whether it was done. Of several that fit, the first that can be filled in is proposed.
import type { ActionConfig, RequestConfig } from '../src/config/action-schema.ts'
import { SERVICES } from './platform/platform.ts'

/** Entries for `agent.actions`; `{service}`, `{change}` and the like are filled in from the diagnosis. */
export function actionCatalogue(platformUrl: string): ActionConfig[] {
  const request = (path: string, body: Record<string, string> = {}): RequestConfig => ({
    method: 'POST',
    url: `${platformUrl}${path}`,
    headers: {},
    body,
    timeoutMs: 30_000,
  })
  const check = { url: `${platformUrl}/v1/operations/{run}` }
  const common = { touches: '{service}', parameters: {}, preconditions: [], cooldownSeconds: 0, check }
  return [
    {
      ...common,
      name: 'roll-back',
      does: 'roll-back',
      services: [...SERVICES],
      fits: ['bad_deploy', 'bad_config', 'memory_leak', 'pool_exhausted', 'slow_database'],
      title: 'Roll {service} back from {to} to {from}',
      expected: 'Errors and resource use of {service} return to where they were before its last change.',
      undo: 'Deploy {to} of {service} again.',
      risk: 4,
      request: request('/v1/services/{service}/rollback', { change: '{change}' }),
    },
    {
      ...common,
      name: 'restart',
      does: 'restart',
      services: [...SERVICES],
      fits: ['cpu', 'down', 'queue_backlog', 'disk_full', 'credential_expired', 'memory_leak'],
      title: 'Restart {service}',
      expected: 'New processes of {service} start clean, with credentials read again and temporary files gone.',
      undo: 'Nothing to undo: the same release runs with the same configuration.',
      risk: 3,
      request: request('/v1/services/{service}/restart'),
    },
    {
      ...common,
      name: 'scale-out',
      does: 'scale',
      services: [
        'storefront',
        'catalogue',
        'cart',
        'checkout',
        'payment',
        'recommendations',
        'assistant',
        'fulfilment',
      ],
      fits: ['traffic_surge', 'queue_backlog'],
      title: 'Run two more instances of {service}',
      expected: '{service} answers in its usual time at the present traffic.',
      undo: 'Scale {service} back.',
      risk: 2,
      parameters: { by: '2' },
      request: request('/v1/services/{service}/scale', { by: '{by}' }),
    },
    {
      ...common,
      name: 'use-backup-acquirer',
      does: 'toggle',
      services: ['acquirer', 'payment'],
      fits: ['slow_dependency', 'down'],
      touches: 'payment',
      title: 'Send payments through the backup acquirer',
      expected: 'Payments no longer wait for the first acquirer.',
      undo: 'Set the flag payment-backup-acquirer to off.',
      risk: 3,
      request: request('/v1/flags/payment-backup-acquirer', { to: 'on' }),
    },
    {
      ...common,
      name: 'assistant-without-model',
      does: 'toggle',
      services: ['model-provider', 'assistant'],
      fits: ['provider_failure'],
      touches: 'assistant',
      title: 'Let the assistant answer without its model',
      expected: 'The assistant answers from its list of common questions.',
      undo: 'Set the flag assistant-model-off to off.',
      risk: 2,
      request: request('/v1/flags/assistant-model-off', { to: 'on' }),
    },
    {
      ...common,
      name: 'stop-report-jobs',
      does: 'toggle',
      services: ['shop-db'],
      fits: ['slow_database'],
      touches: 'shop-db',
      title: 'Stop the report jobs in the database',
      expected: 'Queries take as long as they did before; reports wait until the flag is on again.',
      undo: 'Set the flag report-jobs to on.',
      risk: 2,
      request: request('/v1/flags/report-jobs', { to: 'off' }),
    },
  ]
}
