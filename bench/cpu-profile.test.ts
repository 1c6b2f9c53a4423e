import { describe, expect, test } from 'vitest'
import { costsWithin, type CpuProfile } from './cpu-profile.ts'

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber })

// serve calls itself and then a package; the engine idles in between.
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 3] },
    { id: 2, callFrame: frame('serve', 'file:///home/me/midwatch/src/gateway/serve.ts', 9), children: [4] },
    { id: 3, callFrame: frame('(idle)') },
    { id: 4, callFrame: frame('serve', 'file:///home/me/midwatch/src/gateway/serve.ts', 9), children: [5] },
    { id: 5, callFrame: frame('dispatch', 'file:///home/me/midwatch/node_modules/undici/lib/pool.js', 41) },
  ],
  startTime: 1000,
  samples: [2, 3, 4, 5, 5],
  timeDeltas: [0, 100, 100, 100, 100],
}

describe('a CPU profile', () => {
  test('counts what lies within the window, cut at its ends, without idling', () => {
    const { busyMicros, functions } = costsWithin(profile, 1050, 1350)
    expect(functions).toEqual([
      { name: 'serve src/gateway/serve.ts:10', micros: 150 },
      { name: 'dispatch undici/lib/pool.js:42', micros: 50 },
    ])
    expect(busyMicros).toBe(200)
  })

  test('sums files of ours one by one and packages whole', () => {
    expect(costsWithin(profile, 0, 5000).files).toEqual([
      { name: 'src/gateway/serve.ts', micros: 200 },
      { name: 'undici', micros: 100 },
    ])
  })

  test('gives a function what it called, and a recursion only once', () => {
    expect(costsWithin(profile, 0, 5000).withCallees).toEqual([{ name: 'serve src/gateway/serve.ts:10', micros: 300 }])
  })
})
