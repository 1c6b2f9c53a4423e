// How well lines are grouped into templates, on logs whose true templates people assigned: a line counts as grouped right
// when its group holds exactly the lines of its event (grouping accuracy, Zhu et al., ICSE-SEIP 2019). One pass, one
// configuration for all.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { TemplateMiner } from '../src/diagnosis/log-templates.ts'

const labelled = z.object({ message: z.string(), event: z.string() })

const [folder, ...flags] = process.argv.slice(2)
if (folder === undefined || !existsSync(folder)) {
  console.error('usage: npm run bench:logs -- FOLDER [--groups]')
  process.exit(2)
}

const rows: Record<string, string | number>[] = []
for (const file of readdirSync(folder)
  .filter((name) => name.endsWith('.jsonl.gz'))
  .sort()) {
  const lines = gunzipSync(readFileSync(join(folder, file)))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => labelled.parse(JSON.parse(line)))
  const fromMs = performance.now()
  const miner = new TemplateMiner()
  const groups = lines.map(({ message }) => miner.add(message))
  const seconds = (performance.now() - fromMs) / 1000
  const { right, wrong } = compare(
    lines.map(({ event }) => event),
    groups,
  )
  rows.push({
    system: file.replace('.jsonl.gz', ''),
    lines: lines.length,
    events: new Set(lines.map(({ event }) => event)).size,
    groups: new Set(groups).size,
    accuracy: (right / lines.length).toFixed(3),
    'lines/s': Math.round(lines.length / seconds),
  })
  if (flags.includes('--groups')) {
    for (const { event, found } of wrong) {
      console.log(`${file} ${event}:`)
      for (const [group, count] of found)
        console.log(`  ${count} × ${miner.findTemplate(group)?.text.slice(0, 200) ?? ''}`)
    }
  }
}
const mean = rows.reduce((sum, { accuracy }) => sum + Number(accuracy), 0) / rows.length
console.table([...rows, { system: 'mean', accuracy: mean.toFixed(3) }])

/** How many lines stand in a group of exactly their event's lines, and the events that do not. */
function compare(events: readonly string[], groups: readonly number[]) {
  const byEvent = Map.groupBy(events.keys(), (at) => events[at] ?? '')
  const sizes = new Map<number, number>()
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1)
  let right = 0
  const wrong: { event: string; found: [number, number][] }[] = []
  for (const [event, at] of byEvent) {
    const found = [...Map.groupBy(at, (one) => groups[one] ?? 0)].map(([group, its]): [number, number] => [
      group,
      its.length,
    ])
    const [only] = found
    if (found.length === 1 && only && sizes.get(only[0]) === at.length) right += at.length
    else wrong.push({ event, found })
  }
  return { right, wrong }
}
