import fc from 'fast-check'
import { expect, it } from 'vitest'
import { confidenceIn } from './confidence.ts'
import { type Candidate, rank } from './rank.ts'

const finite = fc.double({ min: 0, max: 1, noNaN: true })
const candidates = fc.array(
  fc.record({
    words: fc.option(finite, { nil: undefined }),
    cosine: fc.option(finite, { nil: undefined }),
    named: fc.boolean(),
  }),
  { minLength: 1, maxLength: 20 },
)

const toCandidate = (
  { words, cosine, named }: { words: number | undefined; cosine: number | undefined; named: boolean },
  ordinal: number,
): Candidate => ({
  passage: {
    id: String(ordinal),
    collection: 'c',
    document: `d${ordinal}`,
    title: '',
    source: null,
    metadata: {},
    ordinal,
    headings: [],
    start: 0,
    end: 1,
    page: null,
    text: 'x',
  },
  words,
  cosine,
  evidence: { covered: words ?? 0, titled: 0, named },
})

it('a passage that both halves hold for better, and that is named no less, never comes behind', () => {
  fc.assert(
    fc.property(candidates, (given) => {
      const ranked = rank(given.map(toCandidate), 'hybrid')
      expect(ranked).toHaveLength(given.length)
      ranked.forEach((behind, i) => {
        for (const before of ranked.slice(0, i)) {
          const better =
            (behind.words ?? 0) > (before.words ?? 0) + 1e-6 &&
            (behind.cosine ?? 0) > (before.cosine ?? 0) + 1e-6 &&
            before.cosine !== undefined &&
            (behind.evidence.named || !before.evidence.named)
          expect(better).toBe(false)
        }
      })
    }),
  )
})

it('meaning counts the more the less the words of the question are anywhere, and nothing where they all are', () => {
  const of = (covered: number) =>
    [
      toCandidate({ words: 1, cosine: 0.1, named: false }, 0),
      ...[0.2, 0.2, 0.2, 0.9].map((cosine, i) => toCandidate({ words: 0.7, cosine, named: false }, i + 1)),
    ].map((one) => ({ ...one, evidence: { ...one.evidence, covered } }))
  const first = (covered: number) => rank(of(covered), 'hybrid')[0]?.passage.document
  expect([first(1), first(0.8), first(0)]).toEqual(['d0', 'd0', 'd4'])
})

it('one half alone ranks by that half alone', () => {
  fc.assert(
    fc.property(candidates, (given) => {
      const words = rank(given.map(toCandidate), 'bm25').map((one) => one.words ?? 0)
      expect(words).toEqual(words.toSorted((a, b) => b - a))
      const cosines = rank(given.map(toCandidate), 'vector').map(({ cosine }) => cosine ?? 0)
      expect(cosines).toEqual(cosines.toSorted((a, b) => b - a))
    }),
  )
})

it('being sure is a number from 0 to 1 whatever was found, and 0 of nothing', () => {
  fc.assert(
    fc.property(candidates, (given) => {
      const sure = confidenceIn(rank(given.map(toCandidate), 'hybrid'))
      expect(sure).toBeGreaterThan(0)
      expect(sure).toBeLessThan(1)
    }),
  )
  expect(confidenceIn([])).toBe(0)
})
