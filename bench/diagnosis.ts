// How often the diagnosis ranks the guilty service first and among the first three, on recorded cases of real systems with
// injected faults, beside plain methods on the same cases; how far its confidence can be believed; how often it cries wolf in
// a healthy time; and how much it loses when the cases are disturbed. Takes the folder of the sets: SET/cases, SET/baseline,
// SET/topology.csv, SET/truth.json.
import { existsSync } from 'node:fs'
import { diagnose } from '../src/diagnosis/diagnose.ts'
import { DISTURBANCES, randomOf } from './diagnosis/disturb.ts'
import { leaveOneOut } from './diagnosis/leave-one-out.ts'
import { PLAIN } from './diagnosis/plain.ts'
import { cutQuietCases } from './diagnosis/quiet.ts'
import { accuracyOf, binned, scoreAnswer, summarise, type Scored } from './diagnosis/score.ts'
import { OBSERVERS, readSets, type RecordedCase, type RecordedSet } from './diagnosis/sets.ts'

const [root, ...flags] = process.argv.slice(2)
const KNOWN = ['--cases', '--disturbed', '--leave-one-out', '--json']
if (root === undefined || !existsSync(root) || flags.some((flag) => !KNOWN.includes(flag))) {
  console.error(`usage: npm run bench:diagnosis -- FOLDER_OF_SETS [--cases] [--disturbed] [--leave-one-out] [--json]
  --cases      also print the answer to every case
  --disturbed  also answer every case disturbed in eight ways (takes minutes)
  --leave-one-out  fit what is fitted without each set in turn, and try it on that set (takes minutes)
  --json       print one JSON line for each row instead of tables`)
  process.exit(2)
}

/** Pieces of the healthy time of each set that are presented as cases. */
const QUIET_CASES = 10

const sets = await readSets(root)
const all: Scored[] = []
const rows: Record<string, unknown>[] = []
for (const set of sets) {
  const scored = set.cases.map((one) => answer(set, one, one.input, flags.includes('--cases')))
  all.push(...scored)
  rows.push({ set: set.name, cases: set.cases.length, method: 'midwatch', ...summarise(scored) })
  for (const [method, rank] of Object.entries(PLAIN)) {
    const places = set.cases.map(({ input, truth }) => rank(input, set.baseline).indexOf(truth.service))
    rows.push({ set: set.name, cases: set.cases.length, method, ...accuracyOf(places) })
  }
}
show('The guilty service, by method', rows)
show(
  'Confidence, over all sets',
  binned(all).map(({ from, until, count, stated, right }) => ({
    stated: `${from} to ${until}`,
    answers: count,
    'mean stated': count === 0 ? '' : stated.toFixed(2),
    'share right': count === 0 ? '' : right.toFixed(2),
  })),
)
show('Healthy time presented as a case', sets.map(falseAlarms))
if (flags.includes('--disturbed')) show('Disturbed cases', sets.flatMap(disturbed))
if (flags.includes('--leave-one-out')) {
  const { rows: table, fitted } = leaveOneOut(sets)
  show('What is fitted, without each set in turn', table)
  show('Fitted to all sets: factors on the weights set by hand, and the coefficients of the confidence', [fitted])
}

function answer(set: RecordedSet, { id, truth }: RecordedCase, input: RecordedCase['input'], print = false): Scored {
  const startedMs = performance.now()
  const diagnosis = diagnose(input, { reference: set.baseline, observers: OBSERVERS })
  const scored = scoreAnswer(diagnosis, truth, performance.now() - startedMs)
  if (print) {
    const named = [...diagnosis.causes, ...diagnosis.leads]
      .slice(0, 3)
      .map(({ service, kind, score, confidence }) => `${service} ${kind} ${score} (${confidence})`)
    console.log(`${set.name} ${id} ${truth.service} ${truth.kind}: place ${scored.place + 1}; ${named.join(', ')}`)
  }
  return scored
}

function falseAlarms(set: RecordedSet) {
  const answers = cutQuietCases(set, QUIET_CASES).map(({ input, baseline }) =>
    diagnose(input, { reference: baseline, observers: OBSERVERS }),
  )
  const confidences = answers.map(({ causes }) => causes[0]?.confidence ?? 0)
  return {
    set: set.name,
    pieces: answers.length,
    abstained: answers.filter(({ abstained }) => abstained).length,
    'named below 0.5': confidences.filter((one) => one > 0 && one < 0.5).length,
    'named at 0.5 and more': confidences.filter((one) => one >= 0.5).length,
  }
}

function disturbed(set: RecordedSet) {
  const each = Object.entries(DISTURBANCES).map(([disturbance, disturb]) => {
    const scored = set.cases.map((one) =>
      answer(set, one, disturb(one.input, randomOf(`${disturbance} ${set.name} ${one.id}`))),
    )
    return { disturbance, scored }
  })
  const rowOf = (disturbance: string, scored: readonly Scored[]) => ({
    set: set.name,
    disturbance,
    ...summarise(scored),
  })
  return [
    ...each.map(({ disturbance, scored }) => rowOf(disturbance, scored)),
    rowOf(
      'all',
      each.flatMap(({ scored }) => scored),
    ),
  ]
}

function show(title: string, table: readonly object[]): void {
  if (flags.includes('--json')) {
    for (const row of table) console.log(JSON.stringify({ table: title, ...row }))
    return
  }
  console.log(`\n${title}`)
  console.table(table)
}
