// The measurements. All subjects take turns within each, in a new order every time, so that a busy moment of the machine
// meets all of them and nobody always comes after the same other. What a slice holds for two subjects can be compared;
// two slices of one subject show how much the machine wavers.
import { setTimeout as wait } from 'node:timers/promises'
import { askPlainly, askStreaming } from './client.ts'
import { cpuMicros, residentBytes } from './processes.ts'
import type { Subject } from './subjects.ts'
import { CHUNKS_A_STREAM, STREAM_MS } from './workload.ts'

/** What was seen of each subject, in the order of the subjects, slice after slice. */
export type Slices<T> = readonly (readonly T[])[]

export interface Load {
  /** How many requests or chunks passed. */
  readonly units: number
  readonly perSecond: number
  /** Of the process in between, for each unit; undefined where it cannot be known. */
  readonly cpuMicros: number | undefined
  /** What this process used for the same, which is much the same for everybody as long as it measures fairly. */
  readonly callerMicros: number
  /** Until the first content; of streams alone. */
  readonly firstMs: readonly number[]
}

/** Latencies of plain answers in milliseconds: one caller, one request at a time, the subjects in turns. */
export async function sequential(
  subjects: readonly Subject[],
  size: { slices: number; rounds: number },
): Promise<Slices<readonly number[]>> {
  const slices: number[][][] = []
  for (let slice = 0; slice < size.slices; slice++) {
    const taken = subjects.map((): number[] => [])
    for (let round = 0; round < size.rounds; round++) {
      await inTurns(subjects, async (subject, at) => {
        taken[at]?.push((await askPlainly(subject.door)).tookMs)
      })
    }
    slices.push(taken)
  }
  return slices
}

const PLAIN_CALLERS = 32

/** As many plain answers as `PLAIN_CALLERS` get, each asking again at once. */
export function throughput(
  subjects: readonly Subject[],
  size: { slices: number; sliceMs: number },
): Promise<Slices<Load>> {
  return underLoad(subjects, size.slices, async ({ door }) => {
    const fromMs = performance.now()
    let units = 0
    const caller = async () => {
      for (; performance.now() - fromMs < size.sliceMs; units++) await askPlainly(door)
    }
    await Promise.all(Array.from({ length: PLAIN_CALLERS }, caller))
    return { units, firstMs: [] }
  })
}

const STREAMS_AT_ONCE = 200

/** Streams that begin evenly over one stream's length, then each again: the first contents count once all are under way. */
export function streaming(subjects: readonly Subject[], size: { slices: number }): Promise<Slices<Load>> {
  return underLoad(subjects, size.slices, async ({ door }) => {
    const fromMs = performance.now()
    const firstMs: number[] = []
    let units = 0
    const caller = async (_: unknown, at: number) => {
      await wait((at / STREAMS_AT_ONCE) * STREAM_MS)
      for (let sinceMs = 0; sinceMs < 2 * STREAM_MS; sinceMs = performance.now() - fromMs) {
        const answered = await askStreaming(door)
        if (sinceMs >= STREAM_MS) firstMs.push(answered.firstMs)
        units += CHUNKS_A_STREAM
      }
    }
    await Promise.all(Array.from({ length: STREAMS_AT_ONCE }, caller))
    return { units, firstMs }
  })
}

/** How long after a load its process time is read: what was put off until later is part of the price. */
const SETTLE_MS = 300

async function underLoad(
  subjects: readonly Subject[],
  count: number,
  run: (subject: Subject) => Promise<{ units: number; firstMs: readonly number[] }>,
): Promise<Slices<Load>> {
  const slices: Load[][] = []
  for (let slice = 0; slice < count; slice++) {
    const loads: Load[] = []
    await inTurns(subjects, async (subject, at) => {
      const before = subject.pid === undefined ? undefined : cpuMicros(subject.pid)
      const callerBefore = process.cpuUsage()
      const fromMs = performance.now()
      const { units, firstMs } = await run(subject)
      const seconds = (performance.now() - fromMs) / 1000
      const caller = process.cpuUsage(callerBefore)
      await wait(SETTLE_MS)
      const after = subject.pid === undefined ? undefined : cpuMicros(subject.pid)
      loads[at] = {
        units,
        perSecond: units / seconds,
        cpuMicros: before === undefined || after === undefined ? undefined : (after - before) / units,
        callerMicros: (caller.user + caller.system) / units,
        firstMs,
      }
    })
    slices.push(loads)
  }
  return slices
}

async function inTurns(
  subjects: readonly Subject[],
  turn: (subject: Subject, at: number) => Promise<void>,
): Promise<void> {
  const order = subjects.map((subject, at) => ({ subject, at, by: Math.random() })).sort((a, b) => a.by - b.by)
  for (const { subject, at } of order) await turn(subject, at)
}

export const residents = (subjects: readonly Subject[]): (number | undefined)[] =>
  subjects.map(({ pid }) => (pid === undefined ? undefined : residentBytes(pid)))
