import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FairQueue, type Place } from './fair-queue.ts'

test('tenants take turns, and each one keeps its own order', () => {
  const queue = new FairQueue<string>()
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) queue.push(item.slice(0, 1), item)
  expect(Array.from({ length: 7 }, () => queue.next())).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3', undefined])
})

test('one call behind a thousand of another tenant is second', () => {
  const queue = new FairQueue<number>()
  for (let i = 0; i < 1000; i++) queue.push('hog', i)
  queue.push('guest', -1)
  expect([queue.next(), queue.next()]).toEqual([0, -1])
})

test('what is dropped is the newest of the longest line, and only of a longer one', () => {
  const queue = new FairQueue<string>()
  for (const item of ['a1', 'a2', 'b1', 'b2', 'b3']) queue.push(item.slice(0, 1), item)
  expect(queue.dropFromLongest(3)).toBeUndefined()
  expect(queue.dropFromLongest(2)).toBe('b3')
  expect(queue.dropFromLongest(1)).toBe('a2')
  expect([queue.next(), queue.next(), queue.next(), queue.next()]).toEqual(['a1', 'b1', 'b2', undefined])
})

test('whatever comes and goes: nothing is lost, nothing comes twice, and each line keeps its order', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), tenant: fc.constantFrom('a', 'b', 'c') }),
    fc.constant({ kind: 'next' as const }),
    fc.record({ kind: fc.constant('remove' as const), which: fc.nat() }),
    fc.record({ kind: fc.constant('drop' as const), length: fc.nat(5) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const queue = new FairQueue<number>()
      const places: Place<number>[] = []
      // The model: every line as an array.
      const lines: Record<string, number[]> = { a: [], b: [], c: [] }
      const all = () => Object.values(lines).flat()
      const take = (item: number) => {
        for (const line of Object.values(lines)) if (line.includes(item)) line.splice(line.indexOf(item), 1)
      }
      for (const one of steps) {
        if (one.kind === 'push') {
          lines[one.tenant]?.push(places.length)
          places.push(queue.push(one.tenant, places.length))
        } else if (one.kind === 'remove' && places.length > 0) {
          const place = places[one.which % places.length]
          if (!place) continue
          queue.remove(place)
          take(place.item)
        } else if (one.kind === 'drop') {
          const dropped = queue.dropFromLongest(one.length)
          const longest = Math.max(...Object.values(lines).map((line) => line.length))
          if (dropped === undefined) expect(longest).toBeLessThanOrEqual(one.length)
          else {
            expect(Object.values(lines).some((line) => line.length === longest && line.at(-1) === dropped)).toBe(true)
            take(dropped)
          }
        } else if (one.kind === 'next') {
          const item = queue.next()
          if (item === undefined) expect(all()).toEqual([])
          else {
            expect(Object.values(lines).some((line) => line[0] === item)).toBe(true)
            take(item)
          }
        }
        expect(queue.length).toBe(all().length)
        expect(queue.tenants).toBe(Object.values(lines).filter((line) => line.length > 0).length)
      }
    }),
  )
})
