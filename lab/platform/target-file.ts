// The list of scrape targets in Prometheus's `file_sd` format. It is replaced as a whole, so a reader never sees half.
import { renameSync, writeFileSync } from 'node:fs'

export interface Target {
  readonly service: string
  /** `127.0.0.1:4801` */
  readonly target: string
}

export function writeTargetFile(file: string, targets: readonly Target[]): void {
  const groups = targets.map(({ service, target }) => ({ targets: [target], labels: { service } }))
  const next = `${file}.next`
  writeFileSync(next, JSON.stringify(groups, undefined, 2))
  renameSync(next, file)
}
