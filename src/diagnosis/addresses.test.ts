import { expect, test } from 'vitest'
import { findAddresses } from './addresses.ts'
import { buildTopology } from './topology.ts'

const topology = buildTopology([
  { caller: 'web', callee: 'CatalogueSearch' },
  { caller: 'web', callee: 'servi-searc.eu-west-1.elb.amazonaws.com_remote' },
  { caller: 'web', callee: 'NotificationService' },
  { caller: 'web', callee: 'orders-api' },
  { caller: 'web', callee: 'http://orders.shop.svc.cluster.local:8080' },
  { caller: 'web', callee: 'api.stripe.com' },
  { caller: 'web', callee: 'cart' },
  { caller: 'web', callee: 'cart-db' },
  { caller: 'web', callee: 'cart.shop.internal' },
])
const names = [...topology.callers.keys(), 'web']

test('a balancer’s host name stands for the one service whose name it holds, also where it was cut short', () => {
  const found = findAddresses(topology, names)
  expect(found.get('servi-searc.eu-west-1.elb.amazonaws.com_remote')).toBe('CatalogueSearch')
  expect(found.get('http://orders.shop.svc.cluster.local:8080')).toBe('orders-api')
})

test('a stranger’s address stands for nobody, and so does one that could be meant for two', () => {
  const found = findAddresses(topology, names)
  expect(found.has('api.stripe.com')).toBe(false)
  expect(found.has('cart.shop.internal')).toBe(false)
  expect(found.has('cart')).toBe(false)
})
