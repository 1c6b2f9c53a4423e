// The few series that show a cause best, kept so that they can be looked at again after an action: are they back?
import type { Clock } from '../../core/clock.ts'
import { withDeadline } from '../../core/deadline.ts'
import type { MetricSource } from '../../core/telemetry.ts'
import type { Cause } from '../../diagnosis/evidence.ts'
import { readSignals, type Signal, type SignalRole } from '../../diagnosis/service-signals.ts'
import { firstAt, median } from '../../diagnosis/stats.ts'
import { askAll } from './read.ts'
import { findSeries, matches, type Witnesses } from './recheck.ts'
import type { Lead } from './state.ts'

const MAX_LEADS = 3
const DEADLINE_MS = 15_000
/** A level counts as back when at most this share of the move is left. */
const BACK_WITHIN = 0.3
const LOOK_BACK_STEPS = 20
/** The latest values, of which the middle one counts. */
const LATEST = 3

/** How much is asked of a service is no trouble by itself, and no fix makes people go away. */
const DEMAND = new Set<SignalRole>(['requests', 'client_requests'])

/** Of the strongest evidence for a cause, what can be asked again. */
export async function findLeads(cause: Cause, witnesses: Witnesses): Promise<Lead[]> {
  const leads: Lead[] = []
  for (const { ref } of [...cause.evidence].sort((a, b) => b.weight - a.weight)) {
    if (leads.length === MAX_LEADS) break
    if (ref.kind !== 'series' || ref.before === null || ref.after === null || ref.before === ref.after) continue
    const found = await findSeries(ref, witnesses)
    if (!found || DEMAND.has(found.role)) continue
    const { service, metric, labels, unit, before, after } = ref
    leads.push({ source: found.source.name, queries: found.queries, service, metric, labels, unit, before, after })
  }
  return leads
}

/** `unknown` when nothing could be asked or nothing answered. */
export type Level = 'back' | 'away' | 'unknown'

export interface LeadsNow {
  readonly level: Level
  /** Of each lead, how far it is from its usual level: 0 is back, 1 is where it was diagnosed, null is unknown. */
  readonly away: readonly (number | null)[]
}

/** Where the leading series are now. One that is still away is enough to say so. */
export async function lookAtLeads(
  leads: readonly Lead[],
  sources: readonly MetricSource[],
  stepMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<LeadsNow> {
  const away = await Promise.all(
    leads.map(async (lead): Promise<number | null> => {
      const source = sources.find(({ name }) => name === lead.source)
      if (!source) return null
      try {
        const toMs = clock.now()
        const range = { fromMs: toMs - LOOK_BACK_STEPS * stepMs, toMs, stepMs }
        const series = await withDeadline(clock, DEADLINE_MS, signal, (inner) =>
          askAll(source, lead.queries, range, inner),
        )
        return movedOf(lead, readSignals(series), toMs - 4 * stepMs)
      } catch {
        signal.throwIfAborted()
        return null
      }
    }),
  )
  const known = away.filter((moved) => moved !== null)
  if (known.length === 0) return { level: 'unknown', away }
  return { level: known.every((moved) => moved <= BACK_WITHIN) ? 'back' : 'away', away }
}

/** In units of the move: 0 is where it was before, 1 is where it went. Below 0 is better than before. */
function movedOf(lead: Lead, signals: readonly Signal[], sinceMs: number): number | null {
  const track = signals.find((signal) => matches(signal, lead))?.track
  if (!track) return null
  const recent = track.values.subarray(firstAt(track, sinceMs)).slice(-LATEST)
  if (recent.length === 0) return null
  return (median(recent) - lead.before) / (lead.after - lead.before)
}

/** This much further away than when the action was carried out, in units of the move, is worse. */
const WORSE_BY = 0.5

/** Whether a lead is clearly further away than it was. */
export const isWorse = (then: readonly (number | null)[], now: readonly (number | null)[]): boolean =>
  now.some((moved, i) => {
    const before = then[i]
    return moved !== null && before !== null && before !== undefined && moved > Math.max(1, before) + WORSE_BY
  })
