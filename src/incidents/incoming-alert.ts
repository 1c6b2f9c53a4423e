// An alert as every sender's reader hands it on, whatever its own words were. What a sender says is drafted in text;
// here it is made safe: cleaned, clipped, and given its two hashes, which are taken from the whole before anything is cut.
import type { Labels } from '../core/telemetry.ts'
import { serviceOf } from './alert-service.ts'
import { believableMoment } from './alert-times.ts'
import { cleanText } from './clean-text.ts'
import { fingerprintOf, identityOf } from './fingerprint.ts'
import { normaliseSeverity, type Severity } from './severity.ts'

/** Times in ms since the epoch, as the sender gave them. */
export interface IncomingAlert {
  readonly identity: string
  readonly fingerprint: string
  readonly name: string
  readonly service: string | null
  readonly severity: Severity
  readonly status: 'firing' | 'resolved'
  /**
   * What makes one life. `beginning`: the sender repeats the moment at which it began, as Alertmanager does. `identity`:
   * it does not, so that whatever fires goes on until its end is told.
   */
  readonly lifeBy: 'beginning' | 'identity'
  /** When this was so by the sender's word; null where it does not say. */
  readonly toldAtMs: number | null
  readonly startsAtMs: number
  readonly endsAtMs: number | null
  /** The end that is announced of one that fires: it holds unless the alert is delivered again before. */
  readonly endsByMs: number | null
  readonly labels: Labels
  readonly annotations: Labels
  readonly url: string | null
  readonly groupKey: string | null
  /** It says what became of an alert, but not what the alert is: what is known of it stays. */
  readonly partial: boolean
  /** Decided already, so that it is not folded: no alert at all, or one that nobody here can read. */
  readonly decided: { readonly kind: 'ignored' | 'not_understood'; readonly reason: string } | null
}

export const MAX_LABELS = 200
export const MAX_LABEL_NAME = 300
const MAX_VALUE = 10_000
const MAX_NAME = 200
const MAX_URL = 2000
const MAX_GROUP_KEY = 500
const MAX_REASON = 500

/** An alert in a sender's own words. What is undefined or empty was not said. */
export interface AlertDraft {
  readonly name: string
  readonly service?: string | undefined
  /** In any spelling. */
  readonly severity?: string | undefined
  readonly status: 'firing' | 'resolved'
  readonly toldAtMs?: number | undefined
  readonly startsAtMs?: number | undefined
  readonly endsAtMs?: number | undefined
  /** What describes it. `host` names the machine. */
  readonly labels?: Texts
  /** What the sender tells its alerts apart by; the name and the labels where it has nothing better. */
  readonly identifiedBy?: Texts
  /** What is there to read, and links under their names. */
  readonly annotations?: Texts
  /** Where a person looks at it; the first that can be a link. */
  readonly urls?: readonly (string | undefined)[]
  readonly partial?: boolean
}

export type Texts = Readonly<Record<string, string | undefined>>

/** The alert of a draft whose life goes on until its end is told. */
export function completeAlert(draft: AlertDraft, nowMs: number): IncomingAlert {
  const said = withoutEmpty(draft.labels ?? {})
  const service = draft.service?.trim() || serviceOf(said)
  const labels = withoutEmpty({ ...said, alertname: draft.name, ...(service ? { service } : {}) })
  const toldAtMs = draft.toldAtMs === undefined ? null : believableMoment(draft.toldAtMs, nowMs)
  const ended = draft.status === 'resolved'
  const endsAtMs = ended ? believableMoment(draft.endsAtMs ?? toldAtMs ?? nowMs, nowMs) : null
  return {
    identity: identityOf(draft.identifiedBy ? withoutEmpty(draft.identifiedBy) : labels),
    fingerprint: fingerprintOf(labels),
    name: cleanText(draft.name.trim(), MAX_NAME),
    service: service ? cleanText(service, MAX_NAME) : null,
    severity: normaliseSeverity(draft.severity),
    status: draft.status,
    lifeBy: 'identity',
    toldAtMs,
    startsAtMs: draft.startsAtMs ?? (ended ? (endsAtMs ?? nowMs) : (toldAtMs ?? nowMs)),
    endsAtMs,
    endsByMs: null,
    labels: cleanAll(labels),
    annotations: cleanAll(withoutEmpty({ severity: draft.severity, ...draft.annotations })),
    url: firstLink(draft.urls ?? []),
    groupKey: null,
    partial: draft.partial ?? false,
    decided: null,
  }
}

