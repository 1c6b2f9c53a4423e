// A memory is no witness: what earlier cases may do to a ranking.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FaultKind } from '../../core/fault-kinds.ts'
import type { Cause } from '../../diagnosis/evidence.ts'
import { NO_DETAIL } from './case.ts'
import type { FoundCase } from './find.ts'
import { MOST_CONFIDENCE, MOST_SCORE, nudge } from './nudge.ts'
import type { Standing } from './standing.ts'

const cause = (service: string, score: number, confidence = 0.7, kind: FaultKind = 'cpu'): Cause => ({
  service,
  kind,
  metric: '',
  score,
  confidence,
  onset: null,
  evidence: [],
  against: [],
})

const found = (number: number, service: string, standing: Standing, likeness = 0.95): FoundCase => ({
  likeness,
  shared: [],
  differing: [],
  standing,
  case: {
    incidentId: `inc_${number}`,
    number,
    openedAt: 0,
    closedAt: 1,
    outcome: 'fixed',
    signature: { features: [], withEvidence: true },
    cause: { service, kind: 'cpu' },
    detail: NO_DETAIL,
  },
})
const confirmed = (service: string): Standing => ({
  kind: 'confirmed',
  cause: { service, kind: 'cpu' },
  by: 'Ada',
  diagnosisWrong: false,
})

test('a case that nobody confirmed moves nothing', () => {
  const causes = [cause('a', 4), cause('b', 3.95)]
  expect(nudge(causes, [found(1, 'b', { kind: 'unconfirmed' })], 0.5)).toEqual({ causes, nudges: [] })
})

test('confirmed cases decide between near equals, and it is told by how much and why', () => {
  const { causes, nudges } = nudge([cause('a', 4), cause('b', 3.95)], [found(7, 'b', confirmed('b'))], 0.5)
  expect(causes.map(({ service }) => service)).toEqual(['b', 'a'])
  expect(nudges).toEqual([
    { service: 'b', kind: 'cpu', score: 0.148, confidence: 0.037, because: [7], reordered: true },
  ])
})

test('a case whose diagnosis was marked wrong counts against its cause', () => {
  const wrong = found(7, 'a', { kind: 'wrong', by: 'Ada', really: '' })
  const { causes, nudges } = nudge([cause('a', 4), cause('b', 3.95)], [wrong], 0.5)
  expect(causes.map(({ service }) => service)).toEqual(['b', 'a'])
  expect(nudges[0]?.score).toBeLessThan(0)
})

test('evidence is never overridden: no number of cases moves a score, a confidence or an order by more than the bound', () => {
  const standing: fc.Arbitrary<Standing> = fc.oneof(
    fc.constantFrom('a', 'b', 'c').map(confirmed),
    fc.constantFrom('a', 'b', 'c').map((service): Standing => ({ kind: 'mended', cause: { service, kind: 'cpu' } })),
    fc.constant<Standing>({ kind: 'wrong', by: 'Ada', really: '' }),
    fc.constant<Standing>({ kind: 'unconfirmed' }),
  )
  const cases = fc.array(
    fc.tuple(fc.constantFrom('a', 'b', 'c'), standing, fc.double({ min: 0, max: 1, noNaN: true })),
    { maxLength: 40 },
  )
  const scores = fc.array(
    fc.tuple(fc.double({ min: 0, max: 9, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
    {
      minLength: 3,
      maxLength: 3,
    },
  )
  fc.assert(
    fc.property(cases, scores, (given, numbers) => {
      const before = ['a', 'b', 'c']
        .map((service, i) => cause(service, ...(numbers[i] ?? [1, 0.5])))
        .sort((x, y) => y.score - x.score)
      const { causes } = nudge(
        before,
        given.map(([service, one, likeness], i) => found(i, service, one, likeness)),
        0.5,
      )
      const tolerance = 0.0011
      for (const now of causes) {
        const was = before.find(({ service }) => service === now.service) ?? now
        expect(Math.abs(now.score - was.score)).toBeLessThanOrEqual(MOST_SCORE + tolerance)
        expect(Math.abs(now.confidence - was.confidence)).toBeLessThanOrEqual(MOST_CONFIDENCE + tolerance)
        // Sure enough to act on is what the evidence made so, and nothing else.
        if (was.confidence < 0.499) expect(now.confidence).toBeLessThan(0.5)
        for (const passed of causes.slice(causes.indexOf(now) + 1)) {
          const then = before.find(({ service }) => service === passed.service) ?? passed
          expect(then.score - was.score).toBeLessThanOrEqual(2 * MOST_SCORE + tolerance)
        }
      }
    }),
    { numRuns: 200 },
  )
})
