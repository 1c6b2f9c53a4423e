// Who is compared, from nobody in between to Midwatch. Each has to pass one plain and one streamed call before it counts.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { askPlainly, askStreaming, type Door, openDoor } from './client.ts'
import { startMidwatch } from './midwatch.ts'
import { type Peer, startNginx, startPortkey } from './peers.ts'
import { startChild } from './processes.ts'

export const SUBJECTS = ['direct', 'bare', 'nginx', 'portkey', 'midwatch'] as const
export type SubjectName = (typeof SUBJECTS)[number]

export interface Subject {
  readonly name: SubjectName
  /** undefined: there is no process in between. */
  readonly pid: number | undefined
  readonly url: string
  readonly door: Door
}

export interface Subjects {
  readonly subjects: readonly Subject[]
  readonly leftOut: readonly { readonly name: SubjectName; readonly why: string }[]
  stop(): Promise<void>
}

type Start = (folder: string, origin: string) => Promise<Peer>

const starts: Readonly<Record<Exclude<SubjectName, 'direct'>, Start>> = {
  bare: startBare,
  nginx: startNginx,
  portkey: startPortkey,
  midwatch: (folder, origin) => startMidwatch(folder, origin),
}

/** Throws when one of our own does not work; a peer that does not is left out. */
export async function startSubjects(names: readonly SubjectName[]): Promise<Subjects> {
  const stops: (() => Promise<void> | void)[] = []
  const stop = async () => {
    for (let next = stops.pop(); next; next = stops.pop()) await next()
  }
  try {
    const folder = mkdtempSync(join(tmpdir(), 'midwatch-bench-'))
    const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    process.once('exit', remove)
    stops.push(remove)
    const upstream = await startChild(join(import.meta.dirname, 'upstream.ts'), [])
    stops.push(() => upstream.stop())
    const origin = `http://127.0.0.1:${upstream.said}`
    const subjects: Subject[] = []
    const leftOut: { name: SubjectName; why: string }[] = []
    for (const name of names) {
      try {
        const peer = name === 'direct' ? undefined : await starts[name](folder, origin)
        if (peer) stops.push(() => peer.stop())
        const url = peer?.url ?? origin
        const door = openDoor(url, peer?.headers)
        stops.push(() => door.pool.destroy())
        await askPlainly(door)
        await askStreaming(door)
        subjects.push({ name, pid: peer?.pid, url, door })
      } catch (error) {
        if (name !== 'nginx' && name !== 'portkey') throw error
        leftOut.push({ name, why: whyNot(error) })
      }
    }
    return { subjects, leftOut, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function whyNot(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'it is not on the PATH'
  if (code === 'ERR_MODULE_NOT_FOUND') return 'it is not installed'
  return message.trim()
}

async function startBare(_folder: string, origin: string): Promise<Peer> {
  const child = await startChild(join(import.meta.dirname, 'bare-proxy.ts'), [origin])
  return { ...child, url: `http://127.0.0.1:${child.said}`, headers: {} }
}
