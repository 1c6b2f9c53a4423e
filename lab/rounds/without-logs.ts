// A fault while the logs cannot be read: the report must say what it did not see, and go on with what is left.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import { FAULTS } from '../faults/all.ts'
import type { Lab } from '../lab.ts'
import { faultRound } from './fault.ts'
import { type Round, steady } from './context.ts'

/** Two scrapes and more, so that the restart is no part of what is judged. */
const AFTER_RESTART_MS = 20_000

export const withoutLogs: Round = async (context) => {
  const { lab, random, tell, signal } = context
  const fault = random.pick(FAULTS)
  const config = readFileSync(lab.midwatch.configFile, 'utf8')
  const changed = parseDocument(config)
  changed.setIn(['agent', 'sources', 'files', 'paths'], [join(lab.workDir, 'no-such-logs')])
  try {
    await restartWith(lab, changed.toString())
    await steady(AFTER_RESTART_MS, signal)
    tell(`   ${fault.name}, and no logs`)
    const sinceMs = Date.now()
    const rounds = await faultRound(fault)(context)
    const blind = (await lab.agent.incidentsSince(sinceMs))[0]
    const view = blind && (await lab.agent.incident(blind.id))
    const said = (view?.report?.blind.length ?? 0) > 0
    return rounds.map(({ row, found, mended }) => ({
      row: { ...row, fault: 'without-logs' },
      found: found && said,
      mended,
    }))
  } finally {
    await restartWith(lab, config)
  }
}

async function restartWith(lab: Lab, config: string): Promise<void> {
  await lab.midwatch.stop()
  writeFileSync(lab.midwatch.configFile, config)
  await lab.midwatch.start()
}
