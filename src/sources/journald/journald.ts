// A LogSource over systemd's journal, asked through `journalctl`: this machine's journal, or files and folders of them. The
// newest entries come first and are read only as long as they are wanted. A service is a unit; what the service manager says of
// a unit ("Main process exited") is that unit's line too.
import { stat } from 'node:fs/promises'
import { AppError } from '../../core/errors.ts'
import { isAtLeast } from '../../core/log-level.ts'
import type { LogLine, LogSource } from '../../core/telemetry.ts'
import { readLevel } from '../log-level.ts'
import { type LogFields, parseLine } from '../log-line.ts'
import { type Entry, readEntry, unitOf } from './entry.ts'
import { runJournalctl } from './journalctl.ts'

export interface JournaldOptions {
  /** A folder of journals; with neither this nor files, the journal of this machine. */
  readonly directory?: string | undefined
  readonly files?: readonly string[]
  /** Only these; empty: all. */
  readonly units?: readonly string[]
  /** Unit → service; else the unit without `.service`. */
  readonly services?: Readonly<Record<string, string>>
  /** Names of the fields in messages that are JSON. */
  readonly fields: LogFields
  readonly timeoutMs?: number
  readonly maxBytes?: number
}

const OUTPUT = ['MESSAGE', 'PRIORITY', '_SYSTEMD_UNIT', '_SYSTEMD_USER_UNIT', 'UNIT', 'SYSLOG_IDENTIFIER', '_TRANSPORT']
const CURSOR = /^[a-z]=[0-9a-f]+(;[a-z]=[0-9a-f]+)*$/
/** What a program's standard output has unless it says otherwise: then the line itself tells. */
const UNSAID = 'info'

export function createJournaldSource(options: JournaldOptions): LogSource {
  const { services = {}, units = [], files = [], directory } = options
  const limits = { timeoutMs: options.timeoutMs ?? 20_000, maxBytes: options.maxBytes ?? 64 * 1024 * 1024 }
  const unitsOf = Map.groupBy(Object.keys(services), (unit) => services[unit] ?? '')
  const base = ['--no-pager', '--utc', '--all', '--output=json', `--output-fields=${OUTPUT.join(',')}`]

  const serviceOf = (unit: string): string =>
    Object.hasOwn(services, unit) ? (services[unit] ?? unit) : unit.replace(/\.service$/, '')

  const toLine = (entry: Entry): LogLine => {
    const parsed = parseLine(entry.message.trimEnd(), options.fields)
    const told = readLevel(entry.priority) ?? UNSAID
    return {
      at: Math.floor(entry.us / 1000),
      service: serviceOf(unitOf(entry)),
      level: told === UNSAID ? parsed.level : told,
      message: parsed.message,
      ...(parsed.requestId === undefined ? {} : { requestId: parsed.requestId }),
      ref: `journald|${entry.cursor}`,
    }
  }

  /** Matches of one field are alternatives; `+` stands between groups that are. */
  const matchesFor = (wanted: readonly string[] | undefined): string[] => {
    const asked = wanted?.flatMap((service) => unitsOf.get(service) ?? [`${service}.service`, service])
    const named = units.length > 0 ? units.filter((unit) => wanted === undefined || asked?.includes(unit)) : asked
    if (named === undefined) return []
    const groups = ['_SYSTEMD_UNIT', '_SYSTEMD_USER_UNIT', 'UNIT', 'SYSLOG_IDENTIFIER'].map((field) =>
      named.map((unit) => `${field}=${unit}`),
    )
    return groups.flatMap((group, i) => (i === 0 ? group : ['+', ...group]))
  }

  const isWanted = (entry: Entry, wanted: readonly string[] | undefined): boolean => {
    const unit = unitOf(entry)
    if (units.length > 0 && !units.includes(unit)) return false
    return wanted === undefined || wanted.includes(serviceOf(unit))
  }

  /** Of several files one that is missing keeps nothing from the others; a pattern may match nothing. */
  const present = async () => {
    const problems: string[] = []
    const found = await Promise.all(
      files.map(async (file) => {
        if (/[*?[]/.test(file)) return [`--file=${file}`]
        try {
          await stat(file)
          return [`--file=${file}`]
        } catch (error) {
          problems.push(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`)
          return []
        }
      }),
    )
    return { where: directory === undefined ? found.flat() : [`--directory=${directory}`], problems }
  }

  return {
    name: 'journald',
    async read({ fromMs, toMs, services: wanted, minLevel, limit }, signal) {
      signal.throwIfAborted()
      const { where, problems } = await present()
      const matches = matchesFor(wanted)
      const nothing = (wanted !== undefined || units.length > 0) && matches.every((one) => one === '+')
      if (nothing || (files.length > 0 && where.length === 0))
        return { lines: [], truncated: false, ...(problems.length === 0 ? {} : { problems }) }
      const lines: LogLine[] = []
      const args = [
        ...base,
        ...where,
        '--reverse',
        `--since=@${Math.max(1, Math.floor(fromMs / 1000))}`,
        `--until=@${Math.max(1, Math.floor(toMs / 1000) + 1)}`,
        ...matches,
      ]
      const ran = await runJournalctl(args, limits, signal, (text) => {
        const entry = readEntry(text)
        if (!entry || !isWanted(entry, wanted)) return true
        const line = toLine(entry)
        if (
          line.at >= fromMs &&
          line.at <= toMs &&
          line.message !== '' &&
          (!minLevel || isAtLeast(line.level, minLevel))
        )
          lines.push(line)
        return lines.length <= limit
      })
      problems.push(...ran.problems)
      const kept = lines.slice(0, Math.max(0, limit)).reverse()
      return {
        lines: kept.sort((a, b) => a.at - b.at),
        truncated: ran.stopped || lines.length > kept.length,
        ...(problems.length === 0 ? {} : { problems }),
      }
    },
    async findLine(ref, signal) {
      signal.throwIfAborted()
      const cursor = ref.startsWith('journald|') ? ref.slice('journald|'.length) : ''
      if (!CURSOR.test(cursor)) return undefined
      let found: Entry | undefined
      const { where } = await present()
      if (files.length > 0 && where.length === 0) return undefined
      const args = [...base, ...where, `--cursor=${cursor}`, '--lines=1']
      await runJournalctl(args, limits, signal, (text) => {
        found = readEntry(text)
        return false
      }).catch((error: unknown) => {
        // What only looks like a cursor of these journals.
        if (!(error instanceof AppError && /seek to cursor/.test(error.message))) throw error
      })
      // Where it is gone, journalctl goes on at the next that it has.
      return found?.cursor === cursor && isWanted(found, undefined) ? toLine(found) : undefined
    },
  }
}
