// Inventory dies while it writes its state file and cannot start again; product pages and checkouts go without it.
import type { Fault } from './fault.ts'
import { crashForGood, revive } from './crash-loop.ts'

export const inventoryDown: Fault = {
  name: 'inventory-down',
  kind: 'down',
  service: 'inventory',
  loudest: 'storefront',
  mends: 'restart',
  mendsOn: 'inventory',
  minSeconds: 8,
  inject: (platform, random) => crashForGood(platform, 'inventory', random),
  heal: (platform) => revive(platform, 'inventory'),
}
