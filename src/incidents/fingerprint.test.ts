import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fingerprintOf, identityOf, maskValue } from './fingerprint.ts'

const labelName = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom('__proto__', 'constructor', 'pod', 'alertname'),
)
const pairs = fc.uniqueArray(fc.tuple(labelName, fc.string({ maxLength: 30, unit: 'binary' })), {
  selector: ([name]) => name,
  maxLength: 8,
})

const same = (a: Record<string, string>, b: Record<string, string>) => expect(fingerprintOf(a)).toBe(fingerprintOf(b))
const differ = (a: Record<string, string>, b: Record<string, string>) =>
  expect(fingerprintOf(a)).not.toBe(fingerprintOf(b))

test('the order of labels does not matter, whatever they are called', () => {
  fc.assert(
    fc.property(pairs, (entries) => {
      const reversed = Object.fromEntries(entries.toReversed())
      expect(identityOf(Object.fromEntries(entries))).toBe(identityOf(reversed))
      expect(fingerprintOf(Object.fromEntries(entries))).toBe(fingerprintOf(reversed))
    }),
  )
})

test('the identity changes with any label', () => {
  fc.assert(
    fc.property(pairs, pairs, (a, b) => {
      const sorted = (entries: [string, string][]) => JSON.stringify([...entries].sort(([x], [y]) => (x < y ? -1 : 1)))
      fc.pre(sorted(a) !== sorted(b))
      expect(identityOf(Object.fromEntries(a))).not.toBe(identityOf(Object.fromEntries(b)))
    }),
  )
})

test('masking twice changes nothing more', () => {
  fc.assert(
    fc.property(labelName, fc.oneof(fc.string(), fc.uuid(), fc.string({ unit: 'grapheme' })), (label, value) => {
      const once = maskValue(label, value)
      expect(maskValue(label, once)).toBe(once)
    }),
  )
})

describe('the same trouble has the same fingerprint', () => {
  test('in the next pod of a deployment or a daemon set', () => {
    same({ pod: 'checkout-7d9f8b6c5d-x2x7k' }, { pod: 'checkout-5b4c8f7d66-q9wzt' })
    same({ pod: 'fluentd-x2x7k' }, { pod: 'fluentd-q9wzt' })
    differ({ pod: 'checkout-7d9f8b6c5d-x2x7k' }, { pod: 'payment-7d9f8b6c5d-x2x7k' })
  })

  test('whichever of two watchers saw it, and whatever it measured', () => {
    same({ alertname: 'A', prometheus_replica: 'a' }, { alertname: 'A', prometheus_replica: 'b' })
    same({ alertname: 'A', value: '93.1' }, { alertname: 'A', value: '95.8' })
    same({ alertname: 'Disk 93.1% full on web1' }, { alertname: 'Disk 95% full on web1' })
    same({ alertname: 'Latency 523 ms on /pay' }, { alertname: 'Latency 1200 ms on /pay' })
  })

  test('with another request, container or time in its text', () => {
    const id = () => globalThis.crypto.randomUUID()
    same({ request: `failed ${id()}` }, { request: `failed ${id()}` })
    same({ container_id: 'a'.repeat(40) + '1' }, { container_id: 'b'.repeat(40) + '2' })
    same({ since: 'since 2026-11-23T03:12:40Z' }, { since: 'since 2026-11-24 04:00:00+01:00' })
  })
})

describe('what identifies is kept', () => {
  test('the ordinal of a stateful set, the instance, the code, the quantile, the severity', () => {
    differ({ pod: 'db-0' }, { pod: 'db-1' })
    differ({ instance: '10.0.0.1:9100' }, { instance: '10.0.0.2:9100' })
    differ({ instance: '10.0.0.1:9100' }, { instance: '10.0.0.1:9200' })
    differ({ code: '503' }, { code: '504' })
    differ({ quantile: '0.99' }, { quantile: '0.5' })
    differ({ severity: 'warning' }, { severity: 'critical' })
  })

  test('numbers in the name of a rule', () => {
    differ({ alertname: 'Http500s' }, { alertname: 'Http404s' })
    differ({ alertname: 'Region1Down' }, { alertname: 'Region2Down' })
  })

  test('names in free text', () => {
    differ({ alertname: 'Disk full on web1' }, { alertname: 'Disk full on web2' })
  })
})
