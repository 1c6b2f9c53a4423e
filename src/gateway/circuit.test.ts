import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Circuit, type CircuitPass, type Verdict } from './circuit.ts'

const RANDOM = () => 1

function call(circuit: Circuit, verdict: Verdict, nowMs: number): void {
  const pass = circuit.enter(nowMs)
  if (!pass) throw new Error('it is open')
  circuit.leave(pass, verdict, nowMs)
}

function opened(nowMs = 0): Circuit {
  const circuit = new Circuit(RANDOM)
  for (let i = 0; i < 5; i++) call(circuit, 'bad', nowMs)
  return circuit
}

test('five failures in a row open it, four and a success do not', () => {
  const circuit = new Circuit(RANDOM)
  for (let i = 0; i < 10; i++) call(circuit, 'good', 0)
  for (let i = 0; i < 4; i++) call(circuit, 'bad', 0)
  call(circuit, 'good', 0)
  for (let i = 0; i < 4; i++) call(circuit, 'bad', 0)
  expect(circuit.mayEnter(0)).toBe(true)
  call(circuit, 'bad', 0)
  expect(circuit.mayEnter(0)).toBe(false)
  expect(circuit.enter(0)).toBeNull()
})

test('half of at least five calls within half a minute open it', () => {
  const circuit = new Circuit(RANDOM)
  for (const [i, verdict] of (['good', 'bad', 'good', 'bad'] as const).entries()) call(circuit, verdict, i * 5000)
  expect(circuit.state(15_000)).toBe('closed')
  call(circuit, 'bad', 20_000)
  expect(circuit.state(20_000)).toBe('open')
})

test('failures half a minute apart do not add up to a share', () => {
  const circuit = new Circuit(RANDOM)
  for (let i = 0; i < 20; i++) {
    call(circuit, 'bad', i * 35_000)
    call(circuit, 'good', i * 35_000)
  }
  expect(circuit.state(20 * 35_000)).toBe('closed')
})

test('what says nothing counts for nothing', () => {
  const circuit = new Circuit(RANDOM)
  for (let i = 0; i < 4; i++) call(circuit, 'bad', 0)
  for (let i = 0; i < 50; i++) call(circuit, 'neutral', 0)
  expect(circuit.state(0)).toBe('closed')
  call(circuit, 'bad', 0)
  expect(circuit.state(0)).toBe('open')
})

test('after its time one probe goes through, whose success closes it', () => {
  const circuit = opened()
  expect(circuit.enter(1999)).toBeNull()
  const probe = circuit.enter(2000)
  expect(probe?.kind).toBe('probe')
  expect(circuit.enter(2000)).toBeNull()
  if (probe) circuit.leave(probe, 'good', 2500)
  expect(circuit.enter(2500)?.kind).toBe('closed')
})

