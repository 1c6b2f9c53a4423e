// Lets a storm loose on Midwatch as a user starts it, with as many `kill -9` in the middle as asked for, and reads from its
// database what became of it. Senders do what senders do: what was not answered 202 is sent again.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { z } from 'zod'
import { type Child, cpuMicros, residentBytes, startChild } from './processes.ts'
import { quantile } from './statistics.ts'
import { type StormBody, stormBodies } from './storm-alerts.ts'

export interface StormOptions {
  readonly alerts: number
  readonly kills: number
  readonly senders: number
  /** An empty folder for the config and the data. */
  readonly folder: string
  /** Spread over so long; as fast as they are taken without. */
  readonly overMs?: number
  readonly foldedWithinMs: number
}

export interface StormResult {
  readonly acceptedPerSecond: number
  readonly answerMs: { readonly p50: number; readonly p99: number; readonly max: number }
  readonly peakBytes: number | undefined
  /** Processor time for taking and folding one; only without a kill, for it is counted by the process. */
  readonly cpuMsPerAlert: number | undefined
  /** From the last 202 until nothing waited any more. */
  readonly foldedAfterMs: number
  /** Answers other than 202, connections that broke off among them: each was sent again. */
  readonly sentAgain: number
  /** Numbers that were answered 202 and are not stored, and those stored more than once. */
  readonly lost: readonly number[]
  readonly doubled: readonly number[]
  readonly unfolded: number
  readonly decisions: Readonly<Record<string, number>>
  readonly incidents: readonly { readonly service: string | null; readonly severity: string }[]
}

const main = join(import.meta.dirname, '../src/main.ts')

export async function runStorm(options: StormOptions): Promise<StormResult> {
  const file = join(options.folder, 'midwatch.yaml')
  writeFileSync(file, JSON.stringify({ server: { port: 0 }, data: './data', auth: { mode: 'off' } }))
  const midwatch = new Restarted(file)
  await midwatch.start()
  const watching = new AbortController()
  const watch = watchMemory(midwatch, watching.signal)
  try {
    const bodies = stormBodies(options.alerts, Date.now())
    const cpuBefore = cpuMicros(midwatch.pid ?? 0)
    const sent = await send(midwatch, bodies, options)
    const database = join(options.folder, 'data/midwatch.db')
    const from = performance.now()
    const unfolded = await untilFolded(database, options.foldedWithinMs)
    const foldedAfterMs = performance.now() - from
    watching.abort()
    const cpuAfter = options.kills === 0 ? cpuMicros(midwatch.pid ?? 0) : undefined
    const cpuMsPerAlert =
      cpuAfter === undefined || cpuBefore === undefined
        ? undefined
        : (cpuAfter - cpuBefore) / 1000 / sent.acknowledged.length
    const { acknowledged, ...measured } = sent
    return {
      ...measured,
      peakBytes: await watch,
      cpuMsPerAlert,
      foldedAfterMs,
      unfolded,
      ...judge(database, acknowledged),
    }
  } finally {
    watching.abort()
    await midwatch.stop()
  }
}

/** Midwatch, started again after each kill; its address is another one then. */
class Restarted {
  readonly #file: string
  #child: Child | undefined
  #url: string | undefined

  constructor(file: string) {
    this.#file = file
  }

