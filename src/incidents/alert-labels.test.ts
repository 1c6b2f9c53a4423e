import { expect, test } from 'vitest'
import { placesOf, serviceOf } from './alert-service.ts'
import { believableStart, parseTime } from './alert-times.ts'
import { isMilestone } from './mention.ts'
import { firstSentence, titleOf } from './opening-words.ts'
import { normaliseSeverity, worseOf } from './severity.ts'

test('the service is the first of the documented labels, and an exporter is not a service', () => {
  expect(serviceOf({ service: 'checkout', job: 'x' })).toBe('checkout')
  expect(serviceOf({ job: 'pinger' })).toBe('pinger')
  expect(serviceOf({ job: 'kubernetes-pods', app: 'cart' })).toBe('cart')
  expect(serviceOf({ job: 'kube-state-metrics', deployment: 'cart' })).toBe('cart')
  expect(serviceOf({ service: 'prometheus-node-exporter', instance: 'h:9100' })).toBeNull()
  expect(serviceOf({ service: '  ' })).toBeNull()
  expect(serviceOf({})).toBeNull()
})

test('places are hosts; the port counts on loopback only', () => {
  expect(placesOf({ instance: '10.0.0.5:9100', node: 'web1' })).toEqual(['web1', '10.0.0.5'])
  expect(placesOf({ instance: '127.0.0.1:4801' })).toEqual(['127.0.0.1:4801'])
  expect(placesOf({})).toEqual([])
})

test('every common spelling of a severity is one of four, and what is unknown is a warning', () => {
  for (const word of ['page', 'P1', 'SEV-1', 'Sev 1', 'critical', 'Disaster'])
    expect(normaliseSeverity(word)).toBe('critical')
  for (const word of ['error', 'HIGH', 'major', 'p2']) expect(normaliseSeverity(word)).toBe('error')
  for (const word of ['warn', 'Medium', 'sev3', 'constructor', '', undefined])
    expect(normaliseSeverity(word)).toBe('warning')
  for (const word of ['none', 'info', 'low', 'p5']) expect(normaliseSeverity(word)).toBe('info')
  expect(worseOf('warning', 'critical')).toBe('critical')
  expect(worseOf('error', 'error')).toBe('error')
})

test('times are read with nine decimals and any offset, and nothing else is a time', () => {
  expect(parseTime('2018-03-07T06:33:21.873077559-05:00')).toBe(Date.UTC(2018, 2, 7, 11, 33, 21, 873))
  expect(parseTime('2026-11-23 03:12:40z')).toBe(Date.UTC(2026, 10, 23, 3, 12, 40))
  expect(parseTime('0001-01-01T00:00:00Z')).toBeLessThan(0)
  for (const text of ['', 'yesterday', '2026-11-23', '1700000000', '2026-13-01T00:00:00Z', '2026-11-23T03:12:40'])
    expect(parseTime(text), text).toBeUndefined()
})

test('a beginning in the future or an age ago gives way to the moment of receipt', () => {
  const received = Date.UTC(2026, 10, 23)
  expect(believableStart(received - 5000, received)).toBe(received - 5000)
  expect(believableStart(received + 3_600_000, received)).toBe(received)
  expect(believableStart(parseTime('0001-01-01T00:00:00Z') ?? 0, received)).toBe(received)
})

test('the first words are plain English, on one line, whatever the alert is called', () => {
  const at = Date.UTC(2026, 10, 23, 3, 12)
  expect(titleOf('HighErrorRate', 'checkout')).toBe('checkout: high error rate')
  expect(titleOf('KubePodOOMKilled', null)).toBe('Kube pod OOM killed')
  expect(firstSentence('HighErrorRate', 'checkout', at, at)).toBe(
    'checkout: error rate is high since 03:12 UTC. Being looked at.',
  )
  expect(firstSentence('Disk full', null, at, at + 86_400_000)).toBe(
    'Disk full since 2026-11-23 03:12 UTC. Being looked at.',
  )
  const hostile = titleOf(`a\n\u2028b\u0007${'x'.repeat(500)}😀`, 'ser\nvice')
  expect(hostile).not.toMatch(/[\p{Cc}\p{Zl}]/u)
  expect(hostile.length).toBeLessThan(260)
})

test('numbers worth telling grow', () => {
  expect(Array.from({ length: 3000 }, (_, i) => i).filter(isMilestone)).toEqual([25, 50, 100, 250, 500, 1000, 2500])
})
