// The processes that are measured: started, watched through the system's own counters, stopped.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

export interface Child {
  readonly pid: number
  /** The first line it printed. */
  readonly said: string
  stop(): Promise<void>
}

const START_MS = 120_000

/** Starts one of our own files and waits for its first line. Throws with its last words when it ends instead. */
export async function startChild(file: string, args: readonly string[]): Promise<Child> {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let complaint = ''
  child.stderr.on('data', (data: Buffer) => {
    complaint = `${complaint}${data.toString('utf8')}`.slice(-2_000)
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS)
  try {
    const said = await Promise.race([firstLine(child), once(child, 'exit').then(() => undefined)])
    if (said === undefined) throw new Error(`${file} ended before it was ready.\n${complaint}`)
    return { pid: child.pid ?? 0, said, stop: () => stopChild(child) }
  } finally {
    clearTimeout(timer)
  }
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
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await gone
  clearTimeout(timer)
}

/** Clock ticks a second, fixed at 100 for programs on Linux. */
const TICKS = 100

/** Seconds of processor time used so far (to 10 ms); undefined where the system has no /proc. */
export function cpuSeconds(pid: number): number | undefined {
  const file = `/proc/${pid}/stat`
  if (!existsSync(file)) return undefined
  // The name in parentheses may hold spaces; the fields after it are counted.
  const fields = readFileSync(file, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Resident memory in bytes; undefined where the system has no /proc. */
export function residentBytes(pid: number): number | undefined {
  const file = `/proc/${pid}/status`
  if (!existsSync(file)) return undefined
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(file, 'utf8'))?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}
