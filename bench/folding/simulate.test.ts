import { expect, test } from 'vitest'
import { foldInMemory, generateStorm, type Rule, type StormSettings } from './simulate.ts'

const RUNS = 200
const DENSE = { services: 40, calls: 3, surge: 0, apart: true }

/** In how many of the runs there are as many incidents as faults, and how pure they are. */
function play(settings: Omit<StormSettings, 'seed'>, rule: Rule) {
  const sum = { exact: 0, right: 0, together: 0 }
  for (let seed = 1; seed <= RUNS; seed++) {
    const { alerts, topology } = generateStorm({ ...settings, seed: 100_000 + seed })
    const incidentOf = foldInMemory(alerts, topology, rule)
    if (new Set(incidentOf).size === new Set(alerts.map(({ fault }) => fault)).size) sum.exact++
    for (const [i, one] of alerts.entries())
      for (const [j, other] of alerts.entries())
        if (i < j && incidentOf[i] === incidentOf[j]) {
          sum.together++
          if (one.fault === other.fault) sum.right++
        }
  }
  return { exact: sum.exact / RUNS, precision: sum.right / sum.together }
}

test('the storm of one fault in a dense graph is one incident, in whatever order its alerts come', () => {
  expect(play({ ...DENSE, faults: 1 }, 'midwatch').exact).toBeGreaterThan(0.95)
})

test('two faults that one cause cannot explain are two incidents, where a chain of neighbours makes them one', () => {
  const ours = play({ ...DENSE, faults: 2 }, 'midwatch')
  const chain = play({ ...DENSE, faults: 2 }, 'chain')
  expect(ours.exact).toBeGreaterThan(0.75)
  expect(ours.exact).toBeGreaterThan(chain.exact + 0.08)
  expect(ours.precision).toBeGreaterThan(chain.precision)
})
