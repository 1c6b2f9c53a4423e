import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { sizeOf } from './cached-answer.ts'
import { MemoryStore } from './memory-store.ts'
import { answer, storeContract } from './testing/store-contract.ts'

const clock = new ManualClock()
const contracted = new MemoryStore({ clock })
storeContract('the store in this process', {
  store: () => contracted,
  pass: (ms) => clock.advance(ms),
  settled: () => Promise.resolve(),
})

test('what was asked for least recently makes room', () => {
  const store = new MemoryStore({ clock, maxBytes: 3 * sizeOf(answer('1')) })
  for (const key of ['1', '2', '3']) store.set(key, answer(key), 60)
  store.get('1')
  store.set('4', answer('4'), 60)
  expect(['1', '2', '3', '4'].map((key) => store.get(key)?.text)).toEqual(['1', undefined, '3', '4'])
})

test('it never holds more bytes than it may, whatever is written, replaced and deleted', () => {
  const maxBytes = 20_000
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    bytes: fc.nat({ max: 25_000 }),
    does: fc.constantFrom('set', 'set', 'delete', 'get'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const store = new MemoryStore({ clock, maxBytes })
      for (const { key, bytes, does } of steps) {
        if (does === 'delete') store.delete(key)
        else if (does === 'get') store.get(key)
        else store.set(key, answer('x', { pieces: [{ kind: 'said', bytes: Buffer.alloc(bytes) }] }), 60)
        const held = ['a', 'b', 'c', 'd', 'e', 'f'].flatMap((one) => store.get(one) ?? [])
        expect(held.reduce((sum, one) => sum + sizeOf(one), 0)).toBeLessThanOrEqual(maxBytes)
      }
      // Nothing was counted twice or forgotten: it can still be filled.
      store.set('last', answer('x', { pieces: [{ kind: 'said', bytes: Buffer.alloc(maxBytes - 4_000) }] }), 60)
      expect(store.get('last')).toBeDefined()
    }),
  )
})
