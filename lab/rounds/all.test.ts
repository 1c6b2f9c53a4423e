import { expect, test } from 'vitest'
import { FAULTS } from '../faults/all.ts'
import { HARD_ROUNDS, parseRounds, ROUNDS } from './all.ts'

test('every fault and every hard round can be asked for by name, several by comma', () => {
  const names = [...FAULTS.map(({ name }) => name), ...HARD_ROUNDS.keys()]
  expect([...ROUNDS.keys()]).toEqual(names)
  expect(parseRounds('alert-storm, none')).toEqual(['alert-storm', 'none'])
})

test('a round that does not exist is refused with the nearest name, before anything is started', () => {
  expect(() => parseRounds('none,two-fault')).toThrow('Did you mean two-faults?')
})
