import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../../core/errors.ts'
import { wireAlert, wireWebhook } from '../../testing.ts'
import { decodeBody } from '../decode-body.ts'
import { readBody } from '../read-delivery.ts'
import { alertmanager } from './alertmanager.ts'

const NOW = Date.UTC(2026, 10, 23, 3, 12)
const read = (body: unknown) =>
  readBody(alertmanager, decodeBody(Buffer.from(JSON.stringify(body)), 'application/json', false), {
    headers: {},
    nowMs: NOW,
  }).alerts

function refusal(body: unknown): string {
  try {
    read(body)
  } catch (error) {
    if (error instanceof AppError) return `${error.field ?? ''} | ${error.message}`
    throw error
  }
  return 'accepted'
}

test('version 4 is understood', () => {
  const labels = { instance: 'web1:80' }
  expect(read(wireWebhook([wireAlert('HighErrorRate', 'checkout', NOW - 1000, { labels })]))).toMatchObject([
    {
      name: 'HighErrorRate',
      service: 'checkout',
      severity: 'critical',
      status: 'firing',
      startsAtMs: NOW - 1000,
      endsAtMs: null,
      annotations: { summary: 'HighErrorRate is firing' },
      groupKey: null,
      url: 'http://prometheus.example:9090/graph',
    },
  ])
})

test('version 3, with a number for a group key, and alerts that do not say their status are understood', () => {
  const { status: _, ...bare } = wireAlert('A', 'b', NOW - 1000)
  const more = { version: '3', groupKey: 5615590933959184000, groupLabels: { alertname: 'A' } }
  expect(read(wireWebhook([bare], more))).toMatchObject([{ status: 'firing', groupKey: '5615590933959184000' }])
  expect(read(wireWebhook([bare], { status: 'resolved' }))).toMatchObject([{ status: 'resolved', endsAtMs: NOW }])
})

describe('whether an alert has ended', () => {
  const ends = (status: string, endsAt: string | null | undefined) =>
    read(wireWebhook([{ ...wireAlert('A', 'b', NOW - 60_000), status, endsAt }]))[0]

  test('its own times count for more than the word', () => {
    expect(ends('firing', new Date(NOW - 1000).toISOString())).toMatchObject({
      status: 'resolved',
      endsAtMs: NOW - 1000,
    })
    expect(ends('firing', new Date(NOW + 240_000).toISOString())).toMatchObject({
      status: 'firing',
      endsAtMs: null,
      endsByMs: NOW + 240_000,
    })
  })

  test('resolved stays resolved when the clock of the sender is ahead, or it gives no time', () => {
    expect(ends('resolved', new Date(NOW + 5000).toISOString())).toMatchObject({
      status: 'resolved',
      endsAtMs: NOW + 5000,
    })
    expect(ends('resolved', '0001-01-01T00:00:00Z')).toMatchObject({ status: 'resolved', endsAtMs: NOW })
    for (const none of ['', null, undefined]) expect(ends('firing', none)).toMatchObject({ endsAtMs: null })
  })
})

test('a body that holds the same life twice counts it once, ended when one of them says so', () => {
  const firing = wireAlert('A', 'b', NOW - 1000)
  const resolved = wireAlert('A', 'b', NOW - 1000, { endsAtMs: NOW })
  for (const alerts of [
    [firing, resolved],
    [resolved, firing],
  ])
    expect(read(wireWebhook(alerts)).map(({ status }) => status)).toEqual(['resolved'])
})

