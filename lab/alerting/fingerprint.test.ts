import { expect, test } from 'vitest'
import { fingerprint } from './fingerprint.ts'

// What Alertmanager 0.25 computed for these labels.
test.each([
  [{ alertname: 'HighErrorRatio', service: 'checkout', severity: 'critical' }, 'e0df2298e77d85e2'],
  [{ service: 'a b', instance: '127.0.0.1:80', alertname: 'Ü"' }, 'e049de218317d7cf'],
])('%j has the fingerprint that Alertmanager gives it', (labels, expected) => {
  expect(fingerprint(labels)).toBe(expected)
})
