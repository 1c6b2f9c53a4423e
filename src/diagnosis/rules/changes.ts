// Changes: what was done to a service shortly before its trouble began. What comes after the onset is no cause.
import type { FaultKind } from '../../core/fault-kinds.ts'
import type { Change } from '../../core/telemetry.ts'
import type { Anomaly } from '../anomalies.ts'
import { painOf, type Context } from '../context.ts'
import type { Finding } from '../findings.ts'
import { clamp } from '../stats.ts'
import { sayValue, timeOfDay } from '../wording.ts'
import type { Rule } from './weighing.ts'

const CHANGE_LEAD_MS = 30 * 60_000

const CHANGES: Readonly<Record<Change['kind'], readonly FaultKind[]>> = {
  deploy: ['bad_deploy'],
  config: ['bad_config'],
  flag: ['bad_config'],
  scale: ['bad_config'],
  restart: [],
  other: ['bad_config'],
}

/** A change shortly before the trouble of its own service; what comes after the onset is no cause. */
export const changes: Rule = (context, service) => {
  const trouble = troubleOf(context, service)
  const all = trouble.reduce((sum, { strength }) => sum + strength, 0)
  const pain = clamp(painOf(context, service) / 0.25, 0, 1)
  if (all === 0) return []
  return context.changes
    .filter((change) => change.service === service)
    .flatMap((change) => {
      const slackMs = Math.max(2 * context.window.stepMs, 3000)
      const after = trouble.filter(({ onsetMs }) => onsetMs >= change.at - slackMs)
      const first = after.reduce((least, { onsetMs }) => Math.min(least, onsetMs), Number.POSITIVE_INFINITY)
      const agoMs = Math.max(0, first - change.at)
      if (after.length === 0 || agoMs > CHANGE_LEAD_MS) return []
      // Trouble that was there before the change is not the change's doing.
      const share = after.reduce((sum, { strength }) => sum + strength, 0) / all
      const weight = Math.exp(-agoMs / RECENT_MS) * pain * clamp(1.5 * share - 0.25, 0, 1)
      const ago = agoMs < 1000 ? 'just' : sayValue(Math.round(agoMs / 1000), 's')
      const claim = `${service} was changed at ${timeOfDay(change.at)}, ${ago} before its trouble began: ${change.summary}`
      const source: Finding['source'] = { kind: 'change', change }
      return [
        { service, aspect: 'change', weight, kinds: 'any' as const, claim, source },
        { service, aspect: 'change:kind', weight: 2.4 * weight, kinds: CHANGES[change.kind], claim, source },
      ]
    })
}

/** After this long a change is half forgotten, and more. */
const RECENT_MS = 5 * 60_000

/** What went wrong at a service, or is held against it by its callers. */
function troubleOf(context: Context, service: string): readonly Anomaly[] {
  const own = (context.byService.get(service) ?? []).filter(({ signal }) => signal.role !== 'requests')
  const edges = (context.topology.callers.get(service) ?? []).flatMap((caller) =>
    (context.byService.get(caller) ?? []).filter(
      ({ signal }) => signal.peer === service && signal.role !== 'client_requests',
    ),
  )
  return [...own, ...edges].filter(({ strength }) => strength > 0.2)
}
