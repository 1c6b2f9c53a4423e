// Payment dies while it writes its state file. The file is broken, so every start fails: only a clean place to start
// in helps.
import type { Fault } from './fault.ts'
import { crashForGood, revive } from './crash-loop.ts'

export const paymentDown: Fault = {
  name: 'payment-down',
  kind: 'down',
  service: 'payment',
  loudest: 'checkout',
  mends: 'restart',
  mendsOn: 'payment',
  minSeconds: 8,
  inject: (platform, random) => crashForGood(platform, 'payment', random),
  heal: (platform) => revive(platform, 'payment'),
}
