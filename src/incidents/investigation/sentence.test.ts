import { expect, test } from 'vitest'
import { FAULT_KINDS } from '../../core/fault-kinds.ts'
import type { Cause, Evidence } from '../../diagnosis/evidence.ts'
import { duration, KIND_WORDS, writeSentence } from './sentence.ts'

const onset = Date.UTC(2026, 2, 3, 3, 12, 40)
const change: Evidence = {
  id: 'e1',
  claim: 'deploy 8f2c1',
  weight: 1,
  ref: {
    kind: 'change',
    id: 'c1',
    at: onset - 11_000,
    service: 'inventory',
    changeKind: 'deploy',
    summary: '',
    to: '8f2c1',
  },
}
const cause = (more: Partial<Cause> = {}): Cause => ({
  service: 'inventory',
  kind: 'pool_exhausted',
  metric: 'db_pool',
  score: 3,
  confidence: 0.92,
  onset,
  evidence: [change],
  against: [],
  ...more,
})

test('effect, cause, since when, because of what change', () => {
  expect(writeSentence({ effect: 'checkout fails for 31 % of requests', causes: [cause()], missing: [] })).toBe(
    "Checkout fails for 31 % of requests because inventory's connection pool is full since 03:12:40 UTC, 11 s after deploy 8f2c1 of inventory.",
  )
})

test('what is not known is said as plainly', () => {
  expect(
    writeSentence({ effect: 'checkout is slow', causes: [], missing: ['Logs of payment.', 'Traces.', 'more'] }),
  ).toBe('Checkout is slow. The cause is not known. What would settle it: Logs of payment. Traces.')
  expect(writeSentence({ effect: '', causes: [], missing: [] })).toBe('Something is wrong. The cause is not known.')
})

test('nothing is said about a change that came after, or about an onset that is not known', () => {
  const later = { ...change, ref: { ...change.ref, at: onset + 120_000 } } as Evidence
  expect(writeSentence({ effect: 'x fails', causes: [cause({ evidence: [later] })], missing: [] })).not.toContain(
    'deploy',
  )
  expect(writeSentence({ effect: 'x fails', causes: [cause({ onset: null })], missing: [] })).toBe(
    "X fails because inventory's connection pool is full.",
  )
})

test.each(FAULT_KINDS)('the sentence for %s names its kind by the words that a rewording is checked for', (kind) => {
  const [, reason] = writeSentence({ effect: 'x fails', causes: [cause({ kind, evidence: [] })], missing: [] }).split(
    ' because ',
  )
  expect(reason).toMatch(KIND_WORDS[kind])
  expect(reason).toContain('inventory')
})

test.each([
  [11_000, '11 s'],
  [245_000, '4 min 5 s'],
  [600_000, '10 min'],
  [7_800_000, '2 h 10 min'],
  [4 * 3_600_000, '4 h'],
])('%i ms are said as %s', (ms, said) => {
  expect(duration(ms)).toBe(said)
})

test('a guess is told as a guess', () => {
  const told = (confidence: number) =>
    writeSentence({ effect: 'checkout is slow', causes: [cause({ confidence })], missing: [] })
  expect(told(0.49)).toMatch(/^Checkout is slow\. The cause is not certain; most likely inventory's/)
  expect(told(0.5)).toMatch(/^Checkout is slow because inventory's/)
})
