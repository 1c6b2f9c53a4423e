// How well alerts are folded when several faults happen at once: `npm run bench:folding`. Call graphs are drawn at random,
// K faults break services at random places, trouble travels to callers (or, with a surge, to callees) with delays, and every
// alert knows which fault it is of. Pairs of alerts are judged: precision is how many that were put together belong
// together, recall how many that belong together were put together. Beside it two plain rules, and `told`: what somebody could do who
// was told which services broke. All on the same alerts.
import { parseArgs } from 'node:util'
import { foldInMemory, type GeneratedAlert, generateStorm, type Rule } from './folding/simulate.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean' },
  },
})
const runs = Number(values.runs)

const SETTINGS = [
  { name: '1 fault, sparse', faults: 1, services: 30, calls: 1.5, surge: 0, apart: true },
  { name: '1 fault, dense', faults: 1, services: 40, calls: 3, surge: 0, apart: true },
  { name: '1 surge, dense', faults: 1, services: 40, calls: 3, surge: 1, apart: true },
  { name: '2 apart, sparse', faults: 2, services: 30, calls: 1.5, surge: 0, apart: true },
  { name: '2 apart, dense', faults: 2, services: 40, calls: 3, surge: 0, apart: true },
  { name: '3 apart, dense', faults: 3, services: 80, calls: 3, surge: 0, apart: true },
  // One may break what the other calls: then one cause explains everything, and one incident is no mistake.
  { name: '2 anywhere, dense', faults: 2, services: 40, calls: 3, surge: 0, apart: false },
] as const

const RULES: readonly Rule[] = ['service', 'chain', 'midwatch', 'told']

/** Of all pairs of alerts: together and rightly so, together, and belonging together. */
function countPairs(alerts: readonly GeneratedAlert[], incidentOf: readonly number[]) {
  const pairs = { right: 0, together: 0, belong: 0 }
  for (let i = 0; i < alerts.length; i++)
    for (let j = i + 1; j < alerts.length; j++) {
      const together = incidentOf[i] === incidentOf[j]
      const belong = alerts[i]?.fault === alerts[j]?.fault
      if (together) pairs.together++
      if (belong) pairs.belong++
      if (together && belong) pairs.right++
    }
  return pairs
}

const rows: Record<string, string | number>[] = []
for (const setting of SETTINGS)
  for (const rule of RULES) {
    const sum = { right: 0, together: 0, belong: 0, incidents: 0, faults: 0, exact: 0, alerts: 0 }
    for (let run = 0; run < runs; run++) {
      const { alerts, topology } = generateStorm({ ...setting, seed: Number(values.seed) * 100_000 + run })
      const incidentOf = foldInMemory(alerts, topology, rule)
      const pairs = countPairs(alerts, incidentOf)
      const incidents = new Set(incidentOf).size
      const faults = new Set(alerts.map(({ fault }) => fault)).size
      sum.right += pairs.right
      sum.together += pairs.together
      sum.belong += pairs.belong
      sum.incidents += incidents
      sum.faults += faults
      sum.exact += incidents === faults ? 1 : 0
      sum.alerts += alerts.length
    }
    rows.push({
      case: setting.name,
      rule,
      precision: (sum.right / Math.max(1, sum.together)).toFixed(3),
      recall: (sum.right / Math.max(1, sum.belong)).toFixed(3),
      'incidents/faults': (sum.incidents / sum.faults).toFixed(2),
      'number right': (sum.exact / runs).toFixed(2),
      'alerts a run': (sum.alerts / runs).toFixed(1),
    })
  }
if (values.json) console.log(JSON.stringify(rows))
else console.table(rows)
