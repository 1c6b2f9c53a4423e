import fc from 'fast-check'
import { expect, it } from 'vitest'
import { diversify } from './diversify.ts'

const passage = fc.record({
  collection: fc.constantFrom('c', 'd'),
  document: fc.constantFrom('x', 'y', 'z'),
  start: fc.nat(100),
  end: fc.integer({ min: 101, max: 200 }),
})

it('the best stay in their order, no document has more than its share, and the first is always there', () => {
  fc.assert(
    fc.property(
      fc.array(passage),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 3 }),
      (ranked, limit, perDocument) => {
        const chosen = diversify(ranked, { limit, perDocument })
        expect(chosen.length).toBeLessThanOrEqual(limit)
        expect(chosen[0]).toBe(ranked[0])
        const places = chosen.map((one) => ranked.indexOf(one))
        expect(places).toEqual(places.toSorted((a, b) => a - b))
        for (const { collection, document } of chosen) {
          const own = chosen.filter((other) => other.collection === collection && other.document === document)
          expect(own.length).toBeLessThanOrEqual(perDocument)
        }
      },
    ),
  )
})

it('a passage that says for the most part what a better one of its page says is left out', () => {
  const at = (start: number, end: number) => ({ collection: 'c', document: 'x', start, end })
  expect(diversify([at(0, 100), at(20, 110), at(90, 200)], { limit: 9, perDocument: 9 })).toEqual([
    at(0, 100),
    at(90, 200),
  ])
})
