// A release of inventory forgets to give some database connections back: soon none is left, and who reserves stock
// waits until the pool gives up.
import { deployBad, undeployBad } from './bad-release.ts'
import type { Fault } from './fault.ts'

export const inventoryPool: Fault = {
  name: 'inventory-pool',
  kind: 'pool_exhausted',
  service: 'inventory',
  loudest: 'checkout',
  mends: 'roll-back',
  mendsOn: 'inventory',
  minSeconds: 12,
  inject: (platform, random) =>
    deployBad(platform, 'inventory', random, { leakConnectionShare: random.between(0.25, 0.6) }),
  heal: (platform) => undeployBad(platform, 'inventory'),
}
