// `npm run bench`: what a call costs on its way through Midwatch with everything on, beside calling directly, the least
// that a proxy can do on Node, and peers, all in one run on one machine. The provider answers at once, so the differences
// are the way. `--soak` sends a million requests instead and watches the memory.
import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { residents, sequential, streaming, throughput } from './measure.ts'
import { figuresTable, noiseTable, targetsTable } from './report.ts'
import { figuresOf, type Measured, MEASURES, ratio, verdicts } from './results.ts'
import { soak } from './soak.ts'
import { startSubjects, type Subject, SUBJECTS, type SubjectName } from './subjects.ts'

interface Flags {
  readonly quick?: true
  readonly json?: true
  readonly only: readonly SubjectName[]
  readonly soak?: number | true
}

const program = new Command('bench')
  .description('What a call costs on its way through Midwatch, beside a direct call, a bare proxy and peers.')
  .option('--quick', 'take about two minutes instead of ten, and wonder more at the spread')
  .option('--json', 'print JSON')
  .option('--only <list>', `some of ${SUBJECTS.join(',')}; direct is always among them`, parseOnly, [...SUBJECTS])
  .option(
    '--soak [requests]',
    'send so many requests (default: a million) through Midwatch and watch its memory',
    parseCount,
  )
  .allowExcessArguments(false)
program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
const flags = program.parse().opts<Flags>()

const machine = { node: process.version, processors: availableParallelism() }

if (flags.soak === undefined) await compare()
else await watchMemory(flags.soak === true ? 1_000_000 : flags.soak)

async function compare(): Promise<void> {
  const size = flags.quick
    ? { sequential: { slices: 5, rounds: 150 }, throughput: { slices: 4, sliceMs: 1_000 }, streaming: { slices: 2 } }
    : { sequential: { slices: 10, rounds: 500 }, throughput: { slices: 10, sliceMs: 3_000 }, streaming: { slices: 8 } }
  say('Starting … ')
  const started = await startSubjects(flags.only)
  const { subjects, leftOut } = started
  try {
    say('warming up … ')
    await sequential(subjects, { slices: 1, rounds: 100 })
    await throughput(subjects, { slices: 1, sliceMs: flags.quick ? 1_000 : 3_000 })
    say('one call at a time … ')
    const latencyMs = await sequential(subjects, size.sequential)
    say('many at once … ')
    const plain = await throughput(subjects, size.throughput)
    say('streams …\n\n')
    const streams = await streaming(subjects, size.streaming)
    const names = subjects.map(({ name }) => name)
    const measured = { names, latencyMs, plain, streams, residentBytes: residents(subjects) }
    if (flags.json) printJson(measured, leftOut)
    else printTables(measured, leftOut)
  } finally {
    await started.stop()
  }
}

type LeftOut = readonly { readonly name: SubjectName; readonly why: string }[]

function printJson(measured: Measured, leftOut: LeftOut): void {
  const overBare = measured.names.flatMap((name) =>
    MEASURES.map((measure) => ({ name, measure, ratio: ratio(measured, measure, name, 'bare') })),
  )
  const targets = verdicts(measured)
  console.log(
    JSON.stringify({ ...machine, quick: flags.quick, leftOut, figures: figuresOf(measured), overBare, targets }),
  )
}

function printTables(measured: Measured, leftOut: LeftOut): void {
  console.log(`Node ${machine.node}, ${machine.processors} processors shared by provider, caller and subject.`)
  for (const { name, why } of leftOut) console.log(`${name} is left out: ${why}`)
  console.log(`\n${figuresTable(figuresOf(measured))}`)
  console.log(`\n${noiseTable(measured)}`)
  console.log(`\n${targetsTable(verdicts(measured))}`)
}

async function watchMemory(count: number): Promise<void> {
  say('Starting …\n')
  const started = await startSubjects(['midwatch'])
  try {
    const [midwatch] = started.subjects as [Subject]
    const result = await soak(midwatch, count, ({ requests, seconds, residentMb, heapMb }) =>
      say(`${requests} requests, ${seconds} s: ${residentMb ?? '-'} MB resident, ${heapMb ?? '-'} MB of heap\n`),
    )
    const failed = Object.values(result.errors).reduce((sum, times) => sum + times, 0)
    if (flags.json) console.log(JSON.stringify({ ...machine, ...result }))
    else {
      console.log(`${failed} errors${failed > 0 ? `: ${JSON.stringify(result.errors)}` : ''}`)
      console.log(`Over the second half of the requests, memory grew by ${result.growthMb ?? '-'} MB.`)
    }
    if (failed > 0) process.exitCode = 1
  } finally {
    await started.stop()
  }
}

function parseOnly(list: string): SubjectName[] {
  const wanted = list.split(',').map((name) => name.trim())
  const wrong = wanted.find((name) => !SUBJECTS.some((known) => known === name))
  if (wrong !== undefined) throw new InvalidArgumentError(`There is no ${wrong}. Take some of ${SUBJECTS.join(', ')}.`)
  return SUBJECTS.filter((name) => name === 'direct' || wanted.includes(name))
}

function parseCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('Take a whole number from 1 on.')
  return count
}

/** Progress, which has no place in JSON. */
function say(text: string): void {
  if (!flags.json) process.stderr.write(text)
}
