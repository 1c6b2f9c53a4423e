import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Child, startChild } from './child.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'midwatch-child-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const ends: string[] = []
const start = (script: string, command = process.execPath): Promise<Child> =>
  startChild({
    name: 'Thing',
    command,
    args: ['-e', script],
    cwd: dir,
    logFile: join(dir, 'thing.log'),
    onUnexpectedEnd: (message) => ends.push(message),
  })

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('a process of the lab', () => {
  test('is gone once it was stopped, also when it does not want to', async () => {
    const child = await start(`process.on('SIGTERM', () => {}); console.log('deaf'); setInterval(() => {}, 1000)`)
    await wait(200)
    await child.stop(200)
    expect(exists(child.pid)).toBe(false)
    expect(child.running()).toBe(false)
    await child.stop()
    expect(ends).toEqual([])
  })

  test('that ends by itself is told with the end of what it wrote', async () => {
    const child = await start(`setTimeout(() => { console.error('out of biscuits'); process.exit(3) }, 50)`)
    await expect.poll(() => child.running()).toBe(false)
    expect(ends.splice(0)).toEqual([expect.stringMatching(/^Thing ended by itself \(exit code 3\)[^]*out of biscuits/)])
  })

  test('that ends while it is waited for is one clear failure', async () => {
    const child = await start(`console.error('no port left'); process.exit(1)`)
    const waiting = child.waitUntil(async () => false, 10_000)
    await expect(waiting).rejects.toThrow(/Thing ended while it was starting[^]*no port left/)
    expect(ends).toEqual([])
  })

  test('does not outlive who started it, even when that one is killed', async () => {
    const starter = join(dir, 'starter.ts')
    writeFileSync(
      starter,
      `import { startChild } from ${JSON.stringify(join(import.meta.dirname, 'child.ts'))}
       const child = await startChild({ name: 'Thing', command: process.execPath, cwd: ${JSON.stringify(dir)},
         args: ['-e', 'setInterval(() => {}, 1000)'], logFile: ${JSON.stringify(join(dir, 'thing.log'))} })
       console.log(child.pid)`,
    )
    const parent = spawn(process.execPath, [starter], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    expect(exists(pid)).toBe(true)
    parent.kill('SIGKILL')
    await expect.poll(() => exists(pid), { timeout: 5000 }).toBe(false)
  })

  test('that is not there at all is a clear failure', async () => {
    await expect(start('', join(dir, 'nothing'))).rejects.toThrow('Thing cannot be started.')
  })
})
