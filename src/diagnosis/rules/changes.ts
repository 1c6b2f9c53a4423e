// Changes: what was done to a service shortly before its trouble began. What comes after the onset is no cause.
import type { FaultKind } from '../../core/fault-kinds.ts'
import type { Change } from '../../core/telemetry.ts'
import { painOf } from '../context.ts'
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

/** A change shortly before the trouble of its own service; what comes after it is no cause. */
export const changes: Rule = (context, service) => {
  const own = (context.byService.get(service) ?? []).filter(({ strength }) => strength > 0.2)
  const startMs = own.reduce((least, one) => Math.min(least, one.onsetMs), context.onsetMs)
  const slack = Math.max(2 * context.window.stepMs, 3000)
  const pain = clamp(painOf(context, service) / 0.25, 0, 1)
  return context.changes
    .filter((change) => change.service === service && change.at <= Math.max(startMs, context.onsetMs) + slack)
    .flatMap((change) => {
      const agoMs = Math.max(0, startMs - change.at)
      if (agoMs > CHANGE_LEAD_MS) return []
      const recent = Math.exp(-agoMs / (5 * 60_000))
      const ago = sayValue(Math.round(agoMs / 1000), 's')
      const claim = `${service} was changed at ${timeOfDay(change.at)}, ${ago} before its trouble began: ${change.summary}`
      const source: Finding['source'] = { kind: 'change', change }
      return [
        { service, aspect: 'change', weight: 1 * recent * pain, kinds: 'any' as const, claim, source },
        { service, aspect: 'change:kind', weight: 2.4 * recent * pain, kinds: CHANGES[change.kind], claim, source },
      ]
    })
}
