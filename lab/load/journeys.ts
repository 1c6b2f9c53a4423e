// What shoppers do, and how often. Each journey is a few requests to the storefront, one after the other.
import type { Random } from '../platform/random.ts'

export interface Step {
  readonly route: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
}

const PRODUCTS = 240
const SHOPPERS = 300
const WORDS = ['tea', 'coffee', 'cup', 'kettle', 'steel', 'green', 'lamp', 'jar']
const QUESTIONS = [
  'How long does delivery take?',
  'Can I send goods back?',
  'Which tea goes with honey?',
  'Do you take cards?',
]

type Journey = (random: Random) => readonly Step[]

const product = (random: Random) => random.int(1, PRODUCTS)
const shopper = (random: Random) => `shopper-${random.int(1, SHOPPERS)}`

const home: Journey = (random) => [{ route: '/', method: 'GET', path: `/?cart=${shopper(random)}` }]
const look: Journey = (random) => [{ route: '/products/:id', method: 'GET', path: `/products/${product(random)}` }]
const search: Journey = (random) => [{ route: '/search', method: 'GET', path: `/search?q=${random.pick(WORDS)}` }]
const add = (random: Random, cart: string): Step => ({
  route: '/carts/:cart/items',
  method: 'POST',
  path: `/carts/${cart}/items`,
  body: { product: product(random), quantity: random.int(1, 3) },
})
const fill: Journey = (random) => [add(random, shopper(random))]
const buy: Journey = (random) => {
  const customer = random.int(1, SHOPPERS)
  // A cart of its own: two who buy at once must not empty each other's.
  const cart = `buyer-${random.hex(8)}`
  return [add(random, cart), { route: '/checkout', method: 'POST', path: '/checkout', body: { cart, customer } }]
}
const ask: Journey = (random) => [
  { route: '/assist', method: 'POST', path: '/assist', body: { question: random.pick(QUESTIONS) } },
]

/** Shares of all journeys; they add up to 1. */
const SHARES: readonly (readonly [number, Journey])[] = [
  [0.29, home],
  [0.28, look],
  [0.14, search],
  [0.09, fill],
  [0.14, buy],
  [0.06, ask],
]

export function nextJourney(random: Random): readonly Step[] {
  let left = random.next()
  for (const [share, journey] of SHARES) {
    if (left < share) return journey(random)
    left -= share
  }
  return home(random)
}
