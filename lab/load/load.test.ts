import { expect, test } from 'vitest'
import { createRandom } from '../platform/random.ts'
import { nextJourney } from './journeys.ts'
import { createTally } from './tally.ts'

test('the same seed sends the same shoppers', () => {
  const draw = (seed: number) => {
    const random = createRandom(seed)
    return Array.from({ length: 50 }, () => nextJourney(random))
  }
  expect(draw(4)).toEqual(draw(4))
  expect(draw(4)).not.toEqual(draw(5))
})

test('every part of the shop gets its share of the visits', () => {
  const random = createRandom(1)
  const routes = Array.from({ length: 3000 }, () => nextJourney(random)).flat()
  const shareOf = (route: string) => routes.filter((step) => step.route === route).length / routes.length
  for (const route of ['/', '/products/:id', '/search', '/carts/:cart/items', '/checkout'])
    expect(shareOf(route), route).toBeGreaterThan(0.08)
  expect(shareOf('/assist')).toBeGreaterThan(0.03)
})

test('recent figures forget what is older than ten seconds, totals do not', () => {
  const tally = createTally()
  tally.add({ route: '/', ok: false, tookMs: 900, atMs: 1000 })
  tally.add({ route: '/', ok: true, tookMs: 100, atMs: 12_000 })
  expect(tally.stats(12_500)).toMatchObject({
    sent: 2,
    failed: 1,
    recentFailedShare: 0,
    recentMeanMs: 100,
    recentByRoute: { '/': { perSecond: 0.1 } },
  })
})
