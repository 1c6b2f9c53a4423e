// `npm run drill`: every fault in turn on one lab, or the rounds in which the obvious answer is wrong, scored against what
// was injected. Progress on standard error, the
// table or the JSON on standard output. Exit code 0 when every fault got its incident, 1 when not, 2 for wrong usage.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { describeError } from '../src/core/errors.ts'
import { FAULTS } from './faults/all.ts'
import { type Lab, startLab } from './lab.ts'
import { onLeave } from './leave.ts'
import { parseFactor, parseSeed } from './options.ts'
import { createRandom, type Random } from './platform/random.ts'
import { HARD_ROUNDS, parseRounds, ROUNDS } from './rounds/all.ts'
import { rest, type RoundContext, steady } from './rounds/context.ts'
import { type DrillRound, foundAll, renderScore, renderTable } from './score.ts'

interface Options {
  readonly fault?: readonly string[]
  readonly hard?: boolean
  readonly seed: number
  readonly load: number
  readonly prometheus?: boolean
  readonly approve: boolean
  readonly json?: boolean
}

/** The past that the first round is compared with. */
const FIRST_STEADY_MS = 75_000

const command = new Command('drill')
  .description('Every fault of the lab in turn, scored: what was injected against what was named.')
  .option('--fault <names>', `only these, by comma: ${[...ROUNDS.keys()].join(', ')}`, parseRounds)
  .option('--hard', 'the rounds in which the obvious answer is wrong, and no others')
  .option('--seed <number>', 'varies order, releases and sizes', parseSeed, 1)
  .option('--load <factor>', 'multiplies the traffic; 1 is about 18 requests a second', parseFactor, 1)
  .option('--prometheus', 'run the real Prometheus and Alertmanager (both must be on the PATH)')
  .option('--no-approve', 'only diagnose: approve no fix')
  .option('--json', 'print one JSON array')
  .exitOverride()

try {
  process.exitCode = await main(command.parse().opts<Options>())
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else {
    console.error(`drill: ${describeError(error)}`)
    process.exitCode = 1
  }
}

async function main(options: Options): Promise<number> {
  const leaving = new AbortController()
  onLeave(() => leaving.abort())
  const tell = (text: string) => console.error(`${new Date().toLocaleTimeString('en-GB')}  ${text}`)
  const workDir = mkdtempSync(join(tmpdir(), 'midwatch-drill-'))
  const rounds: DrillRound[] = []
  let whole = false
  const lab = await startLab({
    workDir,
    seed: options.seed,
    load: options.load,
    prometheus: options.prometheus ?? false,
    onProgress: (what) => tell(`starting ${what}`),
    onUnexpectedEnd: (message) => {
      tell(message)
      leaving.abort()
    },
  })
  try {
    tell(`${lab.pageUrl}  files in ${workDir}`)
    await steady(FIRST_STEADY_MS, leaving.signal)
    await playAll(rounds, lab, options, { tell, signal: leaving.signal })
    whole = true
  } catch (error) {
    if (!leaving.signal.aborted) throw error
    tell('stopped before its end: this is what there is')
  } finally {
    await lab.stop()
    if (whole && foundAll(rounds)) rmSync(workDir, { recursive: true, force: true })
    else tell(`what it wrote is kept in ${workDir}`)
  }
  if (options.json) console.log(JSON.stringify(rounds.map(({ row }) => row)))
  else console.log(`${renderTable(rounds)}\n\n${renderScore(rounds)}`)
  return whole && foundAll(rounds) ? 0 : 1
}

/** Adds the rounds of the plan one by one, so that those played stand when the rest does not come. */
async function playAll(
  rounds: DrillRound[],
  lab: Lab,
  options: Options,
  { tell, signal }: Pick<RoundContext, 'tell' | 'signal'>,
): Promise<void> {
  const random = createRandom(options.seed)
  const plan =
    options.fault ??
    (options.hard ? [...HARD_ROUNDS.keys()] : [...shuffled(FAULTS, random).map(({ name }) => name), 'none'])
  const context = { lab, random, seed: options.seed, approve: options.approve, tell, signal }
  for (const [i, name] of plan.entries()) {
    tell(`${i + 1} of ${plan.length}: ${name === 'none' ? 'nothing is broken' : name}`)
    const play = ROUNDS.get(name)
    if (play) rounds.push(...(await play(context)))
    if (i < plan.length - 1) await rest(signal)
  }
}

/** Fisher and Yates. */
function shuffled<T>(list: readonly T[], random: Random): T[] {
  const out = [...list]
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.int(0, i)
    const [a, b] = [out[i] as T, out[j] as T]
    out[i] = b
    out[j] = a
  }
  return out
}
