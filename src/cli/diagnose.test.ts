import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { AppError } from '../core/errors.ts'
import { readCase, readRecording, readTopology } from './case-folder.ts'
import { diagnoseFolders } from './diagnose.ts'

const ALERT_AT = 1_700_000_000

const folders: string[] = []
afterEach(() => folders.splice(0).forEach((dir) => rmSync(dir, { recursive: true, force: true })))

/** A set with one case: `payment` burns its processor, and `checkout`, which calls it, is late. */
function makeSet(): { root: string; dir: string } {
  const root = mkdtempSync(join(tmpdir(), 'midwatch-case-'))
  folders.push(root)
  const dir = join(root, 'cases', '00')
  for (const folder of [dir, join(root, 'baseline')]) mkdirSync(folder, { recursive: true })
  writeFileSync(join(root, 'topology.csv'), 'caller,callee\ncheckout,payment\n"front, door",checkout\n')
  const rows = (fromS: number, count: number, sick: (at: number) => boolean): string =>
    Array.from({ length: count }, (_, i) => fromS + i * 60)
      .flatMap((at) => {
        const wobble = 1 + ((at / 60) % 7) / 100
        return [
          `${at},payment,CpuUsage(m),${(sick(at) ? 900 : 100) * wobble}`,
          `${at},payment,"PodServerLatencyP95(s)",${(sick(at) ? 2 : 0.2) * wobble}`,
          `${at},checkout,edge_client_p95_ms{payment},${(sick(at) ? 2000 : 200) * wobble}`,
          `${at},checkout,PodServerLatencyP95(s),${(sick(at) ? 2.3 : 0.3) * wobble}`,
          `${at},cart,CpuUsage(m),${100 * wobble}`,
        ]
      })
      .join('\n')
  const csv = (text: string): Buffer => gzipSync(`timestamp,service,metric,value\n${text}\n`)
  writeFileSync(join(root, 'baseline', 'metrics.csv.gz'), csv(rows(ALERT_AT - 500_000, 120, () => false)))
  writeFileSync(join(dir, 'metrics.csv.gz'), csv(rows(ALERT_AT - 240, 9, (at) => at >= ALERT_AT - 60)))
  const about = { id: '00', stepSeconds: 60, alertAt: ALERT_AT, symptom: { service: 'checkout' } }
  writeFileSync(join(dir, 'case.json'), JSON.stringify(about))
  return { root, dir }
}

const only = async <T>(items: AsyncIterable<T>): Promise<T> => {
  for await (const item of items) return item
  throw new Error('nothing came')
}

describe('midwatch diagnose', () => {
  it('names the cause of a recorded case with what lies beside it', async () => {
    const { dir } = makeSet()
    const { id, diagnosis } = await only(diagnoseFolders([dir]))
    expect(id).toBe('00')
    expect(diagnosis.causes[0]).toMatchObject({ service: 'payment', kind: 'cpu' })
    expect(diagnosis.ruledOut.map(({ service }) => service)).toContain('checkout')
  })

  it('says how far each piece of evidence moved the cause, and nothing else moved it', async () => {
    const { dir } = makeSet()
    const { diagnosis } = await only(diagnoseFolders([dir]))
    expect(diagnosis.causes.length).toBeGreaterThan(0)
    for (const { score, evidence, against } of diagnosis.causes) {
      const sum = [...evidence, ...against].reduce((all, { weight }) => all + weight, 0)
      expect(sum).toBeCloseTo(score, 1)
    }
  })

  it('prints one JSON line for each case', () => {
    const { dir } = makeSet()
    const run = spawnSync(process.execPath, [join(import.meta.dirname, '../main.ts'), 'diagnose', dir, dir, '--json'], {
      encoding: 'utf8',
    })
    expect(run.stderr).toBe('')
    const lines = run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatchObject({
      id: '00',
      abstained: false,
      causes: [
        {
          service: 'payment',
          kind: 'cpu',
          metric: 'CpuUsage(m)',
          score: expect.any(Number),
          confidence: expect.any(Number),
        },
      ],
      tookMs: expect.any(Number),
    })
    const [cause] = (lines[0]?.['causes'] ?? []) as { onset: number; evidence: Record<string, unknown>[] }[]
    expect(Math.abs((cause?.onset ?? 0) - ALERT_AT)).toBeLessThanOrEqual(60)
    expect(cause?.evidence[0]).toMatchObject({
      claim: expect.any(String),
      weight: expect.any(Number),
      series: expect.any(String),
      before: expect.any(Number),
    })
  })

  it('says what is wrong with a folder that is no case', async () => {
    const { root, dir } = makeSet()
    await expect(readCase(join(root, 'nowhere'), [])).rejects.toThrow(/case\.json cannot be read/)
    writeFileSync(join(dir, 'case.json'), '{"id": 7}')
    await expect(readCase(dir, [])).rejects.toThrow(/case\.json: id: .*stepSeconds/)
    writeFileSync(join(dir, 'case.json'), '{"id"')
    await expect(readCase(dir, [])).rejects.toThrow(AppError)
  })
})

describe('readRecording', () => {
  it('tells the line that cannot be read', async () => {
    const { dir } = makeSet()
    writeFileSync(join(dir, 'logs.jsonl'), '{"timestamp":1,"service":"a","message":"fine"}\n{"timestamp":"x"}\n')
    await expect(readRecording(dir, [])).rejects.toThrow(/logs\.jsonl line 2: timestamp/)
    rmSync(join(dir, 'logs.jsonl'))
    writeFileSync(join(dir, 'metrics.csv.gz'), gzipSync('timestamp,service,metric,value\n1,a,b\n'))
    await expect(readRecording(dir, [])).rejects.toThrow(/metrics\.csv\.gz line 2: needs timestamp/)
  })

  it('refuses a file that is cut off', async () => {
    const { dir } = makeSet()
    writeFileSync(join(dir, 'metrics.csv.gz'), gzipSync('timestamp,service,metric,value\n'.repeat(500)).subarray(0, 30))
    await expect(readRecording(dir, [])).rejects.toThrow(/cannot be read/)
  })

  it('takes labels, bare callees and gaps as they come', async () => {
    const { dir } = makeSet()
    const lines = ['1,a,edge_count{b},5', '2,a,edge_count{b},', '3,a,"x{k=""v"",z=1}",NaN', '4,a,span_count{GET /},2']
    writeFileSync(join(dir, 'metrics.csv.gz'), gzipSync(`timestamp,service,metric,value\n${lines.join('\n')}\n`))
    const { series } = await readRecording(dir, [])
    expect(series.map(({ metric, labels, points }) => ({ metric, labels, points }))).toEqual([
      { metric: 'edge_count', labels: { callee: 'b' }, points: [[1000, 5]] },
      { metric: 'x', labels: { k: 'v', z: '1' }, points: [] },
      { metric: 'span_count', labels: { operation: 'GET /' }, points: [[4000, 2]] },
    ])
  })

  it('reads quoted names of a topology', async () => {
    const { root } = makeSet()
    expect(await readTopology(join(root, 'topology.csv'))).toEqual([
      { caller: 'checkout', callee: 'payment' },
      { caller: 'front, door', callee: 'checkout' },
    ])
  })
})
