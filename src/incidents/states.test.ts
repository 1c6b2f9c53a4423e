import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkMove, INCIDENT_STATES, statesBefore } from './states.ts'
import type { IncidentState } from './tables.ts'

const state = fc.constantFrom(...INCIDENT_STATES)

test('a closed incident can only open again', () => {
  for (const to of INCIDENT_STATES) expect(checkMove('closed', to).allowed).toBe(to === 'open')
})

test('from every state an incident can reach its end', () => {
  for (const from of INCIDENT_STATES) {
    const reached = new Set<IncidentState>([from])
    for (const at of reached) for (const to of INCIDENT_STATES) if (checkMove(at, to).allowed) reached.add(to)
    expect([...reached], from).toContain('closed')
  }
})

test('nothing is done to the world without having waited for approval', () => {
  expect(statesBefore('acting')).toEqual(['awaiting_approval'])
})

test('an action under way is looked at before anyone says that it helped', () => {
  expect(checkMove('acting', 'closed').allowed).toBe(false)
})

test('a refused move says why, and staying is no move', () => {
  fc.assert(
    fc.property(state, state, (from, to) => {
      const check = checkMove(from, to)
      expect(check.allowed).toBe(statesBefore(to).includes(from))
      if (!check.allowed) expect(check.reason).toMatch(/already|cannot become/)
      if (from === to) expect(check.allowed).toBe(false)
    }),
  )
})
