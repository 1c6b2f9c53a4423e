// `node test/faults/scorecard.ts [NAME]`: every fault (or those whose cell has NAME in it) against the real process, as a
// table, and what is wrong with each that failed. Ends with 1 if one did.
import { type Result, runCells } from './run.ts'
import { SPEECHES } from './speech.ts'

/** A line a fault, a column for each dialect of callers: how many of its cells are right. */
export function scorecard(results: readonly Result[]): string {
  const byScenario = Map.groupBy(results, ({ cell }) => cell.scenario.name)
  const width = Math.max(...[...byScenario.keys()].map(({ length }) => length))
  const lines = [...byScenario].map(([name, all]) => {
    const columns = SPEECHES.map((speech) => {
      const mine = all.filter(({ cell }) => cell.caller === speech)
      const right = mine.filter(({ wrong }) => wrong === null).length
      return `${right}/${mine.length}`.padStart(10)
    })
    return `${name.padEnd(width)}${columns.join('')}`
  })
  const failures = results
    .filter(({ wrong }) => wrong !== null)
    .map(({ cell, wrong }) => `  ${cell.id}: ${wrong ?? ''}`)
  const right = results.length - failures.length
  return [
    `${'fault'.padEnd(width)}${SPEECHES.map((speech) => speech.padStart(10)).join('')}`,
    ...lines,
    `${right} of ${results.length} right`,
    ...failures,
  ].join('\n')
}

if (import.meta.main) {
  const part = process.argv[2] ?? ''
  const results = await runCells(({ id }) => id.includes(part))
  console.log(scorecard(results))
  process.exit(results.every(({ wrong }) => wrong === null) ? 0 : 1)
}
