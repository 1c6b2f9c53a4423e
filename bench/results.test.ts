import { describe, expect, test } from 'vitest'
import type { Load } from './measure.ts'
import { figuresTable, noiseTable, targetsTable } from './report.ts'
import { figuresOf, type Measured, ratio, verdicts } from './results.ts'

const load = (cpuMicros: number | undefined, firstMs: readonly number[] = []): Load => ({
  units: 100,
  perSecond: 1000,
  cpuMicros,
  callerMicros: 50,
  firstMs,
})

/** The second slice met a busy moment, in which everything cost three times as much. */
const measured: Measured = {
  names: ['direct', 'bare', 'midwatch'],
  latencyMs: [
    [[1], [2], [2.4]],
    [[3], [6], [7.2]],
  ],
  plain: [1, 3].map((slow) => [load(undefined), load(100 * slow), load(180 * slow)]),
  streams: [1, 3].map((slow) => [load(undefined, [slow]), load(10 * slow, [2 * slow]), load(20 * slow, [4 * slow])]),
  residentBytes: [undefined, 50e6, 100e6],
}

describe('the results of the bench', () => {
  test('compare within a slice, so that a busy moment of the machine changes no ratio', () => {
    expect(ratio(measured, 'cpuPerRequest', 'midwatch', 'bare')).toEqual({ min: 1.8, median: 1.8, max: 1.8 })
    expect(ratio(measured, 'addedP50', 'midwatch', 'bare')?.median).toBeCloseTo(1.4)
    expect(ratio(measured, 'addedFirstTokenP50', 'midwatch', 'bare')).toEqual({ min: 3, median: 3, max: 3 })
  })

  test('say of each target whether it is met, and of one whose peer was left out that nobody knows', () => {
    const said = verdicts(measured).map(({ measure, than, met }) => [measure, than, met])
    expect(said).toEqual([
      ['cpuPerRequest', 'bare', true],
      ['cpuPerRequest', 'portkey', null],
      ['cpuPerChunk', 'bare', false],
      ['addedP50', 'bare', true],
    ])
  })

  test('have nothing added and no process time for the direct call', () => {
    const [direct, bare] = figuresOf(measured)
    expect(direct).toMatchObject({
      addedP50Ms: null,
      cpuMicrosPerRequest: null,
      cpuMicrosPerChunk: null,
      residentMb: null,
    })
    expect(bare).toMatchObject({ addedP50Ms: 3, cpuMicrosPerRequest: 200, residentMb: 50 })
  })

  test('are printed with a dash for what was not measured', () => {
    const line = (text: string, begin: string) => text.split('\n').find((row) => row.startsWith(begin))
    const columns = (row: string | undefined) => row?.trim().split(/\s{2,}/)
    expect(columns(line(figuresTable(figuresOf(measured)), 'CPU a request'))).toEqual([
      'CPU a request, µs',
      '-',
      '200',
      '360',
    ])
    expect(columns(line(noiseTable(measured), 'CPU a request'))).toEqual(['CPU a request', '1.80·1.80·1.80'])
    const targets = targetsTable(verdicts(measured))
    expect(columns(line(targets, 'CPU a request, over portkey'))?.at(-1)).toBe('unknown')
    expect(columns(line(targets, 'CPU a chunk'))?.slice(-3)).toEqual(['1.50', '2.00·2.00·2.00', 'missed'])
  })
})
