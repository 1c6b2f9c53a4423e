// The one sentence that is the same on every face: effect, cause, since when, because of what change.
import type { FaultKind } from '../../core/fault-kinds.ts'
import type { Cause } from '../../diagnosis/evidence.ts'

/** What is wrong with a service, as a clause that reads on into "since 03:12:40". */
const WRONG: Readonly<Record<FaultKind, (service: string) => string>> = {
  cpu: (service) => `${service} burns its processor time`,
  memory_leak: (service) => `the memory of ${service} grows without end`,
  slow_database: (service) => `the database of ${service} answers slowly`,
  pool_exhausted: (service) => `${possessive(service)} connection pool is full`,
  bad_deploy: (service) => `a new release of ${service} fails`,
  bad_config: (service) => `a changed setting makes ${service} fail`,
  down: (service) => `${service} does not answer`,
  slow_dependency: (service) => `${service} answers late`,
  queue_backlog: (service) => `the queue of ${service} fills faster than it is worked off`,
  disk_full: (service) => `the disk of ${service} is full`,
  credential_expired: (service) => `a credential of ${service} has expired`,
  traffic_surge: (service) => `${service} gets more requests than it can serve`,
  provider_failure: (service) => `the model provider of ${service} fails`,
}

/** Words of which one must stand in a sentence that claims to name this kind. */
export const KIND_WORDS: Readonly<Record<FaultKind, RegExp>> = {
  cpu: /processor|cpu/i,
  memory_leak: /memory/i,
  slow_database: /database|quer(y|ies)/i,
  pool_exhausted: /pool|connections/i,
  bad_deploy: /release|deploy/i,
  bad_config: /setting|config/i,
  down: /down|answer|unreachable/i,
  slow_dependency: /slow|late/i,
  queue_backlog: /queue|backlog/i,
  disk_full: /disk|volume/i,
  credential_expired: /credential|certificate|token|expired/i,
  traffic_surge: /request|traffic|surge/i,
  provider_failure: /provider|model/i,
}

export interface SentenceParts {
  /** "checkout fails for 31 % of requests". */
  readonly effect: string
  /** Best first; none when the diagnosis abstained. */
  readonly causes: readonly Cause[]
  readonly missing: readonly string[]
}

/** A cause less sure than this is told as a guess, and is no ground to touch anything. */
export const SURE_ENOUGH = 0.5

export function writeSentence({ effect, causes, missing }: SentenceParts): string {
  const begin = capital(effect === '' ? 'something is wrong' : effect)
  const [cause] = causes
  if (!cause) {
    // Each is a sentence of its own.
    const settle = missing.length === 0 ? '' : ` What would settle it: ${missing.slice(0, 2).join(' ')}`
    return `${begin}. The cause is not known.${settle}`
  }
  const since = cause.onset === null ? '' : ` since ${timeOfDay(cause.onset)}`
  const why = `${WRONG[cause.kind](cause.service)}${since}${changeClause(cause)}`
  return cause.confidence < SURE_ENOUGH
    ? `${begin}. The cause is not certain; most likely ${why}.`
    : `${begin} because ${why}.`
}

/** ", 11 s after deploy 8f2c1 of inventory". */
function changeClause(cause: Cause): string {
  const change = cause.evidence.map(({ ref }) => ref).find((ref) => ref.kind === 'change')
  if (!change || cause.onset === null || change.at > cause.onset + 60_000) return ''
  const what = change.changeKind === 'other' ? 'change' : change.changeKind
  const which = change.changeKind === 'deploy' && change.to !== undefined ? change.to : change.id
  const laterMs = cause.onset - change.at
  return `, ${laterMs < 1000 ? 'right' : duration(laterMs)} after ${what} ${which} of ${change.service}`
}

/** In UTC, and it says so: the sentence is read in more than one place. */
export const timeOfDay = (ms: number): string => `${new Date(ms).toISOString().slice(11, 19)} UTC`

/** `11 s`, `4 min 5 s`, `2 h 10 min`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 120) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

export const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

const possessive = (name: string): string => (name.endsWith('s') ? `${name}'` : `${name}'s`)
