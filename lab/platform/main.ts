// The shop alone, for looking at it: `node lab/platform/main.ts [--load 1] [--seed 1] [--fault NAME] [--dir DIR]`.
// With a fault: it is injected after ten seconds, and Enter heals it.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createLog } from '../../src/observe/log.ts'
import { FAULTS, getFault } from '../faults/all.ts'
import { injectFault } from '../faults/fault.ts'
import { createRandom } from './random.ts'
import { startPlatform } from './start.ts'

const LOOK_EVERY_MS = 2000
const FAULT_AFTER_MS = 10_000

const { values } = parseArgs({
  options: {
    load: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    fault: { type: 'string' },
    dir: { type: 'string' },
  },
})
const say = (text: string) => void process.stdout.write(`${text}\n`)
const fault = values.fault === undefined ? undefined : getFault(values.fault)
const workDir = values.dir ?? mkdtempSync(join(tmpdir(), 'midwatch-shop-'))
const platform = await startPlatform({
  workDir,
  seed: Number(values.seed),
  load: Number(values.load),
  log: createLog({ level: 'warn' }),
})
say(`shop ${platform.shopUrl}  platform ${platform.url}  targets ${platform.targetFile}  logs ${platform.logsDir}`)
say(`faults: ${FAULTS.map(({ name }) => name).join(', ')}`)

const looking = setInterval(() => {
  const { recentPerSecond, recentFailedShare, recentMeanMs, recentByRoute } = platform.loadStats()
  const routes = Object.entries(recentByRoute).map(
    ([route, { failedShare, meanMs }]) => `${route} ${Math.round(failedShare * 100)}% ${Math.round(meanMs)}ms`,
  )
  say(
    `${recentPerSecond.toFixed(1)}/s, ${Math.round(recentFailedShare * 100)} % fail, ${Math.round(recentMeanMs)} ms | ${routes.join(' | ')}`,
  )
}, LOOK_EVERY_MS)

let injecting: NodeJS.Timeout | undefined
if (fault) {
  injecting = setTimeout(() => {
    void injectFault(fault, platform, createRandom(Number(values.seed))).then((truth) =>
      say(`injected ${JSON.stringify(truth)}; press Enter to heal`),
    )
  }, FAULT_AFTER_MS)
  process.stdin.once('data', () => {
    process.stdin.pause()
    void fault.heal(platform).then(() => say('healed'))
  })
}
const end = () => {
  clearInterval(looking)
  clearTimeout(injecting)
  process.stdin.pause()
  void platform.stop()
}
process.once('SIGINT', end)
process.once('SIGTERM', end)
