// The sentences around a diagnosis: what users feel, who was looked at and is not the cause, and what would settle it.
import type { Diagnosis } from './case.ts'
import type { Context } from './context.ts'
import type { Cause } from './evidence.ts'
import { sayList, sayValue } from './wording.ts'

export function ruleOut(context: Context, judged: readonly { readonly service: string }[]): Diagnosis['ruledOut'] {
  const [best] = judged
  return judged.slice(1).flatMap(({ service }) => {
    const { share, by } = context.blame.explained(service)
    const suffers = context.blame.symptom(service) > 0.15
    if (suffers && share > 0.4 && by !== undefined) {
      return [{ service, reason: `It suffers, but what it suffers comes from its calls to ${by}.` }]
    }
    if (suffers || service === best?.service || !context.observed.has(service)) return []
    const changed = context.changes.some((change) => change.service === service)
    const reason = changed ? 'It was changed, but it works as before.' : 'Nothing it measures left its normal range.'
    return (context.byService.get(service) ?? []).length === 0 ? [{ service, reason }] : []
  })
}

export function sayEffect(context: Context): string {
  const felt = context.anomalies.filter(({ signal }) => ['errors', 'availability', 'latency'].includes(signal.role))
  const front = (service: string): number =>
    (context.alerted.has(service) ? 2 : 0) + (context.topology.callers.has(service) ? 0 : 1)
  const errors = felt.filter(
    ({ signal, strength }) => signal.unit === 'ratio' && signal.role === 'errors' && strength > 0.1,
  )
  const [worst] = [...(errors.length > 0 ? errors : felt)].sort(
    (a, b) => front(b.signal.service) - front(a.signal.service) || b.strength - a.strength,
  )
  if (!worst)
    return context.alerted.size === 0
      ? 'something is out of its normal range'
      : `${sayList([...context.alerted].sort())} ${context.alerted.size === 1 ? 'raises' : 'raise'} alerts`
  const { signal, before, after } = worst
  if (signal.role === 'errors') return `${signal.service} fails for ${sayValue(after, signal.unit)} of requests`
  if (signal.role === 'availability') return `${signal.service} succeeds less often: ${sayValue(after, signal.unit)}`
  return `${signal.service} answers in ${sayValue(after, signal.unit)} instead of ${sayValue(before, signal.unit)}`
}

export function sayMissing(context: Context, causes: readonly Cause[]): string[] {
  const missing: string[] = []
  const [best, next] = causes
  if (context.signals.length === 0) missing.push('Metrics: none were there for this time.')
  if (context.silent.size > 0) {
    const who = sayList([...context.silent].sort().slice(0, 5))
    missing.push(`Log lines of ${who}: none came, of any kind, although there were many before.`)
  } else if (context.logs.length === 0) missing.push('Log lines from around the onset.')
  if (!best) {
    if (context.signals.length > 0) missing.push('A service whose own measurements left their normal range.')
    return missing
  }
  if (!context.observed.has(best.service))
    missing.push(`Metrics of ${best.service} itself: it is seen only through its callers.`)
  if (next && next.score > 0.75 * best.score)
    missing.push(`What tells ${best.service} from ${next.service}: both fit almost as well.`)
  if (context.changes.length === 0) missing.push('Deploys and other changes around the onset: none were reported.')
  return missing
}
