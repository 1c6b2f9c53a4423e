// How well personal data is found in labelled sentences, by type, and how long it takes. Reads folders with pii.jsonl
// ({text, spans: [{start, end, type}]}): `node bench/pii.ts [--data DIR] [--misses]`. The material is measured on, never
// copied. A span counts as found when one of the same type overlaps it; a finding that overlaps no label of its type is wrong.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { detect } from '../src/privacy/detect.ts'
import { PII_TYPES, type PiiType } from '../src/privacy/spans.ts'
import { z } from 'zod'

const row = z.object({
  text: z.string(),
  spans: z.array(z.object({ start: z.number(), end: z.number(), type: z.string() })),
  unresolved: z.array(z.unknown()).default([]),
})

/** The labels of the sets, as our types. Others (names, places, dates) are not ours to find. */
const LABELS: Readonly<Record<string, PiiType>> = {
  EMAIL_ADDRESS: 'email',
  EMAIL: 'email',
  PHONE_NUMBER: 'phone',
  PHONE: 'phone',
  CREDIT_CARD: 'card',
  US_SSN: 'ssn',
  SSN: 'ssn',
  IBAN_CODE: 'iban',
  IBAN: 'iban',
  IP_ADDRESS: 'ip',
  PASSWORD: 'secret',
}

const { values } = parseArgs({ options: { data: { type: 'string' }, misses: { type: 'boolean' } } })
const data = values.data ?? join(import.meta.dirname, '../../shared/data')
const sets = ['pii-presidio', 'pii-nano-en'].filter((set) => existsSync(join(data, set, 'pii.jsonl')))
if (sets.length === 0) {
  console.error(
    `There is no pii-presidio/pii.jsonl and no pii-nano-en/pii.jsonl in ${data}. Name their folder with --data.`,
  )
  process.exit(2)
}

for (const set of sets) {
  const lines = readFileSync(join(data, set, 'pii.jsonl'), 'utf8')
    .trim()
    .split('\n')
  // A row with labels whose place is unknown can show neither what was missed nor what is wrong.
  const rows = lines.map((line) => row.parse(JSON.parse(line))).filter(({ unresolved }) => unresolved.length === 0)
  const counts = new Map(PII_TYPES.map((type) => [type, { labelled: 0, recalled: 0, exact: 0, found: 0, right: 0 }]))
  for (const { text, spans } of rows) {
    const found = detect(text)
    const labels = spans.flatMap(({ start, end, type }) => (LABELS[type] ? [{ start, end, type: LABELS[type] }] : []))
    for (const label of labels) {
      const count = counts.get(label.type)
      const hit = found.find((one) => one.type === label.type && one.start < label.end && one.end > label.start)
      if (!count) continue
      count.labelled++
      if (hit) count.recalled++
      else if (values.misses) console.log(`${set} missed ${label.type}: ${shown(text, label)}`)
      if (hit?.start === label.start && hit.end === label.end) count.exact++
      else if (hit && values.misses)
        console.log(`${set} inexact ${label.type}: ${shown(text, label)} as ${shown(text, hit)}`)
    }
    for (const one of found) {
      const count = counts.get(one.type)
      if (!count) continue
      count.found++
      if (labels.some((label) => label.type === one.type && one.start < label.end && one.end > label.start))
        count.right++
      else if (values.misses) console.log(`${set} wrong ${one.type}: ${shown(text, one)}`)
    }
  }
  console.log(`\n${set}: ${rows.length} texts`)
  console.table(
    [...counts]
      .filter(([, { labelled, found }]) => labelled + found > 0)
      .map(([type, { labelled, recalled, exact, found, right }]) => ({
        type,
        labelled,
        recall: share(recalled, labelled),
        exact: share(exact, labelled),
        found,
        precision: share(right, found),
      })),
  )
  const corpus = rows.map(({ text }) => text)
  console.log(
    `${(microsecondsFor(corpus) / (corpus.join('').length / 1024)).toFixed(2)} µs a kB over the set's own texts`,
  )
}

const prose =
  'The committee met again in the autumn and, after some debate about the minutes, agreed that the harbour wall would be mended first. ' +
  'Nobody had expected that; the well-known engineer had asked for twelve weeks and was given ten, in 2024 of all years. '
const two = prose.repeat(9).slice(0, 2048)
console.log(
  `\n${microsecondsFor([two]).toFixed(2)} µs for 2 kB of prose with nothing in it (${detect(two).length} findings)`,
)

/** For one pass over all of them, the best of several rounds. */
function microsecondsFor(texts: readonly string[]): number {
  let best = Infinity
  for (let round = 0; round < 15; round++) {
    const passes = Math.max(1, Math.ceil(200_000 / texts.reduce((sum, text) => sum + text.length, 0)))
    const from = performance.now()
    for (let pass = 0; pass < passes; pass++) for (const text of texts) detect(text)
    best = Math.min(best, ((performance.now() - from) * 1000) / passes)
  }
  return best
}

function share(part: number, whole: number): string {
  return whole === 0 ? '' : (part / whole).toFixed(3)
}

function shown(text: string, { start, end }: { start: number; end: number }): string {
  return JSON.stringify(
    `${text.slice(Math.max(0, start - 30), start)}[${text.slice(start, end)}]${text.slice(end, end + 12)}`,
  )
}
