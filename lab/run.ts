// `npm run lab`: the first two minutes of someone new. Starts the shop and Midwatch, lets it run steadily for a while,
// breaks something, and tells what happens until the incident is closed. Then goes on with a healthy shop.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { describeError } from '../src/core/errors.ts'
import { missingPrometheus } from './alerting/prometheus.ts'
import { refuseTakenPort } from './child.ts'
import { DEMO_FAULTS, parseFault } from './choose.ts'
import { FAULTS } from './faults/all.ts'
import type { Fault } from './faults/fault.ts'
import { pressed, steady } from './interlude.ts'
import { openKeys } from './keys.ts'
import { type Lab, startLab } from './lab.ts'
import { onLeave } from './leave.ts'
import { createNarrator, type Narrator, terminalStage } from './narrator.ts'
import { parseFactor, parsePort, parseSeed } from './options.ts'
import { createRandom } from './platform/random.ts'
import { tellStory } from './story.ts'

interface Options {
  readonly fault?: Fault
  readonly seed: number
  readonly load: number
  readonly prometheus?: boolean
  readonly auto?: boolean
  readonly once?: boolean
  readonly port: number
}

/** Long enough to learn what is normal, short enough that the whole walk to the answer fits in two minutes. */
const STEADY_MS = 40_000
const STEADY_AGAIN_MS = 75_000

const command = new Command('lab')
  .description('A small shop under load, something that breaks in it, and Midwatch that finds out what.')
  .option(
    '--fault <name>',
    `what to break: ${FAULTS.map(({ name }) => name).join(', ')} (default: by the seed)`,
    parseFault,
  )
  .option('--seed <number>', 'the same seed gives the same run', parseSeed, Date.now() % 10_000)
  .option('--load <factor>', 'multiplies the traffic; 1 is about 18 requests a second', parseFactor, 1)
  .option('--prometheus', 'run the real Prometheus and Alertmanager (both must be on the PATH)')
  .option('--auto', 'approve the proposal by itself after a moment')
  .option('--once', 'end after one walk; exit code 0 when the cause was named right and mended')
  .option('--port <number>', 'where Midwatch and its page listen', parsePort, 4747)
  .exitOverride()

try {
  process.exitCode = await main(command.parse().opts<Options>())
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else {
    console.error(`lab: ${describeError(error)}`)
    process.exitCode = 1
  }
}

async function main(options: Options): Promise<number> {
  const chosen = options.fault
  const missing = options.prometheus ? missingPrometheus() : []
  if (missing.length > 0) {
    console.error(`lab: not found on the PATH: ${missing.join(', ')}. Install it, or run without --prometheus.`)
    return 1
  }
  await refuseTakenPort(options.port)
  const narrator = createNarrator(terminalStage())
  const leaving = new AbortController()
  const workDir = mkdtempSync(join(tmpdir(), 'midwatch-lab-'))
  const keys = openKeys()
  let broken: string | undefined
  onLeave(() => leaving.abort())
  let lab: Lab | undefined
  let keep = false
  try {
    tellBeginning(narrator, options, workDir)
    lab = await startLab({
      workDir,
      seed: options.seed,
      load: options.load,
      prometheus: options.prometheus ?? false,
      port: options.port,
      onProgress: (what) => narrator.status(`starting ${what}`),
      onUnexpectedEnd: (message) => {
        broken ??= message
        leaving.abort()
      },
    })
    const code = await walks({ lab, narrator, keys, options, chosen, signal: leaving.signal })
    keep = code !== 0
    return code
  } catch (error) {
    keep = broken !== undefined || !leaving.signal.aborted
    if (keep) {
      narrator.status('')
      console.error(`lab: ${broken ?? describeError(error)}`)
      return 1
    }
    return options.once ? 1 : 0
  } finally {
    keys.close()
    if (lab) narrator.status('stopping')
    await lab?.stop()
    narrator.status('')
    if (keep) narrator.say(`What it wrote is kept in ${workDir}.`)
    else rmSync(workDir, { recursive: true, force: true })
  }
}

interface Walks {
  readonly lab: Lab
  readonly narrator: Narrator
  readonly keys: ReturnType<typeof openKeys>
  readonly options: Options
  readonly chosen: Fault | undefined
  readonly signal: AbortSignal
}

async function walks({ lab, narrator, keys, options, chosen, signal }: Walks): Promise<number> {
  const random = createRandom(options.seed)
  narrator.event(Date.now(), `The page is there: ${lab.pageUrl}`, 'bold')
  let fault = chosen ?? random.pick(DEMO_FAULTS)
  let steadyMs = STEADY_MS
  for (;;) {
    await steady({ lab, narrator, random, signal }, steadyMs)
    const end = await tellStory(fault, { lab, narrator, keys, random, auto: options.auto ?? false, signal })
    if (options.once) return end.right && end.fixed ? 0 : 1
    narrator.gap()
    tellNext(narrator, lab, fault, keys.there)
    await pressed('b', { keys, lab, narrator, signal })
    fault = random.pick(FAULTS.filter((other) => other !== fault))
    steadyMs = STEADY_AGAIN_MS
  }
}

function tellNext(narrator: Narrator, lab: Lab, fault: Fault, keysThere: boolean): void {
  const other = FAULTS.find(({ name }) => name !== fault.name)?.name ?? fault.name
  narrator.say('What to try next', 'bold')
  if (keysThere) narrator.pair('b', 'break something else, here and now')
  narrator.pair('The page', `${lab.pageUrl} has the plots, the evidence and the timeline`)
  narrator.pair('A choice', `npm run lab -- --fault ${other}`)
  narrator.pair('All of them', 'npm run drill: every fault in turn, scored')
  narrator.pair('To read', 'README.md, then ARCHITECTURE.md')
  narrator.pair('Ctrl-C', 'ends it all')
  narrator.gap()
}

function tellBeginning(narrator: Narrator, { port, seed, load }: Options, workDir: string): void {
  narrator.gap()
  narrator.say('Midwatch lab: a small shop, something that breaks, and who finds out what.', 'bold')
  narrator.pair('The page', `http://127.0.0.1:${port} (in a few seconds)`)
  narrator.pair('This run', `--seed ${seed} --load ${load}`)
  narrator.pair('Files', workDir)
  narrator.gap()
}
