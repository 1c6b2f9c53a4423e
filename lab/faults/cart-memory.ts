// A release of cart keeps something of every request: memory grows until the process is killed at its limit, starts
// again, and grows anew.
import { deployBad, undeployBad } from './bad-release.ts'
import type { Fault } from './fault.ts'

export const cartMemory: Fault = {
  name: 'cart-memory',
  kind: 'memory_leak',
  service: 'cart',
  loudest: 'cart',
  mends: 'roll-back',
  mendsOn: 'cart',
  minSeconds: 15,
  inject: (platform, random) => deployBad(platform, 'cart', random, { keepKbPerRequest: random.int(400, 800) }),
  heal: (platform) => undeployBad(platform, 'cart'),
}
