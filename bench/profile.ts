// `node bench/profile.ts`: where Midwatch's time goes for one call, with everything on, as `node --cpu-prof` sees it: plain
// calls, then streams, each in a process of its own. A thread that waits inside a call (a flush to the disk) counts as at
// work, so that the sum can be more than the processor's time. `--keep FOLDER` leaves the profiles for a viewer.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { openDoor } from './client.ts'
import { type Cost, costsWithin, type CpuProfile } from './cpu-profile.ts'
import { streaming, throughput } from './measure.ts'
import { startMidwatch } from './midwatch.ts'
import { startChild } from './processes.ts'
import type { Subject } from './subjects.ts'

const LOADS = ['plain', 'streams'] as const
type LoadName = (typeof LOADS)[number]

const program = new Command('profile')
  .description("Where Midwatch's time goes for one call.")
  .option('--load <name>', `one of ${LOADS.join(', ')} (default: both)`, parseLoad)
  .option('--top <count>', 'lines of each list', (text) => Number.parseInt(text, 10), 15)
  .option('--keep <folder>', 'leave the profiles there')
  .allowExcessArguments(false)
program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
const flags = program.parse().opts<{ load?: LoadName; top: number; keep?: string }>()

const folder = mkdtempSync(join(tmpdir(), 'midwatch-profile-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
for (const load of flags.load ? [flags.load] : LOADS) {
  const into = resolve(flags.keep ?? folder, load)
  mkdirSync(into, { recursive: true })
  await profile(load, into)
}

async function profile(load: LoadName, into: string): Promise<void> {
  const upstream = await startChild(join(import.meta.dirname, 'upstream.ts'), [])
  const state = mkdtempSync(join(folder, 'state-'))
  const nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${into}`, '--cpu-prof-interval=500']
  const peer = await startMidwatch(state, `http://127.0.0.1:${upstream.said}`, nodeArgs)
  const door = openDoor(peer.url, peer.headers)
  const subjects: readonly Subject[] = [{ name: 'midwatch', pid: peer.pid, url: peer.url, door }]
  const run = (ms: number) =>
    load === 'plain' ? throughput(subjects, { slices: 1, sliceMs: ms }) : streaming(subjects, { slices: 1 })
  await run(3_000)
  const fromMicros = microsNow()
  const [loads] = await run(5_000)
  const toMicros = microsNow()
  await door.pool.destroy()
  // The profiles are written on the way out.
  await peer.stop()
  await upstream.stop()
  const units = loads?.[0]?.units ?? 0
  const unit = load === 'plain' ? 'request' : 'chunk'
  console.log(`\n== ${load}: ${(loads?.[0]?.cpuMicros ?? 0).toFixed(0)} µs of the processor a ${unit}, being watched`)
  for (const name of readdirSync(into).filter((file) => file.includes(`.${peer.pid}.`))) {
    const costs = costsWithin(JSON.parse(readFileSync(join(into, name), 'utf8')) as CpuProfile, fromMicros, toMicros)
    const thread = name.split('.').at(-3)
    console.log(`\nthread ${thread}: ${(costs.busyMicros / units).toFixed(1)} µs a ${unit}`)
    print(`by itself, µs a ${unit}`, costs.functions, units)
    print(`by file or package`, costs.files, units)
    print(`ours, with what they call`, costs.withCallees, units)
  }
}

function print(title: string, costs: readonly Cost[], units: number): void {
  console.log(`\n  ${title}`)
  for (const { name, micros } of costs.slice(0, flags.top))
    console.log(`${(micros / units).toFixed(2).padStart(10)}  ${name}`)
}

function microsNow(): number {
  return Number(process.hrtime.bigint() / 1000n)
}

function parseLoad(text: string): LoadName {
  const load = LOADS.find((known) => known === text)
  if (!load) throw new InvalidArgumentError(`Take one of ${LOADS.join(', ')}.`)
  return load
}
