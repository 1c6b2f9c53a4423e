// Picks from the catalogue what mends a cause, and fills it in. Nothing outside the catalogue can be proposed, and no
// text out of an alert, a log or a model gets into a request: only names that are known and values of recorded changes.
import { CHANGE_PLACEHOLDERS, actionTexts } from '../../config/action-templates.ts'
import type { ActionConfig } from '../../config/schema.ts'
import { canonicalJson, sha256Hex } from '../../core/hash.ts'
import { Secret } from '../../core/secret.ts'
import type { Change, Edge } from '../../core/telemetry.ts'
import { fillTemplate, placeholdersOf } from '../../core/template.ts'
import { type ActionRequest, whyUnsendable } from '../../actions/http/action.ts'
import type { Cause } from '../../diagnosis/evidence.ts'
import type { ProposedAction } from '../report.ts'
import { weighRisk } from './risk.ts'

export interface ChoiceInput {
  readonly catalogue: readonly ActionConfig[]
  readonly cause: Cause
  /** "checkout fails for 31 % of requests". */
  readonly effect: string
  readonly incidentNumber: number
  readonly alertAtMs: number
  readonly changes: readonly Change[]
  readonly topology: readonly Edge[]
  /** Services of the configuration, of the topology and of the series: nothing else is ever touched. */
  readonly knownServices: ReadonlySet<string>
  /** `${name} ${service}` of what was tried before in this incident. */
  readonly tried: readonly string[]
}

export type Choice =
  | { readonly kind: 'proposed'; readonly action: ProposedAction }
  | { readonly kind: 'none'; readonly reason: string }

/** A change this long before the onset can still be what began it. */
const CHANGE_WITHIN_MS = 30 * 60_000
/** Clocks and scrape intervals differ: a change this long after the measured onset can have been before it. */
const CHANGE_AFTER_MS = 60_000

export function chooseAction(input: ChoiceInput): Choice {
  const { catalogue, cause, knownServices } = input
  if (!knownServices.has(cause.service))
    return { kind: 'none', reason: `${cause.service} is not a service that Midwatch knows of` }
  const fitting = catalogue.filter(
    ({ fits, services, name }) =>
      fits.includes(cause.kind) &&
      (services.includes('*') || services.includes(cause.service)) &&
      !input.tried.includes(`${name} ${cause.service}`),
  )
  if (fitting.length === 0)
    return {
      kind: 'none',
      reason: `the action catalogue has nothing (more) for ${spell(cause.kind)} at ${cause.service}`,
    }
  const reasons: string[] = []
  for (const entry of fitting) {
    const filled = fillEntry(entry, input)
    if (filled.kind === 'proposed') return filled
    reasons.push(`${entry.name}: ${filled.reason}`)
  }
  return { kind: 'none', reason: reasons.join('; ') }
}

function fillEntry(entry: ActionConfig, input: ChoiceInput): Choice {
  const { cause, topology, effect } = input
  const no = (reason: string): Choice => ({ kind: 'none', reason })
  const change = changeBefore(input)
  const texts = [...actionTexts(entry).map(({ text }) => text), ...Object.values(entry.parameters)]
  const wanted = new Set(texts.flatMap(placeholdersOf))
  if (entry.does === 'roll-back' && !change) return no(`no change of ${cause.service} is known shortly before it began`)
  const lacking = CHANGE_PLACEHOLDERS.find(
    (name) => wanted.has(name) && { change: change?.id, from: change?.from, to: change?.to }[name] === undefined,
  )
  if (lacking !== undefined) return no(`the change does not say what {${lacking}} is`)
  const values: Record<string, string> = {
    service: cause.service,
    kind: cause.kind,
    incident: String(input.incidentNumber),
    ...(change === undefined ? {} : { change: change.id }),
    ...(change?.from === undefined ? {} : { from: change.from }),
    ...(change?.to === undefined ? {} : { to: change.to }),
  }
  const bad = Object.entries(values).find(([, value]) => !isHarmless(value))
  if (bad) return no(`the value of {${bad[0]}} holds characters that no name or version has`)
  // `run` is the key of the request and exists only once it is sent.
  const forParameters = { ...values, run: '' }
  const parameters = {
    ...values,
    ...Object.fromEntries(
      Object.entries(entry.parameters).map(([key, text]) => [key, fillTemplate(text, forParameters)]),
    ),
  }
  const request = requestFor(entry, parameters, '')
  const unsendable = whyUnsendable(request.url, request.headers)
  if (unsendable !== undefined) return no(unsendable)
  const shown = { ...parameters, run: '' }
  const { risk, reasons } = weighRisk(entry.risk, cause.service, topology, cause.confidence)
  return {
    kind: 'proposed',
    action: {
      name: entry.name,
      does: entry.does,
      service: cause.service,
      parameters,
      title: fillTemplate(entry.title, shown),
      expected: fillTemplate(entry.expected, shown),
      undo: fillTemplate(entry.undo, shown),
      touches: fillTemplate(entry.touches, shown),
      risk,
      riskReasons: [...reasons],
      ifNothing: effect === '' ? 'It goes on as it is.' : `It goes on as it is: ${effect}.`,
      fingerprint: fingerprintOf(request),
    },
  }
}

