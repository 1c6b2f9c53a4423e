import { expect, test } from 'vitest'
import { layoutMap, NODE_WIDTH } from './map-layout.ts'

const service = (name: string, role: 'cause' | 'victim' | 'bystander' = 'victim') => ({ name, role })
const edge = (caller: string, callee: string) => ({ caller, callee })

test('who calls stands above whom it calls, also past a short cut', () => {
  const { nodes } = layoutMap(
    {
      services: [service('inventory', 'cause'), service('checkout'), service('storefront')],
      edges: [edge('storefront', 'checkout'), edge('checkout', 'inventory'), edge('storefront', 'inventory')],
    },
    800,
  )
  const y = (name: string) => nodes.find((node) => node.name === name)?.y ?? Number.NaN
  expect(y('storefront')).toBeLessThan(y('checkout'))
  expect(y('checkout')).toBeLessThan(y('inventory'))
})

test('services that call each other in a circle are all placed', () => {
  const { nodes } = layoutMap(
    { services: [service('a'), service('b'), service('c')], edges: [edge('a', 'b'), edge('b', 'c'), edge('c', 'a')] },
    800,
  )
  expect(new Set(nodes.map(({ x, y }) => `${x},${y}`)).size).toBe(3)
})

test('on a narrow page a wide row is broken, and no two boxes meet', () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const { nodes, width } = layoutMap({ services: names.map((name) => service(name)), edges: [] }, 320)
  expect(width).toBeLessThanOrEqual(320)
  for (const one of nodes)
    for (const other of nodes)
      if (one !== other && one.y === other.y) expect(Math.abs(one.x - other.x)).toBeGreaterThanOrEqual(NODE_WIDTH)
})

test('the failure travels only between the cause and those it hurts', () => {
  const { edges } = layoutMap(
    {
      services: [service('inventory', 'cause'), service('checkout'), service('search', 'bystander')],
      edges: [edge('checkout', 'inventory'), edge('search', 'inventory'), edge('checkout', 'nobody')],
    },
    800,
  )
  expect(edges.map(({ from, failing }) => [from.name, failing])).toEqual([
    ['checkout', true],
    ['search', false],
  ])
})
