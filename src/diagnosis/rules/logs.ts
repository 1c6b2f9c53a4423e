// What the logs say. An error that begins below is told again by everyone above; silence that begins above is heard below.
import type { FaultKind } from '../../core/fault-kinds.ts'
import type { Context } from '../context.ts'
import type { Finding } from '../findings.ts'
import type { LogFinding } from '../log-evidence.ts'
import type { BrokenFlow } from '../log-flow.ts'
import { distances } from '../topology.ts'
import { timeOfDay } from '../wording.ts'
import { byAnomaly, type Rule } from './weighing.ts'

const ABOUT_CALLEE: ReadonlySet<FaultKind> = new Set(['down', 'slow_dependency', 'provider_failure', 'slow_database'])

export const logs: Rule = (context, service) => {
  const found: Finding[] = []
  const { share } = context.blame.explained(service)
  // An error that begins below is told again by everyone above; silence that begins above is heard by everyone below.
  const below = loudestBelow(context, service)
  const complaints = (log: LogFinding): number =>
    1 - 0.7 * Math.max(share, Math.min(1, below / Math.max(0.1, log.strength)))
  const silence = 1 - 0.7 * quietestAbove(context, service)
  for (const log of context.logs) {
    const source: Finding['source'] = { kind: 'log', log }
    const claim = sayLog(log)
    if (log.service === service) {
      const own =
        log.change === 'vanished' ? silence : log.mentions.length > 0 ? 0.25 * complaints(log) : complaints(log)
      found.push({ service, aspect: 'logs', weight: 2.2 * log.strength * own, kinds: 'any', claim, source })
      const kinds = log.kinds.filter((kind) => !ABOUT_CALLEE.has(kind))
      if (kinds.length > 0)
        found.push({ service, aspect: 'log words', weight: 1.1 * log.strength * own, kinds, claim, source })
    } else if (log.mentions.includes(service) && isComplaint(log)) {
      const kinds = log.kinds.filter((kind) => ABOUT_CALLEE.has(kind))
      const naming = `${claim}; it names ${service}`
      found.push({ service, aspect: 'named in logs', weight: 0.5 * log.strength, kinds: 'any', claim: naming, source })
      if (kinds.length > 0) {
        found.push({ service, aspect: 'words about it', weight: 1.1 * log.strength, kinds, claim: naming, source })
      }
    }
  }
  return found
}

/** A way that breaks off breaks off for everyone above: the deepest place counts most. */
export const flows: Rule = (context, service) =>
  context.flows
    .filter((flow) => flow.service === service)
    .flatMap((flow) => {
      const callees = context.topology.callees.get(service) ?? []
      const below = context.flows.reduce(
        (most, other) => (callees.includes(other.service) ? Math.max(most, unexcused(other)) : most),
        0,
      )
      const weight = 3 * unexcused(flow) * (1 - 0.7 * below)
      const { partner, template, expected, count } = flow
      const goesWith = `${partner.service === service ? '' : `${partner.service}'s `}"${partner.template.slice(0, 80)}"`
      const claim = `${service} writes ${count} lines of some ${Math.round(expected)} that go with ${goesWith}: ${template.slice(0, 120)}`
      const source: Finding['source'] = { kind: 'log', log: asLog(flow) }
      return [
        { service, aspect: 'flow', weight, kinds: 'any' as const, claim, source },
        { service, aspect: 'flow:kind', weight: 0.3 * weight, kinds: BROKEN_BY, claim, source },
      ]
    })

/** Where a service writes no lines, its calls tell: it asks less of others than goes with what it is asked. */
export const callFlows: Rule = (context, service) =>
  context.callFlows
    .filter((flow) => flow.service === service && !context.writers.has(service))
    .flatMap(({ signal, strength, template, partner, expected, count }) => {
      const claim = `${service} makes ${count} ${template} of some ${Math.round(expected)} that go with ${partner.service === service ? '' : `${partner.service}'s `}${partner.template}`
      const before = expected
      const anomaly = { signal, before, after: count, direction: -1 as const, strength, onsetMs: context.onsetMs }
      return [
        byAnomaly(service, 'call flow', 0.8 * strength, 'any', anomaly, claim),
        byAnomaly(service, 'call flow:kind', 0.8 * strength, BROKEN_BY, anomaly, claim),
      ]
    })

const unexcused = ({ strength, excused }: BrokenFlow): number => strength * (1 - 0.9 * excused)

const BROKEN_BY: readonly FaultKind[] = ['bad_deploy']

const asLog = ({ service, template, expected, count, strength, lines }: BrokenFlow): LogFinding => ({
  service,
  template,
  change: 'vanished',
  countBefore: Math.round(expected),
  countAfter: count,
  level: 'info',
  strength,
  kinds: [],
  mentions: [],
  firstMs: lines[0]?.at ?? 0,
  lines,
})

const isComplaint = (log: LogFinding): boolean =>
  log.change !== 'vanished' && log.level !== 'info' && log.level !== 'debug' && log.strength > 0.2

/** The strongest new complaint in the logs of anything this service calls, directly or not. */
function loudestBelow(context: Context, service: string): number {
  const below = distances(context.topology, [service])
  return context.logs.reduce(
    (most, log) =>
      log.service !== service && below.has(log.service) && isComplaint(log) ? Math.max(most, log.strength) : most,
    0,
  )
}

/** The strongest silence in the logs of those that call this service. */
function quietestAbove(context: Context, service: string): number {
  const callers = context.topology.callers.get(service) ?? []
  return context.logs.reduce(
    (most, log) => (log.change === 'vanished' && callers.includes(log.service) ? Math.max(most, log.strength) : most),
    0,
  )
}

const sayLog = (log: LogFinding): string => {
  const how =
    log.change === 'new'
      ? `writes a new line since ${timeOfDay(log.firstMs)} (${log.countAfter} times)`
      : log.change === 'surged'
        ? `writes a line far more often (${log.countAfter} times, before ${log.countBefore})`
        : `writes a line no longer, or hardly (${log.countAfter} times, before ${log.countBefore})`
  return `${log.service} ${how}: ${log.template.slice(0, 160)}`
}
