// The processes that are measured: started, watched through the system's own counters, stopped. A process counts with
// all its threads and children. Without /proc nothing is known of them, and they are measured by the clock alone.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'

export interface Child {
  readonly pid: number
  /** The first line it printed. */
  readonly said: string
  stop(): Promise<void>
}

const START_MS = 120_000

/** Nobody outlives the bench. Asked and not killed, for nginx takes its worker with it only then. */
const living = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of living) child.kill('SIGTERM')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

function start(program: string, args: readonly string[], output: 'pipe' | 'ignore'): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', output, 'pipe'] })
  living.add(child)
  return child.once('exit', () => living.delete(child))
}

/** Starts one of our own files and waits for its first line. Throws with its last words when it ends instead. */
export async function startChild(file: string, args: readonly string[], nodeArgs: readonly string[] = []) {
  const child = start(process.execPath, [...nodeArgs, file, ...args], 'pipe')
  const complaint = lastWords(child)
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS)
  try {
    const said = await Promise.race([firstLine(child), once(child, 'exit').then(() => undefined)])
    if (said === undefined) throw new Error(`${file} ended before it was ready.\n${complaint()}`)
    return { pid: child.pid ?? 0, said, stop: () => stopChild(child) } satisfies Child
  } finally {
    clearTimeout(timer)
  }
}

/** Starts what belongs to others, and waits until its port takes connections. */
export async function startListener(program: string, args: readonly string[], port: number): Promise<Child> {
  const child = start(program, args, 'ignore')
  const complaint = lastWords(child)
  const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error))
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`it ended at once. ${complaint()}`)))
  const late = AbortSignal.timeout(20_000)
  const listens = async () => {
    while (!(await takesConnections(port))) {
      if (late.aborted) throw new Error(`it took no connections within 20 s. ${complaint()}`)
      await wait(50)
    }
  }
  try {
    // The losers of the race reject when the process is stopped, which is nobody's error.
    failed.catch(() => undefined)
    ended.catch(() => undefined)
    await Promise.race([listens(), failed, ended])
  } catch (error) {
    await stopChild(child)
    throw error
  }
  return { pid: child.pid ?? 0, said: '', stop: () => stopChild(child) }
}

/** A port that was free just now, for programs that cannot choose one themselves and say so. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const answer = (yes: boolean) => {
      socket.destroy()
      resolve(yes)
    }
    socket.once('connect', () => answer(true)).once('error', () => answer(false))
  })
}

function lastWords(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.on('data', (data: Buffer) => {
    text = `${text}${data.toString('utf8')}`.slice(-2_000)
  })
  return () => text
}

async function firstLine(child: ChildProcess): Promise<string | undefined> {
  if (!child.stdout) return undefined
  for await (const line of createInterface({ input: child.stdout })) {
    // What it prints later must not fill the pipe.
    child.stdout.resume()
    return line
  }
  return undefined
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await gone
  clearTimeout(timer)
}

/** Microseconds of processor time used so far by the process, its threads and its children. */
export function cpuMicros(pid: number): number | undefined {
  if (!existsSync('/proc/self/stat')) return undefined
  return family(pid).reduce((sum, one) => sum + cpuOf(one), 0)
}

/** Resident memory of the process and its children, in bytes. What they share counts for each. */
export function residentBytes(pid: number): number | undefined {
  if (!existsSync('/proc/self/stat')) return undefined
  return family(pid).reduce((sum, one) => {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readProc(`${one}/status`))?.[1]
    return sum + Number(kilobytes ?? 0) * 1024
  }, 0)
}

function family(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = Number(statFields(name)[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const all = [pid]
  for (const one of all) all.push(...(children.get(one) ?? []))
  return all
}

/** Clock ticks a second, fixed at 100 for programs on Linux. */
const TICKS = 100

/** The scheduler's nanoseconds, thread by thread; where the kernel keeps none, its ticks of 10 ms. */
function cpuOf(pid: number): number {
  let nanos = 0
  for (const thread of existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : []) {
    nanos += Number(readProc(`${pid}/task/${thread}/schedstat`).split(' ')[0] ?? 0)
  }
  if (nanos > 0) return nanos / 1000
  const fields = statFields(String(pid))
  return ((Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS) * 1e6
}

/** From the third field on. The name before them stands in parentheses and may hold spaces. */
const statFields = (pid: string): string[] => readProc(`${pid}/stat`).split(') ').at(-1)?.split(' ') ?? []

/** Empty when the process is gone. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return ''
  }
}
