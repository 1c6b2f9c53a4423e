// The words for states, severities and kinds of cause: one word for one thing, the same as in the terminal.
import type { FaultKind } from '../../src/core/fault-kinds.ts'
import type { IncidentSummary } from '../../src/incidents/view.ts'

const KIND_WORDS: Readonly<Record<FaultKind, string>> = {
  cpu: 'processor busy',
  memory_leak: 'memory leak',
  slow_database: 'slow database',
  pool_exhausted: 'connection pool full',
  bad_deploy: 'bad deploy',
  bad_config: 'bad setting',
  down: 'down',
  slow_dependency: 'slow dependency',
  queue_backlog: 'queue backlog',
  disk_full: 'disk full',
  credential_expired: 'credential expired',
  traffic_surge: 'traffic surge',
  provider_failure: 'model provider fails',
}

/** `connection pool full`; a kind this page does not know yet is shown as it is. */
export const kindWords = (kind: string): string =>
  Object.hasOwn(KIND_WORDS, kind) ? KIND_WORDS[kind as FaultKind] : kind.replaceAll('_', ' ')

export type SeverityLevel = 'critical' | 'error' | 'warning' | 'info'

const LEVELS: readonly string[] = ['critical', 'error', 'warning', 'info'] satisfies SeverityLevel[]

/** The level that gives a severity its shape and colour; its own word is shown beside them. */
export const severityLevel = (severity: string): SeverityLevel =>
  LEVELS.includes(severity) ? (severity as SeverityLevel) : 'warning'

/** 0 is the worst. */
export const severityRank = (severity: string): number => LEVELS.indexOf(severityLevel(severity))

/** Where an incident stands, in a few words. */
export function stateWords(incident: Pick<IncidentSummary, 'state' | 'outcome'>): string {
  switch (incident.state) {
    case 'open':
      return 'collecting alerts'
    case 'investigating':
      return 'looking for the cause'
    case 'awaiting_approval':
      return 'waits for your decision'
    case 'acting':
      return 'carrying out the fix'
    case 'verifying':
      return 'checking that it helped'
    case 'watching':
      return 'watching until its alerts end'
    case 'closed':
      return incident.outcome === 'fixed'
        ? 'fixed'
        : incident.outcome === 'recovered'
          ? 'recovered by itself'
          : 'closed'
  }
}

/**
 * The sentence in two: what happens, and why (or that it is not known). Both together are the sentence word for word.
 */
export function splitSentence(sentence: string): { readonly what: string; readonly why: string } {
  const at = sentence.search(/,? because | The cause is not (known|certain)/)
  return at <= 0 ? { what: sentence, why: '' } : { what: sentence.slice(0, at), why: sentence.slice(at) }
}
