// A release of payment throws on a share of the charges; the checkout's customers feel it.
import { deployBad, undeployBad } from './bad-release.ts'
import type { Fault } from './fault.ts'

const MESSAGES = [
  `Cannot read properties of null (reading 'toFixed')`,
  `Invalid time value`,
  `amount.minus is not a function`,
]

export const paymentRelease: Fault = {
  name: 'payment-release',
  kind: 'bad_deploy',
  service: 'payment',
  loudest: 'checkout',
  mends: 'roll-back',
  mendsOn: 'payment',
  minSeconds: 10,
  inject: (platform, random) =>
    deployBad(platform, 'payment', random, {
      failRoute: '/charges',
      failMessage: random.pick(MESSAGES),
      failShare: random.between(0.5, 0.9),
    }),
  heal: (platform) => undeployBad(platform, 'payment'),
}
