// Picks from the catalogue what mends a cause. Nothing outside the catalogue can be proposed, and no text out of an alert, a
// log or a model gets into a request: only names that are known and values of recorded changes.
import type { ActionConfig } from '../../config/action-schema.ts'
import type { Change } from '../../core/telemetry.ts'
import type { Cause } from '../../diagnosis/evidence.ts'
import { actionKey, type ProposedAction } from '../report.ts'
import { fillAction, type Filled, type FillInput } from './acting/fill-action.ts'
import { timeOfDay } from './sentence.ts'

export interface ChoiceInput extends Omit<FillInput, 'service' | 'kind' | 'confidence' | 'change'> {
  readonly cause: Cause
  readonly alertAtMs: number
  readonly changes: readonly Change[]
  /** Services of the configuration, of the topology and of the series: nothing else is ever touched. */
  readonly knownServices: ReadonlySet<string>
  /** `actionKey` of what was tried before in this incident. */
  readonly tried: readonly string[]
  /** `actionKey` of what was carried out a moment ago, with the time until which it rests. */
  readonly resting: ReadonlyMap<string, number>
}

/** A change this long before the onset can still be what began it. */
const CHANGE_WITHIN_MS = 30 * 60_000
/** Clocks and scrape intervals differ: a change this long after the measured onset can have been before it. */
const CHANGE_AFTER_MS = 60_000

/** Why an action that could be filled is not proposed all the same, or undefined. */
export type Objection = (entry: ActionConfig, action: ProposedAction) => Promise<string | undefined>

/** The first of the catalogue that fits, can be filled and meets no objection; else why there is none. */
export async function chooseAction(input: ChoiceInput, objection?: Objection): Promise<Filled> {
  const { catalogue, cause, knownServices, tried, resting } = input
  const { service, kind, confidence } = cause
  if (!knownServices.has(service)) return { kind: 'none', reason: `${service} is not a service that Midwatch knows of` }
  const reasons: string[] = []
  for (const entry of catalogue) {
    const key = actionKey({ name: entry.name, service })
    const fits = entry.fits.includes(kind) && (entry.services.includes('*') || entry.services.includes(service))
    if (!fits || tried.includes(key)) continue
    const until = resting.get(key)
    const filled: Filled =
      until === undefined
        ? fillAction(entry, { ...input, service, kind, confidence, change: changeBefore(input) })
        : { kind: 'none', reason: `it was carried out a moment ago and rests until ${timeOfDay(until)}` }
    const against = filled.kind === 'none' ? filled.reason : await objection?.(entry, filled.action)
    if (filled.kind === 'proposed' && against === undefined) return filled
    reasons.push(`${entry.name}: ${against}`)
  }
  const nothing = `the action catalogue has nothing (more) for ${kind.replaceAll('_', ' ')} at ${service}`
  return { kind: 'none', reason: reasons.length === 0 ? nothing : reasons.join('; ') }
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
