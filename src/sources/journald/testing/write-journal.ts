// Real journal files for tests, written by systemd's own systemd-journal-remote out of its export format.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { absent } from '../../../../test/services.ts'

const PLACES = ['/lib/systemd/systemd-journal-remote', '/usr/lib/systemd/systemd-journal-remote']

/** Where it is, or undefined after having said that what needs it is skipped. */
export const journalRemote = findRemote()

export interface WrittenEntry {
  readonly at: number
  readonly fields: Readonly<Record<string, string | Uint8Array>>
}

export function writeJournal(file: string, entries: readonly WrittenEntry[]): void {
  const parts = entries.flatMap(({ at, fields }, i) => [
    // Entries of one moment need a moment each, or they would be the same entry.
    Buffer.from(
      `__REALTIME_TIMESTAMP=${at * 1000 + (i % 1000)}\n__MONOTONIC_TIMESTAMP=${i + 1}\n_BOOT_ID=${'0'.repeat(31)}1\n`,
    ),
    ...Object.entries(fields).map(([name, value]) => fieldOf(name, Buffer.from(value))),
    Buffer.from('\n'),
  ])
  const { status, stderr } = spawnSync(journalRemote ?? '', [`--output=${file}`, '-'], { input: Buffer.concat(parts) })
  if (status !== 0) throw new Error(`systemd-journal-remote: ${stderr.toString()}`)
}

/** Values with line breaks or without UTF-8 are told with their length. */
function fieldOf(name: string, value: Buffer): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(value.length))
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, Buffer.from('\n')])
}

function findRemote(): string | undefined {
  return PLACES.find((path) => existsSync(path)) ?? absent('there is no systemd-journal-remote')
}
