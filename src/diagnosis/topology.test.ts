import { describe, expect, it } from 'vitest'
import { buildTopology, distances, failurePath } from './topology.ts'

const topology = buildTopology([
  { caller: 'door', callee: 'a' },
  { caller: 'door', callee: 'b' },
  { caller: 'a', callee: 'deep' },
  { caller: 'b', callee: 'deep' },
  { caller: 'deep', callee: 'a' },
  { caller: 'a', callee: 'a' },
])

describe('topology', () => {
  it('counts calls away and survives cycles', () => {
    expect(distances(topology, ['door'])).toEqual(
      new Map([
        ['door', 0],
        ['a', 1],
        ['b', 1],
        ['deep', 2],
      ]),
    )
  })

  it('leads the path through those that suffer', () => {
    expect(failurePath(topology, ['door'], 'deep', (service) => (service === 'b' ? 1 : 0))).toEqual([
      'door',
      'b',
      'deep',
    ])
    expect(failurePath(topology, ['door'], 'deep', (service) => (service === 'a' ? 1 : 0))).toEqual([
      'door',
      'a',
      'deep',
    ])
  })

  it('has no path where there is none', () => {
    expect(failurePath(topology, ['deep'], 'door', () => 0)).toEqual([])
  })
})
