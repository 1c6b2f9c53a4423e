import { expect, test } from 'vitest'
import { incidentSummary, incidentView } from '../../src/incidents/view.ts'
import { everyIncident, summary } from './fixtures.ts'

test('what the page is developed against is what the API answers', () => {
  for (const incident of everyIncident()) expect(incidentView.parse(incident)).toEqual(incident)
  expect(incidentSummary.parse(summary())).toEqual(summary())
})

test('every state of an incident is among them', () => {
  const states = new Set(everyIncident().map(({ state }) => state))
  expect([...states].sort()).toEqual([...incidentSummary.shape.state.options].sort())
})
