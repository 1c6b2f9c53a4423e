// A release of the database runs without an index that a frequent query needs: that query reads the whole table, and
// the others wait behind it.
import { deployBad, undeployBad } from './bad-release.ts'
import type { Fault } from './fault.ts'

export const missingIndex: Fault = {
  name: 'missing-index',
  kind: 'slow_database',
  service: 'shop-db',
  loudest: 'storefront',
  mends: 'roll-back',
  mendsOn: 'shop-db',
  minSeconds: 10,
  inject: (platform, random) => deployBad(platform, 'shop-db', random, { withoutIndex: 'order_lines_by_order' }),
  heal: (platform) => undeployBad(platform, 'shop-db'),
}
