// The measurements. All subjects take turns within each, so that a busy moment of the machine meets all of them.
import { once } from 'node:events'
import { cpuSeconds } from './processes.ts'
import type { Subject } from './subjects.ts'
import { CHUNKS_A_STREAM, PLAIN_BODY, STREAM_BODY } from './workload.ts'

const PATH = '/v1/chat/completions'

/** Milliseconds until the whole answer was there. */
async function askPlainly({ pool, headers }: Subject): Promise<number> {
  const fromMs = performance.now()
  const { statusCode, body } = await pool.request({ method: 'POST', path: PATH, headers, body: PLAIN_BODY })
  const text = await body.text()
  if (statusCode !== 200) throw new Error(`${statusCode}: ${text}`)
  return performance.now() - fromMs
}

/** Milliseconds until the first event; resolves when the stream is over. */
async function askStreaming({ pool, headers }: Subject): Promise<number> {
  const fromMs = performance.now()
  const { statusCode, body } = await pool.request({ method: 'POST', path: PATH, headers, body: STREAM_BODY })
  if (statusCode !== 200) throw new Error(`${statusCode}: ${await body.text()}`)
  let firstMs: number | undefined
  let tail = ''
  body.on('data', (data: Buffer) => {
    firstMs ??= performance.now() - fromMs
    tail = (tail + data.toString('latin1')).slice(-20)
  })
  await once(body, 'end')
  if (!tail.includes('[DONE]')) throw new Error('a stream ended without its end mark')
  return firstMs ?? Number.NaN
}

/** Latencies of plain answers, one caller, one request at a time; the subjects take turns request by request. */
export async function sequential(subjects: readonly Subject[], count: number): Promise<number[][]> {
  const taken: number[][] = subjects.map(() => [])
  for (let i = 0; i < count; i++) {
    for (const [at, subject] of subjects.entries()) taken[at]?.push(await askPlainly(subject))
  }
  return taken
}

export interface Load {
  readonly perSecond: number
  /** Microseconds of the process in between, for each unit; undefined where it cannot be known. */
  readonly cpuMicros: number | undefined
}

/** `callers` at once for some slices of time; the subjects take turns slice by slice. `units`: counted a call. */
async function underLoad(
  subjects: readonly Subject[],
  options: { callers: number; slices: number; sliceMs: number; units: number },
  call: (subject: Subject) => Promise<number>,
  seen: (at: number, value: number) => void = () => undefined,
): Promise<Load[]> {
  const sums = subjects.map(() => ({ calls: 0, seconds: 0, cpu: 0, cpuKnown: true }))
  for (let slice = 0; slice < options.slices; slice++) {
    for (const [at, subject] of subjects.entries()) {
      const sum = sums[at]
      if (!sum) continue
      const cpuBefore = subject.pid === undefined ? undefined : cpuSeconds(subject.pid)
      const fromMs = performance.now()
      const caller = async () => {
        while (performance.now() - fromMs < options.sliceMs) {
          seen(at, await call(subject))
          sum.calls++
        }
      }
      await Promise.all(Array.from({ length: options.callers }, caller))
      sum.seconds += (performance.now() - fromMs) / 1000
      const cpuAfter = subject.pid === undefined ? undefined : cpuSeconds(subject.pid)
      if (cpuBefore === undefined || cpuAfter === undefined) sum.cpuKnown = false
      else sum.cpu += cpuAfter - cpuBefore
    }
  }
  return sums.map(({ calls, seconds, cpu, cpuKnown }) => ({
    perSecond: (calls * options.units) / seconds,
    cpuMicros: cpuKnown ? (cpu * 1e6) / (calls * options.units) : undefined,
  }))
}

/** Plain answers a second, and processor time a request. */
export const throughput = (subjects: readonly Subject[], slices: number, sliceMs: number): Promise<Load[]> =>
  underLoad(subjects, { callers: 32, slices, sliceMs, units: 1 }, askPlainly)

/** Chunks a second over many streams at once, processor time a chunk, and each stream's time to its first event. */
export async function streaming(
  subjects: readonly Subject[],
  slices: number,
  sliceMs: number,
): Promise<{ loads: Load[]; firstMs: number[][] }> {
  const firstMs: number[][] = subjects.map(() => [])
  const options = { callers: 50, slices, sliceMs, units: CHUNKS_A_STREAM }
  const loads = await underLoad(subjects, options, askStreaming, (at, value) => firstMs[at]?.push(value))
  return { loads, firstMs }
}
