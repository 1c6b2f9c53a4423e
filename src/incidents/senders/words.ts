// The words in which senders say that something fires or has ended, and the marks of severity that people write into
// titles. Only whole words that can mean nothing else count: a sentence is not searched for what it might mean.
import { findSeverity, type Severity } from '../severity.ts'

type Status = 'firing' | 'resolved'

const FIRING =
  'firing fired fire active activated alarm alarming alert alerting open opened reopened triggered trigger retriggered ' +
  'problem down critical crit error err warning warn failing failed failure fatal unhealthy unavailable outage degraded ' +
  'new created create started start raised unresolved acknowledged acknowledge unacknowledged acked escalated escalate ' +
  'nodata no_data insufficient_data breached violated incident bad red'
const RESOLVED =
  'resolved resolve recovered recovery ok okay closed close cleared clear up healthy normal inactive deactivated ended end ' +
  'success succeeded fixed done cancelled canceled expired passing pass good green solved completed complete'

const MEANING = new Map<string, Status>([
  ...FIRING.split(' ').map((word) => [plain(word), 'firing'] as const),
  ...RESOLVED.split(' ').map((word) => [plain(word), 'resolved'] as const),
])

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[^a-z]/g, '')
}

/** `Re-Triggered` → firing, `RECOVERED` → resolved; `true`, `1`, an unknown word and none: undefined. */
export const statusOfWord = (word: string | undefined): Status | undefined =>
  word === undefined ? undefined : MEANING.get(plain(word))

/** What a table says of a word that a stranger wrote: its own entry, never what every object inherits (`constructor`). */
export const wordIn = <T>(table: Readonly<Record<string, T>>, word: string | undefined): T | undefined =>
  word !== undefined && Object.hasOwn(table, word) ? table[word] : undefined

const MARK = /^\s*(?:\[([^\]]{1,40})\]|\*\* ?([A-Za-z ]{1,40}?) ?\*\*|([A-Za-z]{2,12})\s*[:!])\s*/
const LEVEL = /(?:^|[\s[(])((?:P|SEV-?|S)[0-5])(?=$|[\s\]):,-])/i

export interface Marks {
  /** The title without the marks before it. */
  readonly rest: string
  readonly severity: Severity | undefined
  readonly status: Status | undefined
}

/** `[RESOLVED] [P1] Disk full` → `Disk full`, critical, resolved. Marks that say neither stay where they are. */
export function readMarks(title: string): Marks {
  let rest = title.trim()
  let severity: Severity | undefined
  let status: Status | undefined
  for (let match = MARK.exec(rest); match; match = MARK.exec(rest)) {
    // `[FIRING:2]` counts its alerts, `** PROBLEM **` is how Nagios writes, `[Triggered on {host:web1}]` says where.
    const words = (match[1] ?? match[2] ?? match[3] ?? '').split(/[\s:|,/]+/)
    const found = words.map((word) => [findSeverity(word), statusOfWord(word)] as const)
    const after = rest.slice(match[0].length)
    if (after === '' || found.every(([one, other]) => one === undefined && other === undefined)) break
    severity ??= found.find(([one]) => one !== undefined)?.[0]
    // `[ALERT]` names what kind of message it is, and `[OK]` is both a low level and an end.
    status ??= found.find(([, other]) => other !== undefined)?.[1]
    rest = after
  }
  severity ??= findSeverity(LEVEL.exec(rest)?.[1])
  return { rest, severity, status }
}