  get url(): string | undefined {
    return this.#url
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async start(): Promise<void> {
    const args = ['start', '--config', this.#file, '--roles', 'agent', '--log-level', 'warn']
    this.#child = await startChild(main, args)
    this.#url = /http:\/\/\S+/.exec(this.#child.said)?.[0]
  }

  async kill(): Promise<void> {
    const pid = this.#child?.pid
    this.#url = undefined
    if (pid === undefined) return
    process.kill(pid, 'SIGKILL')
    while (alive(pid)) await wait(5)
    await this.start()
  }

  async stop(): Promise<void> {
    await this.#child?.stop()
  }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function send(midwatch: Restarted, bodies: readonly StormBody[], options: StormOptions) {
  const agent = new Agent({ connections: options.senders, pipelining: 1 })
  const times: number[] = []
  const acknowledged: number[] = []
  let sentAgain = 0
  let next = 0
  const killAt = Array.from({ length: options.kills }, (_, i) =>
    Math.floor((bodies.length * (i + 1)) / (options.kills + 1)),
  )
  let killing: Promise<void> = Promise.resolve()
  const fromMs = performance.now()

  const deliver = async (body: StormBody): Promise<void> => {
    const text = JSON.stringify(body.json)
    for (;;) {
      const { url } = midwatch
      const began = performance.now()
      const status = url === undefined ? 0 : await post(agent, url + body.path, text)
      if (status === 202) {
        times.push(performance.now() - began)
        acknowledged.push(...body.numbers)
        return
      }
      if (status === 400) throw new Error(`a body was refused: ${text.slice(0, 300)}`)
      sentAgain++
      await wait(20)
    }
  }

  const sender = async (): Promise<void> => {
    for (let i = next++; i < bodies.length; i = next++) {
      const body = bodies[i]
      if (!body) return
      if (killAt[0] !== undefined && i >= killAt[0]) {
        killAt.shift()
        killing = killing.then(() => midwatch.kill())
      }
      if (options.overMs !== undefined) {
        const dueMs = fromMs + (options.overMs * i) / bodies.length - performance.now()
        if (dueMs > 1) await wait(dueMs)
      }
      await deliver(body)
    }
  }
  await Promise.all(Array.from({ length: options.senders }, sender))
  await killing
  const seconds = (performance.now() - fromMs) / 1000
  await agent.destroy()
  return {
    acknowledged,
    sentAgain,
    acceptedPerSecond: acknowledged.length / seconds,
    answerMs: { p50: quantile(times, 0.5), p99: quantile(times, 0.99), max: quantile(times, 1) },
  }
}

async function post(agent: Agent, url: string, body: string): Promise<number> {
  try {
    const headers = { 'content-type': 'application/json' }
    const response = await request(url, { method: 'POST', body, headers, dispatcher: agent })
    await response.body.dump()
    return response.statusCode
  } catch {
    return 0
  }
}

async function watchMemory(midwatch: Restarted, signal: AbortSignal): Promise<number | undefined> {
  let peak: number | undefined
  while (!signal.aborted) {
    const now = midwatch.pid === undefined ? undefined : residentBytes(midwatch.pid)
    if (now !== undefined) peak = Math.max(peak ?? 0, now)
    await wait(200, undefined, { signal }).catch(() => undefined)
  }
  return peak
}

/** How many still wait when the time is over. */
async function untilFolded(file: string, withinMs: number): Promise<number> {
  const untilMs = performance.now() + withinMs
  for (;;) {
    const waiting = query(file, 'select count(*) as n from alerts where decision is null', z.object({ n: z.number() }))
    const left = waiting[0]?.n ?? 0
    if (left === 0 || performance.now() > untilMs) return left
    await wait(100)
  }
}

function judge(file: string, acknowledged: readonly number[]) {
  const rows = query(
    file,
    'select labels, decision from alerts',
    z.object({ labels: z.string(), decision: z.string().nullable() }),
  )
  const stored = new Map<number, number>()
  const decisions: Record<string, number> = {}
  for (const { labels, decision } of rows) {
    const number = Number(/"storm_number":"(\d+)"/.exec(labels)?.[1] ?? Number.NaN)
    stored.set(number, (stored.get(number) ?? 0) + 1)
    decisions[decision ?? 'waiting'] = (decisions[decision ?? 'waiting'] ?? 0) + 1
  }
  return {
    lost: acknowledged.filter((number) => !stored.has(number)),
    doubled: [...stored].filter(([, times]) => times > 1).map(([number]) => number),
    decisions,
    incidents: query(
      file,
      'select service, severity from incidents order by number',
      z.object({ service: z.string().nullable(), severity: z.string() }),
    ),
  }
}

/** Asked of the file itself: the judge must not depend on what the judged one says. */
function query<T extends z.ZodType>(file: string, sql: string, row: T): readonly z.output<T>[] {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 })
  try {
    return z.array(row).parse(database.prepare(sql).all())
  } finally {
    database.close()
  }
}
