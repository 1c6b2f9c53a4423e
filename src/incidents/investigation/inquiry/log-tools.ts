// What was written, as rows: templates with how often they were seen before and since, and lines that have a text in them,
// each with the lines word for word and where they stand.
import { mask } from '../../../diagnosis/log-templates.ts'
import type { LogLine } from '../../../core/telemetry.ts'
import type { Found } from './claim-ref.ts'

export interface LogsAsked {
  readonly logs: readonly LogLine[]
  /** What was written before it is what is normal. */
  readonly onsetMs: number
}

const MOST_ROWS = 500
const LINES_CITED = 3

interface Group {
  readonly service: string
  readonly template: string
  before: number
  after: number
  worst: boolean
  readonly lines: LogLine[]
}

const BAD = new Set<LogLine['level']>(['warn', 'error', 'fatal'])

const groupsOf = new WeakMap<readonly LogLine[], readonly Group[]>()

/** New, surged and vanished ones first. */
export function listTemplates({ logs, onsetMs }: LogsAsked, service: string | null): Found[] {
  const groups = groupsOf.get(logs) ?? group(logs, onsetMs)
  groupsOf.set(logs, groups)
  const first = logs[0]?.at ?? onsetMs
  const last = logs.at(-1)?.at ?? onsetMs
  // Rates are compared, for the time before is longer.
  const [quietMs, sinceMs] = [Math.max(1, onsetMs - first), Math.max(1, last - onsetMs)]
  return groups
    .filter((one) => service === null || one.service === service)
    .map((one): Found => {
      const expected = (one.before / quietMs) * sinceMs
      const surge = (one.after - expected) / (one.after + expected + 2)
      return {
        text: `${one.service} wrote ${one.after} times since (${one.before} times before): ${one.template}`,
        service: one.service,
        strength: Math.round(Math.min(1, Math.abs(surge) * (one.worst ? 1 : 0.5)) * 100) / 100,
        // A line that fell silent can be looked for again; one that was written, read again.
        ref:
          one.lines.length > 0 || one.after === 0
            ? {
                kind: 'log',
                service: one.service,
                template: one.template,
                countBefore: one.before,
                countAfter: one.after,
                lines: one.lines.map(({ at, level, message, ref }) => ({ at, level, message, ref })),
              }
            : null,
      }
    })
    .sort((a, b) => b.strength - a.strength || (a.text < b.text ? -1 : 1))
    .slice(0, MOST_ROWS)
}

function group(logs: readonly LogLine[], onsetMs: number): Group[] {
  const groups = new Map<string, Group>()
  for (const line of logs) {
    const template = mask(line.message)
    const key = `${line.service}\u0000${template}`
    let one = groups.get(key)
    if (!one) groups.set(key, (one = { service: line.service, template, before: 0, after: 0, worst: false, lines: [] }))
    if (line.at < onsetMs) one.before++
    else {
      one.after++
      if (one.lines.length < LINES_CITED) one.lines.push(line)
    }
    one.worst ||= BAD.has(line.level)
  }
  return [...groups.values()]
}

/** Lines with the text in them, whatever its letters' case, newest last. */
export function searchLogs({ logs, onsetMs }: LogsAsked, service: string | null, contains: string | null): Found[] {
  const wanted = (contains ?? '').toLowerCase().trim()
  if (wanted === '') return []
  return logs
    .filter((line) => (service === null || line.service === service) && line.message.toLowerCase().includes(wanted))
    .slice(-MOST_ROWS)
    .map((line) => ({
      text: `${new Date(line.at).toISOString()} ${line.service} ${line.level}: ${line.message}`,
      service: line.service,
      strength: line.at >= onsetMs && BAD.has(line.level) ? 0.3 : 0,
      ref: {
        kind: 'log',
        service: line.service,
        template: line.message,
        countBefore: line.at < onsetMs ? 1 : 0,
        countAfter: 1,
        lines: [{ at: line.at, level: line.level, message: line.message, ref: line.ref }],
      },
    }))
}
