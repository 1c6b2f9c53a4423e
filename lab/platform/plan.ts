// How each service of the shop is run: its settings, its disk, its memory limit, and how a new release takes over.
import type { ServiceName } from './platform.ts'
import { SERVICES } from './platform.ts'

export interface ServicePlan {
  readonly config: Readonly<Record<string, string>>
  /** `rolling`: the new processes take over before the old ones end. `recreate`: one at a time, because it owns its data. */
  readonly rollout: 'rolling' | 'recreate'
  readonly volumeBytes?: number
}

const MB = 1024 * 1024

/** A process that grows beyond this is killed, as a container would be. */
export const MEMORY_LIMIT_BYTES = 320 * MB
export const MOST_INSTANCES = 6

const pool = (max: number) => ({ 'db.pool.max': String(max), 'db.pool.timeoutMs': '1000', 'db.timeoutMs': '4000' })

export const PLANS: Readonly<Record<ServiceName, ServicePlan>> = {
  storefront: { rollout: 'rolling', config: { workers: '10', 'render.ms': '110', timeoutMs: '5000' } },
  catalogue: { rollout: 'rolling', config: { ...pool(10), 'page.size': '12' } },
  cart: { rollout: 'rolling', config: { ...pool(8), timeoutMs: '2500' } },
  checkout: {
    rollout: 'rolling',
    config: {
      ...pool(8),
      'payment.path': '/charges',
      'payment.timeoutMs': '4500',
      'inventory.timeoutMs': '3000',
      'orders.queue': 'orders',
      'receipt.footer': 'Thank you',
    },
  },
  payment: { rollout: 'rolling', config: { 'acquirer.timeoutMs': '4000', currency: 'EUR' } },
  inventory: { rollout: 'rolling', config: pool(8), volumeBytes: 24 * MB },
  recommendations: { rollout: 'rolling', config: { timeoutMs: '3000', shown: '4' } },
  assistant: { rollout: 'rolling', config: { 'model.timeoutMs': '4500', greeting: 'Hello' } },
  'shop-db': { rollout: 'recreate', config: { maxConnections: '80' }, volumeBytes: 96 * MB },
  'orders-queue': { rollout: 'recreate', config: { 'lease.ms': '15000' }, volumeBytes: 24 * MB },
  fulfilment: { rollout: 'rolling', config: { 'label.ms': '60', 'label.format': 'A6' }, volumeBytes: 24 * MB },
}

/** Settings that nobody feels: for changes that mean nothing. */
export const HARMLESS_SETTINGS: Readonly<Partial<Record<ServiceName, readonly [string, readonly string[]]>>> = {
  catalogue: ['page.size', ['12', '16', '24']],
  checkout: ['receipt.footer', ['Thank you', 'See you soon', 'Thanks for your order']],
  payment: ['currency', ['EUR', 'eur']],
  recommendations: ['shown', ['4', '5', '6']],
  assistant: ['greeting', ['Hello', 'Good day', 'Welcome']],
  fulfilment: ['label.format', ['A6', 'A5']],
}

export const isService = (name: string): name is ServiceName => (SERVICES as readonly string[]).includes(name)
