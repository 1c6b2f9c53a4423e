import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { traitsOf } from './agreement.ts'
import { normalised, type Prompt, SemanticIndex } from './semantic-index.ts'

const unit = (...values: number[]) => normalised(Float32Array.from(values)) as Float32Array
const prompt = (vector: Float32Array, { scope = 's', text = 'reset my password' } = {}): Prompt => ({
  scope,
  vector,
  traits: traitsOf(text) as NonNullable<ReturnType<typeof traitsOf>>,
})

test('prompts that are similar enough are found, the most similar first', () => {
  const index = new SemanticIndex({ clock: new ManualClock() })
  index.add(prompt(unit(1, 0.4)), 'near', 60)
  index.add(prompt(unit(1, 0.1)), 'nearest', 60)
  index.add(prompt(unit(0, 1)), 'far', 60)
  expect(index.find(prompt(unit(1, 0)), 0.9)).toEqual(['nearest', 'near'])
  expect(index.find(prompt(unit(1, 0)), 0.99)).toEqual(['nearest'])
})

test('never one of another scope, one that disagrees, one of another embedder, or one whose time is over', async () => {
  const clock = new ManualClock()
  const index = new SemanticIndex({ clock })
  index.add(prompt(unit(1, 0)), 'it', 60)
  expect(index.find(prompt(unit(1, 0), { scope: 'other' }), 0.5)).toEqual([])
  expect(index.find(prompt(unit(1, 0), { text: 'do not reset my password' }), 0.5)).toEqual([])
  expect(index.find(prompt(unit(1, 0, 0)), 0.5)).toEqual([])
  expect(index.find(prompt(unit(1, 0)), 0.5)).toEqual(['it'])
  await clock.advance(60_000)
  expect(index.find(prompt(unit(1, 0)), 0.5)).toEqual([])
  expect(index.size).toBe(0)
})

test('it holds no more than it may, in all and in one scope', () => {
  const step = fc.record({ key: fc.string({ maxLength: 2 }), scope: fc.constantFrom('a', 'b'), remove: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const index = new SemanticIndex({ clock: new ManualClock(), maxBytes: 8_000 })
      for (const { key, scope, remove } of steps) {
        if (remove) index.delete(scope, key)
        else index.add(prompt(unit(1, 0), { scope }), key, 60)
        expect(index.size).toBeLessThanOrEqual(10)
      }
    }),
  )
  const index = new SemanticIndex({ clock: new ManualClock() })
  for (let i = 0; i < 600; i++) index.add(prompt(unit(1, 0)), String(i), 60)
  expect(index.size).toBe(512)
  expect(index.find(prompt(unit(1, 0)), 0.9)).toContain('599')
})

test('a vector without a direction is none', () => {
  expect(normalised(Float32Array.from([0, 0]))).toBeUndefined()
  expect(normalised(Float32Array.from([NaN, 1]))).toBeUndefined()
  expect(normalised(Float32Array.from([3, 4]))).toEqual(Float32Array.from([0.6, 0.8]))
})
