// What the bench says on a terminal.
import { type Figures, type Measure, type Measured, MEASURES, ratio, type Verdict } from './results.ts'
import type { Spread } from './statistics.ts'

const LINES: readonly (readonly [keyof Figures, string])[] = [
  ['p50Ms', 'one call at a time, p50 ms'],
  ['p99Ms', '                    p99 ms'],
  ['addedP50Ms', 'added to direct,    p50 ms'],
  ['addedP99Ms', '                    p99 ms'],
  ['requestsPerSecond', '32 callers, requests/s'],
  ['cpuMicrosPerRequest', 'CPU a request, µs'],
  ['callerMicrosPerRequest', "  (and the caller's own)"],
  ['cpuMicrosPerChunk', '200 streams, CPU a chunk, µs'],
  ['addedFirstTokenP50Ms', 'first token, added p50 ms'],
  ['addedFirstTokenP99Ms', '                   p99 ms'],
  ['residentMb', 'resident memory, MB'],
]

const NAMES: Readonly<Record<Measure, string>> = {
  cpuPerRequest: 'CPU a request',
  cpuPerChunk: 'CPU a chunk',
  addedP50: 'added latency, p50',
  addedFirstTokenP50: 'added first token, p50',
}

export const figuresTable = (figures: readonly Figures[]): string =>
  table(
    ['', ...figures.map(({ name }) => name)],
    LINES.map(([key, label]) => [label, ...figures.map((one) => String(one[key] ?? '-'))]),
  )

/** How far apart the slices of one run are, which is how much of a difference is only the machine. */
export function noiseTable(measured: Measured): string {
  const others = measured.names.filter((name) => name !== 'direct' && name !== 'bare')
  return table(
    ['over the bare proxy, min·med·max', ...others],
    MEASURES.map((measure) => [
      NAMES[measure],
      ...others.map((name) => spreadText(ratio(measured, measure, name, 'bare'))),
    ]),
    19,
  )
}

export const targetsTable = (verdicts: readonly Verdict[]): string =>
  table(
    ['target', 'at most', 'measured', ''],
    verdicts.map(({ measure, than, atMost, ratio, met }) => [
      `${NAMES[measure]}, over ${than}`,
      short(atMost),
      spreadText(ratio),
      met === null ? 'unknown' : met ? 'met' : 'missed',
    ]),
    19,
  )

const spreadText = (spread: Spread | null): string =>
  spread === null ? '-' : [spread.min, spread.median, spread.max].map(short).join('·')

const short = (value: number): string => (Math.abs(value) < 1 ? value.toFixed(3) : value.toFixed(2))

function table(head: readonly string[], rows: readonly (readonly string[])[], width = 11): string {
  const line = ([label, ...cells]: readonly string[]) =>
    `${(label ?? '').padEnd(34)}${cells.map((cell) => ` ${cell.padStart(width - 1)}`).join('')}`.trimEnd()
  return [head, ...rows].map(line).join('\n')
}