test('it stays open longer each time, by chance up to half as long, and a minute at most', () => {
  for (const [random, share] of [
    [() => 1, 1],
    [() => 0, 0.5],
  ] as const) {
    const circuit = new Circuit(random)
    for (let i = 0; i < 5; i++) call(circuit, 'bad', 0)
    let nowMs = 0
    for (const expected of [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
      expect(circuit.opensAtMs(nowMs) - nowMs).toBe(expected * share)
      nowMs = circuit.opensAtMs(nowMs)
      call(circuit, 'bad', nowMs)
    }
  }
})

test('one that flaps opens for longer; one that held for more than a minute begins anew', () => {
  const circuit = opened()
  call(circuit, 'good', 2000)
  for (let i = 0; i < 5; i++) call(circuit, 'bad', 3000)
  expect(circuit.opensAtMs(3000)).toBe(7000)
  call(circuit, 'good', 7000)
  for (let i = 0; i < 5; i++) call(circuit, 'bad', 70_000)
  expect(circuit.opensAtMs(70_000)).toBe(72_000)
})

test('a probe that is given up frees the slot for the next', () => {
  const circuit = opened()
  call(circuit, 'neutral', 2000)
  expect(circuit.enter(2000)?.kind).toBe('probe')
})

test('a probe that is proved closes it at once, and is then a call like any other', () => {
  const circuit = opened()
  const probe = circuit.enter(2000)
  if (!probe) throw new Error('it is open')
  circuit.prove(probe, 2100)
  expect(circuit.state(2100)).toBe('closed')
  for (let i = 0; i < 4; i++) call(circuit, 'bad', 2200)
  circuit.leave(probe, 'bad', 2300)
  expect(circuit.state(2300)).toBe('open')
})

test('what began before it opened neither closes it nor opens it again', () => {
  const circuit = new Circuit(RANDOM)
  const old = Array.from({ length: 20 }, () => circuit.enter(0)).filter((pass) => pass !== null)
  for (let i = 0; i < 5; i++) call(circuit, 'bad', 0)
  const [late, ...later] = old
  if (late) circuit.leave(late, 'good', 100)
  expect(circuit.state(100)).toBe('open')
  call(circuit, 'good', 2000)
  for (const pass of later) circuit.leave(pass, 'bad', 2100)
  expect(circuit.state(2100)).toBe('closed')
})

test('an early probe may come before the time; its failure leaves the time as it was', () => {
  const circuit = opened()
  const early = circuit.enter(500, true)
  expect(early?.kind).toBe('probe')
  expect(circuit.enter(600, true)).toBeNull()
  if (early) circuit.leave(early, 'bad', 700)
  expect(circuit.opensAtMs(700)).toBe(2000)
  const again = circuit.enter(800, true)
  if (again) circuit.leave(again, 'good', 900)
  expect(circuit.state(900)).toBe('closed')
})

test('a pause lets nobody through, not even an early probe, and leaves a closed circuit closed', () => {
  const circuit = new Circuit(RANDOM)
  circuit.pause(5000)
  expect(circuit.enter(4999)).toBeNull()
  expect(circuit.enter(4999, true)).toBeNull()
  expect(circuit.opensAtMs(0)).toBe(5000)
  expect(circuit.enter(5000)?.kind).toBe('closed')
})

test('whatever comes in whatever order, at most one probe is under way, and nobody enters while it is open', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('enter' as const), early: fc.boolean() }),
    fc.record({
      kind: fc.constant('leave' as const),
      which: fc.nat(),
      verdict: fc.constantFrom<Verdict>('good', 'bad', 'bad', 'bad', 'neutral'),
    }),
    fc.record({ kind: fc.constant('prove' as const), which: fc.nat() }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
    fc.record({ kind: fc.constant('pause' as const), ms: fc.integer({ min: 0, max: 5_000 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const circuit = new Circuit(Math.random)
      const inside: CircuitPass[] = []
      const probes = new Set<CircuitPass>()
      let nowMs = 0
      for (const one of steps) {
        if (one.kind === 'pass') nowMs += one.ms
        else if (one.kind === 'pause') circuit.pause(nowMs + one.ms)
        else if (one.kind === 'enter') {
          const might = circuit.mayEnter(nowMs)
          const state = circuit.state(nowMs)
          const pass = circuit.enter(nowMs, one.early)
          if (!one.early) expect(pass !== null).toBe(might)
          if (pass) inside.push(pass)
          if (pass?.kind === 'probe') {
            expect(probes.size).toBe(0)
            probes.add(pass)
            if (!one.early) expect(state).toBe('recovering')
          } else if (pass) expect(state).toBe('closed')
          else expect(circuit.opensAtMs(nowMs)).toBeGreaterThan(nowMs)
        } else if (inside.length > 0) {
          const pass = inside[one.which % inside.length]
          if (!pass) continue
          if (one.kind === 'prove') circuit.prove(pass, nowMs)
          // Passes stay in the list: leaving twice must not matter.
          else circuit.leave(pass, one.verdict, nowMs)
          probes.delete(pass)
        }
      }
      // Whatever happened, it can recover: when all have left and time has passed, a probe that succeeds closes it.
      for (const pass of inside) circuit.leave(pass, 'neutral', nowMs)
      nowMs += 60_000
      call(circuit, 'good', nowMs)
      expect(circuit.state(nowMs)).toBe('closed')
    }),
    { numRuns: 500 },
  )
})
