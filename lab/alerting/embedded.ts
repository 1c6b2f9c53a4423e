// Starts the embedded alerter as a process and reads its journal.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startChild } from '../child.ts'
import { type AcknowledgedAlert, acknowledgedAlert, type AlerterConfig } from './journal.ts'

export interface EmbeddedOptions {
  readonly workDir: string
  readonly targetFile: string
  readonly webhookUrl: string
  readonly onUnexpectedEnd: (message: string) => void
}

export interface EmbeddedAlerter {
  /** Every alert of every notification that was acknowledged so far, oldest first. */
  acknowledged(): readonly AcknowledgedAlert[]
  stop(): Promise<void>
}

export async function startEmbeddedAlerter(options: EmbeddedOptions): Promise<EmbeddedAlerter> {
  const journal = join(options.workDir, 'alerts-acknowledged.jsonl')
  const configFile = join(options.workDir, 'alerter.json')
  const config: AlerterConfig = { targetFile: options.targetFile, webhookUrl: options.webhookUrl, journal }
  writeFileSync(configFile, JSON.stringify(config))
  const child = await startChild({
    name: 'The alerter',
    command: process.execPath,
    args: [join(import.meta.dirname, 'alerter.ts'), configFile],
    cwd: options.workDir,
    logFile: join(options.workDir, 'alerter.log'),
    onUnexpectedEnd: options.onUnexpectedEnd,
  })
  return {
    acknowledged: () => {
      if (!existsSync(journal)) return []
      const lines = readFileSync(journal, 'utf8').split('\n').slice(0, -1)
      return lines.map((line) => acknowledgedAlert.parse(JSON.parse(line)))
    },
    stop: () => child.stop(),
  }
}