describe('what is wrong is named', () => {
  const good = wireAlert('A', 'b', NOW)
  test.each<[string, unknown, RegExp]>([
    ['text', 'hello', /The body is text/],
    ['null', null, /The body is null/],
    ['something else', { title: 'x' }, /^alerts \| .*expected an Alertmanager webhook.*alerts must be a list/],
    ['another sender', { status: 'Activated' }, /^alerts \| .*expected an Alertmanager webhook/],
    ['no alert', wireWebhook([]), /^alerts \| .*holds no alert/],
    ['a bad time', wireWebhook([good, good, good, { ...good, startsAt: 'soon' }]), /^alerts\.3\.startsAt \| .*2026-/],
    ['no time', wireWebhook([{ ...good, startsAt: undefined }]), /^alerts\.0\.startsAt \|/],
    ['a bad end', wireWebhook([{ ...good, endsAt: 'never' }]), /^alerts\.0\.endsAt \|/],
    ['no labels', wireWebhook([{ ...good, labels: undefined }]), /^alerts\.0\.labels \|/],
    ['empty labels', wireWebhook([{ ...good, labels: {} }]), /^alerts\.0\.labels \| .*at least one label/],
    ['a nested label', wireWebhook([{ ...good, labels: { a: { b: 1 } } }]), /^alerts\.0\.labels\.a \| .*expected text/],
    ['an odd status', wireWebhook([{ ...good, status: 'burning' }]), /^alerts\.0\.status \| .*firing or resolved/],
    ['an alert that is none', wireWebhook([good, 'x']), /^alerts\.1 \| .*expected an alert/],
    ['too many labels', wireWebhook([{ ...good, labels: manyLabels(201) }]), /^alerts\.0\.labels \| .*at most 200/],
    ['too many alerts', wireWebhook(Array.from({ length: 10_001 }, () => good)), /^alerts \| .*more than 10,000/],
    [
      'a long name',
      wireWebhook([{ ...good, labels: { ['x'.repeat(301)]: '' } }]),
      /^alerts\.0\.labels \| .*at most 300/,
    ],
  ])('%s', (_, body, expected) => expect(refusal(body)).toMatch(expected))
})

const manyLabels = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`l${i}`, '']))

test('numbers and truth values for labels are taken as their text', () => {
  const alert = { ...wireAlert('A', 'b', NOW), labels: { alertname: 'A', code: 503, canary: true } }
  expect(read(wireWebhook([alert]))[0]?.labels).toEqual({ alertname: 'A', code: '503', canary: 'true' })
})

test('hostile names and values do no harm', () => {
  const body = JSON.parse(
    `{"alerts":[{"startsAt":"2026-11-23T03:12:40Z","__proto__":{"status":"resolved"},` +
      `"labels":{"alertname":"a\\u0000b\\ud800","__proto__":"x","constructor":"y","who":"‮مرحبا 😀"},` +
      `"generatorURL":"javascript:alert(1)"}]}`,
  ) as unknown
  const [alert] = read(body)
  expect(alert).toMatchObject({ name: 'a\uFFFDb\uFFFD', status: 'firing', url: null })
  expect(Object.entries(alert?.labels ?? {})).toContainEqual(['__proto__', 'x'])
  expect(alert?.labels['who']).toBe('‮مرحبا 😀')
  expect(({} as Record<string, unknown>)['status']).toBeUndefined()
})

test('a long value is clipped with a mark, and still tells two alerts apart', () => {
  const long = (end: string) => ({
    ...wireAlert('A', 'b', NOW),
    labels: { alertname: 'A', text: 'x'.repeat(20_000) + end },
  })
  const [a, b] = read(wireWebhook([long('1'), long('2')]))
  expect(a?.labels['text']).toHaveLength(10_000)
  expect(a?.labels['text']).toMatch(/\(clipped\)$/)
  expect(a?.identity).not.toBe(b?.identity)
})

test('whatever JSON comes is either understood or refused with a reason, never a crash', () => {
  const almost = fc.record(
    {
      version: fc.jsonValue(),
      status: fc.oneof(fc.constant('firing'), fc.jsonValue()),
      groupLabels: fc.jsonValue(),
      alerts: fc.array(
        fc.record(
          {
            status: fc.jsonValue(),
            labels: fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.string())),
            startsAt: fc.oneof(
              fc.jsonValue(),
              fc.date({ noInvalidDate: true }).map((d) => d.toISOString()),
            ),
            annotations: fc.jsonValue(),
            generatorURL: fc.jsonValue(),
          },
          { requiredKeys: [] },
        ),
        { maxLength: 3 },
      ),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.oneof(almost, fc.jsonValue()), (body) => {
      expect(refusal(JSON.parse(JSON.stringify(body)))).toMatch(
        /accepted|not right|is (?:null|text|a list|a number|a boolean|an empty list)/,
      )
    }),
    { numRuns: 300 },
  )
})
