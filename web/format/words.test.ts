import { expect, test } from 'vitest'
import { FAULT_KINDS } from '../../src/core/fault-kinds.ts'
import { incidentSummary } from '../../src/incidents/view.ts'
import { kindWords, severityLevel, severityRank, splitSentence, stateWords } from './words.ts'

test('every kind of cause has words, and an unknown one is shown as it is', () => {
  for (const kind of FAULT_KINDS) expect(kindWords(kind)).not.toContain('_')
  expect(kindWords('solar_flare')).toBe('solar flare')
  expect(kindWords('constructor')).toBe('constructor')
})

test('every state has words of its own', () => {
  const states = incidentSummary.shape.state.options
  expect(new Set(states.map((state) => stateWords({ state, outcome: null }))).size).toBe(states.length)
  expect(stateWords({ state: 'closed', outcome: 'recovered' })).toBe('recovered by itself')
})

test('an unknown severity is treated as a warning, neither hidden nor shouted', () => {
  expect(['critical', 'info', 'sev9', ''].map(severityLevel)).toEqual(['critical', 'info', 'warning', 'warning'])
  expect(['critical', 'error', 'warning', 'info'].map(severityRank)).toEqual([0, 1, 2, 3])
})

test('a sentence in two parts is still the sentence word for word', () => {
  const sentence = "Checkout fails for 31 % because inventory's pool is full, because of deploy 8f2c1."
  const { what, why } = splitSentence(sentence)
  expect(what + why).toBe(sentence)
  expect(what).toBe('Checkout fails for 31 %')
  expect(splitSentence('Checkout fails. The cause is not known.').why).toBe(' The cause is not known.')
  expect(splitSentence('The cause is not known.')).toEqual({ what: 'The cause is not known.', why: '' })
})
