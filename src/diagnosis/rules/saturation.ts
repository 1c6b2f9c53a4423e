// What ran full, out or away: processor, memory, pool, queue, disk, credential, and the service itself.
import { type Anomaly, keepsRising } from '../anomalies.ts'
import { loaded, worstOf } from '../context.ts'
import type { Finding } from '../findings.ts'
import { findSawtooth, type Sawtooth } from '../sawtooth.ts'
import { clamp } from '../stats.ts'
import { sayValue } from '../wording.ts'
import { beyondLoad, byAnomaly, relevance, type Rule } from './weighing.ts'

export const saturation: Rule = (context, service) => {
  const found: Finding[] = []
  const { share } = context.blame.explained(service)
  const seen = 0.4 + 0.6 * clamp(relevance(context, service), 0, 1)
  const cpu = worstOf(context, service, 'cpu')
  if (cpu) found.push(byAnomaly(service, 'cpu', 3 * beyondLoad(context, service, cpu) * seen, ['cpu'], cpu))
  const lag = worstOf(context, service, 'event_loop')
  if (lag) {
    const own = beyondLoad(context, service, lag) * seen
    found.push(byAnomaly(service, 'event loop', 1.2 * own, ['cpu', 'memory_leak'], lag))
    found.push(byAnomaly(service, 'own', 0.5 * own, 'any', lag))
  }
  const memory = worstOf(context, service, 'memory')
  if (memory) {
    const saw = findSawtooth(memory.signal.track)
    const leaking = saw ? 3 * SAW : (keepsRising(memory) ? 3 : 1.2) * memory.strength
    const claim = saw && saySaw(memory, saw)
    found.push(byAnomaly(service, 'memory', leaking * seen, ['memory_leak'], memory, claim))
  }
  // A slow callee keeps connections busy: then the pool is a victim too.
  const slowQueries = worstOf(context, service, 'database_latency')?.strength ?? 0
  const own = 1 - 0.85 * Math.max(share, slowQueries, loaded(context, service))
  const waiting = worstOf(context, service, 'pool_waiting')
  if (waiting)
    found.push(byAnomaly(service, 'pool waiting', 2.4 * waiting.strength * own * seen, ['pool_exhausted'], waiting))
  const used = worstOf(context, service, 'pool_use')
  if (used) found.push(byAnomaly(service, 'pool use', 1.4 * used.strength * own * seen, ['pool_exhausted'], used))
  const disk = worstOf(context, service, 'disk_use')
  if (disk) found.push(byAnomaly(service, 'disk', 3.4 * disk.strength, ['disk_full'], disk))
  const expired = worstOf(context, service, 'credential_left')
  if (expired)
    found.push(byAnomaly(service, 'credential', 3.4 * expired.strength * seen, ['credential_expired'], expired))
  const refused = worstOf(context, service, 'client_refused')
  if (refused) found.push(byAnomaly(service, 'refused', 2.2 * refused.strength, ['credential_expired'], refused))
  // Asking for what is not there is a mistake of who asks.
  const rejected = worstOf(context, service, 'client_rejected')
  if (rejected) {
    found.push(byAnomaly(service, 'rejected', 1.6 * rejected.strength, 'any', rejected))
    found.push(byAnomaly(service, 'rejected:kind', 0.8 * rejected.strength, ['bad_config', 'bad_deploy'], rejected))
  }
  return found
}

/** As plain as a rise can be. */
const SAW = 0.95

function saySaw({ signal: { service, unit } }: Anomaly, { falls, peak, bottom }: Sawtooth): string {
  const often = falls === 1 ? 'once' : `${falls} times`
  return `${service}'s memory rose to ${sayValue(peak, unit)} and fell back to ${sayValue(bottom, unit)} ${often}, and rises again`
}

export const absence: Rule = (context, service) => {
  const found: Finding[] = []
  const up = worstOf(context, service, 'up')
  if (up) found.push(byAnomaly(service, 'up', 4 * up.strength, ['down'], up))
  return found
}
