import { expect, test } from 'vitest'
import { intakeSchema } from '../../config/intake-schema.ts'
import { createSenders } from './all.ts'

const ours = createSenders(intakeSchema.parse({}))
const configured = (senders: Record<string, unknown>) => createSenders(intakeSchema.parse({ senders }))
const mine = { name: 'what' }
const datadog = { alert_transition: 'Triggered', title: 'A', what: 'B' }
const nameIn = (senders: typeof ours, body: Record<string, unknown>) =>
  senders.recognise(body, {}).read(body, { headers: {}, nowMs: 0 }).alerts[0]?.name

test('a mapping of the config reads what has the shape of the sender that it replaces', () => {
  expect(nameIn(ours, datadog)).toBe('A')
  expect(nameIn(configured({ datadog: mine }), datadog)).toBe('B')
})

test('a name is found as it is written first, and else whatever its capitals', () => {
  const senders = configured({ Datadog: mine })
  expect(senders.find('Datadog')?.title).toBe('Datadog')
  expect(senders.find('Datadog')).not.toBe(senders.find('datadog'))
  expect(senders.find('datadog')).toBe(senders.find('DATADOG'))
  expect(senders.find('nobody')).toBeUndefined()
})

test.each<[string, Record<string, unknown>]>([
  ['a detail that is none of EventBridge', { title: 'A', detail: { code: 7 } }],
  ['the word incident as its type', { type: 'incident', title: 'A', status: 'open' }],
])("a body with %s is nobody's in particular", (_, body) => {
  expect(ours.recognise(body, {}).name).toBe('generic')
})

test('an event of EventBridge and an incident of PagerDuty are known', () => {
  const event = { 'detail-type': 'CloudWatch Alarm State Change', detail: { alarmName: 'A' } }
  expect(ours.recognise(event, {}).name).toBe('cloudwatch')
  expect(ours.recognise({ type: 'incident', id: 'P1', incident_key: 'k' }, {}).name).toBe('pagerduty')
})
