// Every fault of the lab, each once.
import { AppError } from '../../src/core/errors.ts'
import { nearest } from '../../src/core/nearest.ts'
import { acquirerSlow } from './acquirer-slow.ts'
import { cartMemory } from './cart-memory.ts'
import { catalogueCpu } from './catalogue-cpu.ts'
import { catalogueRelease } from './catalogue-release.ts'
import { checkoutConfig } from './checkout-config.ts'
import type { Fault } from './fault.ts'
import { fulfilmentStuck } from './fulfilment-stuck.ts'
import { inventoryDisk } from './inventory-disk.ts'
import { inventoryDown } from './inventory-down.ts'
import { inventoryPool } from './inventory-pool.ts'
import { missingIndex } from './missing-index.ts'
import { modelFailing } from './model-failing.ts'
import { paymentDown } from './payment-down.ts'
import { paymentRelease } from './payment-release.ts'
import { paymentToken } from './payment-token.ts'
import { queueDisk } from './queue-disk.ts'
import { recommendationsCpu } from './recommendations-cpu.ts'
import { slowReport } from './slow-report.ts'
import { trafficSurge } from './traffic-surge.ts'

export const FAULTS: readonly Fault[] = [
  catalogueRelease,
  recommendationsCpu,
  cartMemory,
  slowReport,
  inventoryPool,
  checkoutConfig,
  paymentDown,
  acquirerSlow,
  fulfilmentStuck,
  queueDisk,
  paymentToken,
  trafficSurge,
  modelFailing,
  catalogueCpu,
  missingIndex,
  paymentRelease,
  inventoryDown,
  inventoryDisk,
]

/** Throws AppError `not_found` with the nearest name. */
export function getFault(name: string): Fault {
  const found = FAULTS.find((fault) => fault.name === name)
  if (found) return found
  const names = FAULTS.map((fault) => fault.name)
  const near = nearest(name, names)
  throw new AppError(
    'not_found',
    `No fault is called ${name}. ${near === undefined ? `There are ${names.join(', ')}.` : `Did you mean ${near}?`}`,
  )
}
