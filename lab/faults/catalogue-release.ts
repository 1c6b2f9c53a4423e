// A release of the catalogue throws on a share of the requests of one route.
import { deployBad, undeployBad } from './bad-release.ts'
import type { Fault } from './fault.ts'

const ROUTES = ['/products/:id', '/search', '/products'] as const
const MESSAGES = [
  `Cannot read properties of undefined (reading 'price')`,
  `product.variants is not iterable`,
  `Cannot convert undefined or null to object`,
] as const

export const catalogueRelease: Fault = {
  name: 'catalogue-release',
  kind: 'bad_deploy',
  service: 'catalogue',
  loudest: 'storefront',
  mends: 'roll-back',
  mendsOn: 'catalogue',
  minSeconds: 8,
  inject: (platform, random) =>
    deployBad(platform, 'catalogue', random, {
      failRoute: random.pick(ROUTES),
      failMessage: random.pick(MESSAGES),
      failShare: random.between(0.45, 0.85),
    }),
  heal: (platform) => undeployBad(platform, 'catalogue'),
}
