// A subject and a body written for people, as a name, a severity, a state and a service. Only plain signs are read: marks
// before the subject, "Severity: …" and the like on lines of their own, words that can mean nothing else. `telling` says
// whether any such sign was there: without one it may be any mail.
import { findSeverity } from '../severity.ts'
import { readMarks, statusOfWord } from './words.ts'

export interface PlainText {
  readonly name: string
  readonly severity: string | undefined
  readonly status: 'firing' | 'resolved'
  readonly service: string | undefined
  readonly labels: Readonly<Record<string, string | undefined>>
  readonly annotations: Readonly<Record<string, string | undefined>>
  readonly urls: readonly string[]
  readonly telling: boolean
}

const MAX_READ = 20_000
const MAX_HEADING = 2000
const FIELD = /^[ \t*_>•-]{0,10}([A-Za-z][A-Za-z _-]{1,30}?)[*_]{0,2}[ \t]{0,5}[:=：][*_]{0,2}[ \t]{0,20}(\S.{0,500})/gm
const WORDS_THAT_FIRE =
  /\b(?:alarm|outage|incident|unreachable|unresponsive|not responding|is down|went down|has failed|threshold (?:crossed|exceeded|breached)|exceed(?:ed|s) (?:the )?threshold|out of (?:memory|disk)|5xx|timed out)\b/i
const WORDS_THAT_END =
  /\b(?:has recovered|is back to normal|recovered|resolved|is (?:now )?(?:ok|up|healthy)(?: again)?|back up|cleared)\b/i
/** `Service checkout is down`, `on host web-1`. */
const HOST_IN_TEXT = /\bhost[: ]+['"`]?([A-Za-z0-9][\w.-]*[\w])/i

/** undefined where there is nothing to name it by. */
export function readPlainText({
  subject,
  body,
}: {
  subject?: string | undefined
  body: string
}): PlainText | undefined {
  const shown = body.slice(0, MAX_READ)
  const heading = (subject?.trim() || firstLine(shown))?.slice(0, MAX_HEADING)
  if (!heading) return undefined
  const fields = fieldsOf(shown)
  const marks = readMarks(heading.replace(/^(?:(?:re|fwd?|aw|wg)\s*:\s*)+/i, ''))
  const field = (...names: readonly string[]): string | undefined =>
    names.map((name) => fields.get(name)).find((value) => value !== undefined)
  const severity = field('severity', 'priority', 'level', 'criticality', 'urgency')
  const known = findSeverity(severity) === undefined ? marks.severity : severity
  const said = statusOfWord(field('status', 'state', 'current state', 'new state', 'alert state')) ?? marks.status
  const ends = WORDS_THAT_END.test(heading)
  const fires = WORDS_THAT_FIRE.test(heading) || WORDS_THAT_FIRE.test(shown)
  const named = field('alert', 'alert name', 'alarm', 'alarm name', 'check', 'monitor', 'rule', 'condition', 'problem')
  return {
    name: named ?? marks.rest,
    severity: known,
    status: said ?? (ends ? 'resolved' : 'firing'),
    service: field('service', 'application', 'app', 'component', 'system'),
    labels: {
      host: field('host', 'hostname', 'server', 'instance', 'node') ?? HOST_IN_TEXT.exec(heading)?.[1],
      environment: field('environment', 'env'),
      region: field('region'),
    },
    annotations: { summary: shown.trim() || heading, subject: subject?.trim() },
    urls: [...shown.matchAll(/https?:\/\/[^\s<>"'|)\]]+/g)].slice(0, 5).map(([url]) => url),
    telling: known !== undefined || said !== undefined || ends || fires || named !== undefined,
  }
}

const firstLine = (body: string): string | undefined =>
  body
    .split('\n')
    .find((line) => line.trim() !== '')
    ?.trim()

/** `Severity: critical` on a line of its own, the first of each name. */
function fieldsOf(body: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const [, name = '', value = ''] of body.matchAll(FIELD)) {
    const key = name.trim().toLowerCase().replaceAll(/[_-]/g, ' ')
    if (!fields.has(key))
      fields.set(
        key,
        value
          .trim()
          .replace(/^[*_`"']{1,3}/, '')
          .replace(/[*_`"']{1,3}$/, ''),
      )
  }
  return fields
}