/** What is well-formed and yet cannot be read: kept and shown with the reason. `given`, text or JSON, tells it from others of its kind. */
export const notUnderstood = (source: string, reason: string, given: unknown, nowMs: number): IncomingAlert => ({
  ...undecided(`unreadable body from ${source}`, given, 'firing', nowMs),
  decided: { kind: 'not_understood', reason: cleanText(reason, MAX_REASON) },
})

/** What a sender tells beside alerts (a test ping, a handshake): kept with what it was. */
export const notice = (name: string, reason: string, given: unknown, nowMs: number): IncomingAlert => ({
  ...undecided(name, given, 'resolved', nowMs),
  severity: 'info',
  decided: { kind: 'ignored', reason: cleanText(`notice: ${reason}`, MAX_REASON) },
})

function undecided(name: string, given: unknown, status: 'firing' | 'resolved', nowMs: number): IncomingAlert {
  const raw = typeof given === 'string' ? given : printed(given)
  const draft = { name, status, identifiedBy: { raw }, annotations: { excerpt: raw.slice(0, MAX_REASON) } }
  return completeAlert(draft, nowMs)
}

/** A value as the JSON it came as. Nothing that JSON can be read from fails here. */
function printed(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch (error) {
    // Reading JSON knows no depth, writing it does.
    if (error instanceof RangeError) return 'a body that nests too deeply to be written again'
    throw error
  }
}

/** What an alert of Alertmanager's kind says: it repeats its beginning, and its labels are its identity. */
export interface LabelledDraft {
  readonly name: string
  readonly severity: string | undefined
  readonly status: 'firing' | 'resolved'
  readonly startsAtMs: number
  readonly endsAtMs: number | null
  readonly endsByMs: number | null
  readonly labels: Labels
  readonly annotations: Texts
  readonly urls: readonly (string | null | undefined)[]
  readonly groupKey: string | null
}

export function completeLabelled(draft: LabelledDraft): IncomingAlert {
  const service = serviceOf(draft.labels)
  return {
    identity: identityOf(draft.labels),
    fingerprint: fingerprintOf(draft.labels),
    name: cleanText(draft.name, MAX_NAME),
    service: service === null ? null : cleanText(service, MAX_NAME),
    severity: normaliseSeverity(draft.severity),
    status: draft.status,
    lifeBy: 'beginning',
    toldAtMs: null,
    startsAtMs: draft.startsAtMs,
    endsAtMs: draft.endsAtMs,
    endsByMs: draft.endsByMs,
    labels: cleanAll(draft.labels),
    annotations: cleanAll(withoutEmpty(draft.annotations)),
    url: firstLink(draft.urls),
    groupKey: draft.groupKey === null ? null : cleanText(draft.groupKey, MAX_GROUP_KEY),
    partial: false,
    decided: null,
  }
}

/** Only what a page may link to: `javascript:` and the like are dropped. */
function firstLink(urls: readonly (string | null | undefined)[]): string | null {
  const link = urls.find((url) => url && url.length <= MAX_URL && /^https?:\/\//i.test(url))
  return link ? cleanText(link, MAX_URL) : null
}

const withoutEmpty = (texts: Texts): Labels =>
  Object.fromEntries(
    Object.entries(texts).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && entry[1].trim() !== '',
    ),
  )

/** Where there are more than are kept, by these it is still known what the alert is. */
const KEPT_FIRST = new Set(['alertname', 'service'])

const cleanAll = (texts: Labels): Labels => {
  const all = Object.entries(texts)
  const first = (one: readonly [string, string]): boolean => KEPT_FIRST.has(one[0])
  const kept =
    all.length <= MAX_LABELS ? all : [...all.filter(first), ...all.filter((one) => !first(one))].slice(0, MAX_LABELS)
  return Object.fromEntries(kept.map(([name, value]) => [cleanText(name, MAX_LABEL_NAME), cleanText(value, MAX_VALUE)]))
}
