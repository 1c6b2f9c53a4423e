// A setting of checkout is changed so that its calls really fail: a time limit nobody can keep, or a name that the
// other side does not know.
import type { Fault } from './fault.ts'
import { PLANS } from '../platform/plan.ts'

const CHANGES = [
  { key: 'payment.timeoutMs', values: ['5', '10', '15'] },
  { key: 'payment.path', values: ['/v2/charges', '/charge'] },
  { key: 'orders.queue', values: ['orders-v2', 'order'] },
] as const

export const checkoutConfig: Fault = {
  name: 'checkout-config',
  kind: 'bad_config',
  service: 'checkout',
  loudest: 'checkout',
  mends: 'roll-back',
  mendsOn: 'checkout',
  minSeconds: 8,
  inject: (platform, random) => {
    const { key, values } = random.pick(CHANGES)
    return platform.configure('checkout', key, random.pick(values))
  },
  heal: async (platform) => {
    const isBad = () =>
      CHANGES.some(({ key }) => platform.revision('checkout').config[key] !== PLANS.checkout.config[key])
    while (isBad()) await platform.rollBack('checkout')
  },
}
