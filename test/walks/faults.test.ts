// Every fault of the fault server, in every dialect, against the real process and through the official SDKs.
import { expect, test } from 'vitest'
import { runCells } from '../faults/run.ts'
import { scorecard } from '../faults/scorecard.ts'
import { SCENARIOS } from '../faults/scenarios.ts'

test('each fault comes to the complete right answer, or to an error that is correct and in time', async () => {
  const results = await runCells()
  console.log(scorecard(results))
  expect(new Set(results.map(({ cell }) => cell.scenario.name)).size).toBe(SCENARIOS.length)
  expect(results.filter(({ wrong }) => wrong !== null).map(({ cell, wrong }) => `${cell.id}: ${wrong}`)).toEqual([])
})
