// `npm run bench`: what Midwatch adds to a call, beside calling directly and beside the least that a proxy can do, all
// in one run on one machine. The provider answers at once, so the differences are the way. `--quick` takes half a minute.
import { Command } from 'commander'
import { sequential, streaming, throughput } from './measure.ts'
import { residentBytes } from './processes.ts'
import { startSubjects } from './subjects.ts'

const program = new Command('bench')
  .description('What Midwatch adds to a call, beside a direct call and a bare proxy.')
  .option('--quick', 'take about half a minute')
  .option('--json', 'print JSON')
  .allowExcessArguments(false)
program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
const flags = program.parse().opts<{ quick?: true; json?: true }>()
const size = flags.quick
  ? { warmUp: 200, sequential: 500, slices: 2, sliceMs: 1_000 }
  : { warmUp: 1_000, sequential: 3_000, slices: 5, sliceMs: 2_000 }

const quantile = (values: readonly number[], q: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

const say = (text: string) => {
  if (!flags.json) process.stderr.write(text)
}

say('Starting the provider, the bare proxy and Midwatch … ')
const started = await startSubjects()
const { subjects } = started
try {
  say('warming up … ')
  await sequential(subjects, size.warmUp)
  await throughput(subjects, 1, 500)
  await streaming(subjects, 1, 300)
  say('one call at a time … ')
  const latencies = await sequential(subjects, size.sequential)
  say('many at once … ')
  const loads = await throughput(subjects, size.slices, size.sliceMs)
  say('streams …\n\n')
  const streams = await streaming(subjects, size.slices, size.sliceMs)

  const base = { p50: quantile(latencies[0] ?? [], 0.5), p99: quantile(latencies[0] ?? [], 0.99) }
  const baseFirst = quantile(streams.firstMs[0] ?? [], 0.5)
  const results = subjects.map(({ name, pid }, at) => {
    const taken = latencies[at] ?? []
    const bytes = pid === undefined ? undefined : residentBytes(pid)
    const inBetween = pid !== undefined
    return {
      name,
      p50Ms: round(quantile(taken, 0.5), 3),
      p99Ms: round(quantile(taken, 0.99), 3),
      addedP50Ms: inBetween ? round(quantile(taken, 0.5) - base.p50, 3) : null,
      addedP99Ms: inBetween ? round(quantile(taken, 0.99) - base.p99, 3) : null,
      requestsPerSecond: round(loads[at]?.perSecond, 0),
      cpuMicrosPerRequest: inBetween ? round(loads[at]?.cpuMicros, 0) : null,
      cpuMicrosPerChunk: inBetween ? round(streams.loads[at]?.cpuMicros, 1) : null,
      addedFirstEventP50Ms: inBetween ? round(quantile(streams.firstMs[at] ?? [], 0.5) - baseFirst, 3) : null,
      residentMb: round(bytes === undefined ? undefined : bytes / 1e6, 0),
    }
  })
  if (flags.json) console.log(JSON.stringify({ node: process.version, quick: flags.quick, results }))
  else printTable(results)
} finally {
  await started.stop()
}

/** null where it could not be measured. */
function round(value: number | undefined, digits: number): number | null {
  return value === undefined || Number.isNaN(value) ? null : Number(value.toFixed(digits))
}

function printTable(results: readonly Readonly<Record<string, string | number | null>>[]): void {
  const lines: [string, string][] = [
    ['p50Ms', 'one call at a time, p50 ms'],
    ['p99Ms', '                    p99 ms'],
    ['addedP50Ms', 'added to direct,    p50 ms'],
    ['addedP99Ms', '                    p99 ms'],
    ['requestsPerSecond', '32 callers, requests/s'],
    ['cpuMicrosPerRequest', 'CPU a request, µs'],
    ['cpuMicrosPerChunk', '50 streams, CPU a chunk, µs'],
    ['addedFirstEventP50Ms', 'first event, added p50 ms'],
    ['residentMb', 'resident memory, MB'],
  ]
  const row = (label: string, cells: readonly (string | number | null | undefined)[]) =>
    `${label.padEnd(30)}${cells.map((cell) => String(cell ?? '-').padStart(12)).join('')}`
  console.log(
    row(
      '',
      results.map(({ name }) => name),
    ),
  )
  for (const [key, label] of lines)
    console.log(
      row(
        label,
        results.map((result) => result[key]),
      ),
    )
}
