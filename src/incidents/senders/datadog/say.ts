// What Datadog says of an alert in its several words: the transition (`Triggered`, `Warn Recovered`), the type (`error`,
// `success`), the monitor's priority, and the marks before a title, `[Triggered on {host:web1}] CPU is high`.
import { findSeverity } from '../../severity.ts'
import { statusOfWord } from '../words.ts'

interface Said {
  readonly heading: string
  readonly transition: string | undefined
  readonly type: string | undefined
  readonly priority: string | undefined
  readonly severity: string | undefined
}

const MARK = /^\s*\[([^\]]*)\]\s*/
const TRANSITION = /^(?:re-?)?(?:triggered|trigger|warn|no data|recovered|alert|ok|renotify|resolved)\b/i

/** The title without marks of state and priority; other marks belong to it. */
export function titleOf(heading: string): string {
  let rest = heading.trim()
  for (let match = MARK.exec(rest); match; match = MARK.exec(rest)) {
    const mark = match[1] ?? ''
    const after = rest.slice(match[0].length)
    if (after === '' || !(TRANSITION.test(mark) || /^P[1-5]$/i.test(mark))) break
    rest = after
  }
  return rest
}

/** `[Triggered on {host:web1,env:prod}] …` → `web1`. */
export const hostOfTitle = (heading: string): string | undefined => /\{[^{}]*\bhost:([^,{}\s]+)/.exec(heading)?.[1]

/** A webhook that says nothing of its state tells of something that happened: it fires. */
export function statusOf({ heading, transition, type }: Said): 'firing' | 'resolved' {
  for (const word of [transition, MARK.exec(heading)?.[1]]) {
    if (word === undefined) continue
    // `Warn Recovered`, `No Data Recovered`, `Recovered on {host:…}`; and Re-Triggered is not recovered.
    if (/\brecover|\bresolve/i.test(word)) return 'resolved'
    if (TRANSITION.test(word) && !/^ok\b/i.test(word)) return 'firing'
    const status = statusOfWord(word)
    if (status !== undefined) return status
  }
  return /^(?:success|recovery|ok)$/i.test(type ?? '') ? 'resolved' : 'firing'
}

/** A monitor that only warns is no more than a warning, whatever its priority says of its alerts. */
export function severityOf({ heading, transition, type, priority, severity }: Said): string | undefined {
  const state = transition ?? MARK.exec(heading)?.[1] ?? ''
  if (/^(?:re-?)?(?:warn|no data)/i.test(state)) return 'warning'
  if (severity !== undefined && findSeverity(severity) !== undefined) return severity
  // `normal` and `low` are priorities of events and say nothing of a monitor's.
  const level = /^P?([1-5])\b/i.exec(priority ?? '')?.[1] ?? /\[P([1-5])\]/i.exec(heading)?.[1]
  if (level !== undefined) return `P${level}`
  return /^(?:error|warning|info)$/i.test(type ?? '') ? type : undefined
}
