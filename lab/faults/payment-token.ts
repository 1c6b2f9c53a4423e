// Payment's token at the acquirer runs out. A new one lies ready, but payment reads it only when it starts.
import type { Fault } from './fault.ts'

export const paymentToken: Fault = {
  name: 'payment-token',
  kind: 'credential_expired',
  service: 'payment',
  loudest: 'checkout',
  mends: 'restart',
  mendsOn: 'payment',
  minSeconds: 10,
  inject: async (platform) => {
    await platform.expireToken()
    return {}
  },
  heal: async (platform) => {
    await platform.restart('payment')
  },
}
