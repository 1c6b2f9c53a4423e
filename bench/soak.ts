// A great many requests through Midwatch alone, plain ones beside streams of which every other caller hangs up, with its
// memory at intervals: what grows shows.
import { askPlainly, askStreaming, hangUp } from './client.ts'
import { residentBytes } from './processes.ts'
import { slope } from './statistics.ts'
import type { Subject } from './subjects.ts'

export interface SoakMoment {
  readonly requests: number
  readonly seconds: number
  readonly residentMb: number | null
  readonly heapMb: number | null
}

export interface Soak {
  readonly moments: readonly SoakMoment[]
  /** Sentence → how often. */
  readonly errors: Readonly<Record<string, number>>
  /** What resident memory grew by over the second half of the requests, by the line that fits best. */
  readonly growthMb: number | null
}

const PLAIN_CALLERS = 30
const STREAMING_CALLERS = 20
const MOMENTS = 20

export async function soak(subject: Subject, count: number, told: (moment: SoakMoment) => void): Promise<Soak> {
  const fromMs = performance.now()
  const errors = new Map<string, number>()
  const moments: SoakMoment[] = []
  let begun = 0
  let done = 0
  const look = async () => {
    const heap = await heapBytes(subject)
    const resident = subject.pid === undefined ? undefined : residentBytes(subject.pid)
    const seconds = Math.round((performance.now() - fromMs) / 1000)
    const moment = { requests: done, seconds, residentMb: megabytes(resident), heapMb: megabytes(heap) }
    moments.push(moment)
    told(moment)
  }
  const caller = async (_: unknown, at: number) => {
    for (let turn = at; begun < count; turn++) {
      begun++
      const ask = at < PLAIN_CALLERS ? askPlainly : turn % 2 === 0 ? askStreaming : hangUp
      try {
        await ask(subject.door)
      } catch (error) {
        const said = (error as Error).message
        errors.set(said, (errors.get(said) ?? 0) + 1)
      }
      done++
      if (done % Math.ceil(count / MOMENTS) === 0) await look()
    }
  }
  await look()
  await Promise.all(Array.from({ length: PLAIN_CALLERS + STREAMING_CALLERS }, caller))
  if (moments.at(-1)?.requests !== done) await look()
  return { moments, errors: Object.fromEntries(errors), growthMb: growth(moments) }
}

/** Null where memory cannot be known, or was looked at too seldom. */
export function growth(moments: readonly SoakMoment[]): number | null {
  const half = (moments.at(-1)?.requests ?? 0) / 2
  const points = moments.flatMap(({ requests, residentMb }) =>
    requests < half || residentMb === null ? [] : [[requests, residentMb] as const],
  )
  return points.length < 3 ? null : Number((slope(points) * half).toFixed(1))
}

const megabytes = (bytes: number | undefined): number | null =>
  bytes === undefined ? null : Number((bytes / 1e6).toFixed(1))

async function heapBytes({ url }: Subject): Promise<number | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const value = /^nodejs_heap_size_used_bytes(?:\{.*\})? (\S+)$/m.exec(text)?.[1]
  return value === undefined ? undefined : Number(value)
}
