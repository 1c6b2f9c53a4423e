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

/** Where the leading series are now. One that is still away is enough to say so. */
export async function lookAtLeads(
  leads: readonly Lead[],
  sources: readonly MetricSource[],
  stepMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Level> {
  const levels = await Promise.all(
    leads.map(async (lead): Promise<Level> => {
      const source = sources.find(({ name }) => name === lead.source)
      if (!source) return 'unknown'
      try {
        const toMs = clock.now()
        const range = { fromMs: toMs - LOOK_BACK_STEPS * stepMs, toMs, stepMs }
        const series = await withDeadline(clock, DEADLINE_MS, signal, (inner) =>
          askAll(source, lead.queries, range, inner),
        )
        return levelOf(lead, readSignals(series), toMs - 4 * stepMs)
      } catch {
        signal.throwIfAborted()
        return 'unknown'
      }
    }),
  )
  if (levels.includes('away')) return 'away'
  return levels.includes('back') ? 'back' : 'unknown'
}

function levelOf(lead: Lead, signals: readonly Signal[], sinceMs: number): Level {
  const track = signals.find((signal) => matches(signal, lead))?.track
  if (!track) return 'unknown'
  const recent = track.values.subarray(firstAt(track, sinceMs)).slice(-LATEST)
  if (recent.length === 0) return 'unknown'
  // In units of the move: 0 is where it was before, 1 is where it went. Below 0 is better than before.
  const moved = (median(recent) - lead.before) / (lead.after - lead.before)
  return moved <= BACK_WITHIN ? 'back' : 'away'
}
