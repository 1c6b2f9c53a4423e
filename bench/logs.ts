// How well lines are grouped into templates, on logs whose true templates people assigned: a line counts as grouped right
// when its group holds exactly the lines of its event (grouping accuracy, Zhu et al., ICSE-SEIP 2019). One pass, one
// configuration for all.
// --groups: what is wrong. --leave-one-out: each threshold chosen on the other systems. --lines N: memory on a long stream.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { type MinerOptions, TemplateMiner } from '../src/diagnosis/log-templates.ts'
import { TemplateStream } from '../src/diagnosis/template-stream.ts'
import { seeded } from '../src/diagnosis/testing/shop.ts'

const labelled = z.object({ message: z.string(), event: z.string() })

interface System {
  readonly name: string
  readonly lines: readonly z.infer<typeof labelled>[]
}

const [folder, ...flags] = process.argv.slice(2)
if (folder === undefined || !existsSync(folder)) {
  console.error('usage: npm run bench:logs -- FOLDER [--groups] [--leave-one-out] [--lines N]')
  process.exit(2)
}

const systems = readdirSync(folder)
  .filter((name) => name.endsWith('.jsonl.gz'))
  .sort()
  .map((file): System => ({ name: file.replace('.jsonl.gz', ''), lines: read(join(folder, file)) }))

const rows: Record<string, string | number>[] = systems.map((system) => {
  const { accuracy, groups, seconds, wrong } = measure(system)
  if (flags.includes('--groups')) for (const one of wrong) console.log(one)
  return {
    system: system.name,
    lines: system.lines.length,
    events: new Set(system.lines.map(({ event }) => event)).size,
    groups,
    accuracy: accuracy.toFixed(3),
    'lines/s': Math.round(system.lines.length / seconds),
  }
})
const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length
console.table([...rows, { system: 'mean', accuracy: mean(rows.map(({ accuracy }) => Number(accuracy))).toFixed(3) }])
if (flags.includes('--leave-one-out')) leaveOneOut()
const count = Number(flags[flags.indexOf('--lines') + 1])
if (flags.includes('--lines')) streamLines(Number.isFinite(count) ? count : 10_000_000)

function read(file: string): System['lines'] {
  return gunzipSync(readFileSync(file))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => labelled.parse(JSON.parse(line)))
}

function measure({ name, lines }: System, options?: MinerOptions) {
  const fromMs = performance.now()
  const miner = new TemplateMiner(options)
  const given = lines.map(({ message }) => miner.add(message))
  const groups = given.map((id) => miner.currentId(id))
  const seconds = (performance.now() - fromMs) / 1000
  const sizes = new Map<number, number>()
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1)
  let right = 0
  const wrong: string[] = []
  for (const [event, at] of Map.groupBy(lines.keys(), (i) => lines[i]?.event ?? '')) {
    const found = [...Map.groupBy(at, (i) => groups[i] ?? 0)]
    const [only] = found
    if (found.length === 1 && only && sizes.get(only[0]) === at.length) right += at.length
    else {
      const told = found.map(([id, its]) => `  ${its.length} × ${miner.findTemplate(id)?.text.slice(0, 200) ?? ''}`)
      wrong.push([`${name} ${event}:`, ...told].join('\n'))
    }
  }
  return { accuracy: right / lines.length, groups: sizes.size, seconds, wrong }
}

/** Each system with the thresholds that are best on the others: of equally good ones those in the middle. */
function leaveOneOut(): void {
  const grid: MinerOptions[] = [3, 4, 5, 6, 7, 8, 12].flatMap((distinctWords) =>
    [2, 3, 4, 6].flatMap((distinctNames) =>
      [1, 2, 3].map((leastContext) => ({ distinctWords, distinctNames, leastContext })),
    ),
  )
  const scores = grid.map((options) => systems.map((system) => measure(system, options).accuracy))
  const rows = systems.map(({ name }, left) => {
    const others = scores.map((each) => mean(each.filter((_, i) => i !== left)))
    const best = Math.max(...others)
    const equal = grid.flatMap((options, i) => ((others[i] ?? 0) > best - 1e-9 ? [{ options, i }] : []))
    const chosen = equal[Math.floor(equal.length / 2)]
    return {
      'left out': name,
      'best on the others': best.toFixed(3),
      ...chosen?.options,
      accuracy: (scores[chosen?.i ?? 0]?.[left] ?? 0).toFixed(3),
    }
  })
  console.table([
    ...rows,
    { 'left out': 'mean', accuracy: mean(rows.map(({ accuracy }) => Number(accuracy))).toFixed(3) },
  ])
}

/** A stream of lines of all systems with other digits in every line, as the command would mine it. */
function streamLines(total: number): void {
  const messages = systems.flatMap(({ lines }) => lines.map(({ message }) => message))
  const random = seeded(1)
  const stream = new TemplateStream()
  const fromMs = performance.now()
  const rows: Record<string, string | number>[] = []
  let written = 0
  let highest = 0
  for (let i = 1; i <= total; i++) {
    const message = messages[Math.floor(random() * messages.length)] ?? ''
    const full = stream.add(message.replaceAll(/\d/g, () => String(Math.floor(random() * 10))))
    if (full || i === total)
      for (const { id } of stream.release()) {
        written++
        if (id > highest) highest = id
      }
    if (i % Math.ceil(total / 10) !== 0) continue
    rows.push({
      lines: i,
      written,
      'highest id': highest,
      'rss MB': Math.round(process.memoryUsage.rss() / 1e6),
      'lines/s, with making them': Math.round((i / (performance.now() - fromMs)) * 1000),
    })
  }
  console.table(rows)
}