/** The last deploy or change of configuration or flag at the service shortly before the onset. */
function changeBefore({
  cause,
  changes,
  alertAtMs,
}: Pick<ChoiceInput, 'cause' | 'changes' | 'alertAtMs'>): Change | undefined {
  const onsetMs = cause.onset ?? alertAtMs
  const candidates = changes.filter(
    ({ service, kind, at }) =>
      service === cause.service &&
      (kind === 'deploy' || kind === 'config' || kind === 'flag') &&
      at <= onsetMs + CHANGE_AFTER_MS &&
      at >= onsetMs - CHANGE_WITHIN_MS,
  )
  const cited = cause.evidence.flatMap(({ ref }) => (ref.kind === 'change' ? [ref.id] : []))
  const preferred = candidates.filter(({ id }) => cited.includes(id))
  return (preferred.length > 0 ? preferred : candidates).toSorted((a, b) => b.at - a.at)[0]
}

/** No control characters, nothing invisible, no half of a character, no step up a path, and no longer than a name can be. */
const isHarmless = (value: string): boolean =>
  value !== '' && !/^\.+$/.test(value) && value.length <= 200 && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(value)

/** The one request of an entry. Headers keep their secrets until it is sent. Throws RangeError for an unknown name. */
export function requestFor(
  entry: ActionConfig,
  parameters: Readonly<Record<string, string>>,
  key: string,
): ActionRequest {
  const values = { ...parameters, run: key }
  const { method, url, headers, body, timeoutMs } = entry.request
  return {
    method,
    url: fillTemplate(url, values, encodeURIComponent),
    headers: mapValues(headers, (text) => (text instanceof Secret ? text.reveal() : fillTemplate(text, values))),
    body: mapValues(body, (text) => fillTemplate(text, values)),
    timeoutMs,
    key,
  }
}

/** The address to ask whether a run was carried out, or undefined when the entry has none. */
export const checkUrlFor = (
  entry: ActionConfig,
  parameters: Readonly<Record<string, string>>,
  key: string,
): string | undefined => entry.check && fillTemplate(entry.check.url, { ...parameters, run: key }, encodeURIComponent)

/** Everything about a request but its key: where it goes, what it says, and as whom. Secrets go into the hash alone. */
export const fingerprintOf = ({ method, url, headers, body }: ActionRequest): string =>
  sha256Hex(canonicalJson({ method, url, headers: mapValues(headers, sha256Hex), body })).slice(0, 32)

export type Approved =
  | { readonly kind: 'same'; readonly entry: ActionConfig }
  | { readonly kind: 'differs'; readonly reason: string }

/** The entry that an action was made from, when it would still send what was approved; else why not. */
export function findApproved(
  catalogue: readonly ActionConfig[],
  { name, parameters, fingerprint }: Pick<ProposedAction, 'name' | 'parameters' | 'fingerprint'>,
): Approved {
  const entry = catalogue.find((candidate) => candidate.name === name)
  if (!entry) return { kind: 'differs', reason: 'is no longer in the catalogue' }
  if (fingerprint === undefined) return { kind: 'differs', reason: 'cannot be compared with what was approved' }
  const changed: Approved = { kind: 'differs', reason: 'was changed since it was approved' }
  try {
    checkUrlFor(entry, parameters, '')
    return fingerprintOf(requestFor(entry, parameters, '')) === fingerprint ? { kind: 'same', entry } : changed
  } catch (error) {
    // A text that asks for a value which the approved one did not need.
    if (error instanceof RangeError) return changed
    throw error
  }
}

const mapValues = <T>(record: Readonly<Record<string, T>>, map: (value: T) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))

const spell = (kind: string): string => kind.replaceAll('_', ' ')
