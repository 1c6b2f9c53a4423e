import { expect, test } from 'vitest'
import type { AlertRow } from '../tables.ts'
import { questionsOf } from './questions.ts'

const alert = (name: string, service: string | null): AlertRow =>
  ({
    id: name,
    tenant: 'default',
    source: 'test',
    identity: name,
    fingerprint: name,
    name,
    service,
    severity: 'critical',
    status: 'firing',
    starts_at: 0,
    sent_starts_at: null,
    ends_at: null,
    ends_by: null,
    end_seen_at: null,
    labels: '{}',
    annotations: '{"summary":"{service} is down"}',
    url: null,
    group_key: null,
    delivery_id: 'd',
    times: 1,
    first_at: 0,
    last_at: 0,
    decision: 'opened',
    reason: null,
    incident_id: 'i',
  }) as AlertRow

test('a question is asked once for what makes it different, and not by alerts that cannot fill it', () => {
  const alerts = [alert('A', 'cart'), alert('B', 'cart'), alert('C', null)]
  expect(questionsOf([{ tool: 't', arguments: { service: '{service}', limit: 5 } }], alerts)).toEqual([
    { tool: 't', arguments: { service: 'cart', limit: 5 }, key: '{"service":"cart","limit":5}' },
  ])
  expect(questionsOf([{ tool: 't', arguments: {} }], alerts)).toHaveLength(1)
  expect(questionsOf([{ tool: 't', arguments: { service: '{service}' } }], [alert('C', null)])).toEqual([])
})

test('what an alert says is put in once, and is not read for places to fill', () => {
  const [question] = questionsOf([{ tool: 't', arguments: { q: '{summary}' } }], [alert('A', 'cart')])
  expect(question?.arguments).toEqual({ q: '{service} is down' })
})

test('a storm asks few questions', () => {
  const alerts = Array.from({ length: 300 }, (_, i) => alert(`A${i}`, `service-${i}`))
  const asks = Array.from({ length: 10 }, (_, i) => ({ tool: `t${i}`, arguments: { service: '{service}' } }))
  expect(questionsOf(asks, alerts)).toHaveLength(20)
})
