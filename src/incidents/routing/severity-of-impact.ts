// How bad an incident is, by who is hurt and how fast their budget goes, and by the alerts' labels only where that is not
// known. What burns raises at once. What provably hurts nobody falls by one step a look, never below a warning, and only as
// long as it never hurt: a trouble that was mended was no smaller for that. Pure.
import { severityRank, worseOf } from '../severity.ts'
import type { Burn } from './burn-rate.ts'
import type { SymptomKind } from './symptom-kind.ts'

export interface MeasuredObjective {
  readonly name: string
  /** Percent. */
  readonly target: number
  readonly windowDays: number
  /** Empty where it could not be measured, with why. */
  readonly burns: readonly Burn[]
  readonly unknown: string | null
}

export interface HurtService {
  readonly service: string
  /** Who uses it, as the catalogue says. */
  readonly users: string | null
  /** `it has alerts`, `it calls inventory`. */
  readonly because: string
  readonly objectives: readonly MeasuredObjective[]
}

export interface ImpactInput {
  /** The worst that its alerts say. */
  readonly label: string
  /** As it stands. */
  readonly current: string
  /** Whether a budget was ever seen to burn since it opened. */
  readonly harmedBefore: boolean
  readonly symptom: SymptomKind
  readonly services: readonly HurtService[]
}

export type SeverityRule = 'budget' | 'onset' | 'calm' | 'label'

export interface ImpactDecision {
  readonly severity: string
  readonly rule: SeverityRule
  /** "checkout burns 14.4x of its budget over 1 h and 5 min" */
  readonly reason: string
  readonly harmed: boolean
}

/** What objectives of requests can speak of. A disk that fills up hurts nobody until it is full. */
const MEASURED_BY_REQUESTS: ReadonlySet<SymptomKind> = new Set(['errors', 'latency', 'availability'])

export function severityOfImpact(input: ImpactInput): ImpactDecision {
  const { current, services } = input
  const burning = services.flatMap(({ objectives, ...service }) =>
    objectives.flatMap((objective) => {
      const burn = objective.burns.find((one) => one.burning)
      return burn ? [{ service, objective, burn }] : []
    }),
  )
  const worst = burning.sort((a, b) => severityRank(a.burn.window.level) - severityRank(b.burn.window.level))[0]
  const fresh = findFresh(services)
  // What has only begun counts as an error until the hour shows more.
  if (fresh && (!worst || severityRank(worst.burn.window.level) > severityRank('error'))) {
    const severity = worseOf(current, 'error')
    return { severity, rule: 'onset', reason: fresh, harmed: true }
  }
  if (worst) {
    const severity = worseOf(current, worst.burn.window.level)
    return { severity, rule: 'budget', reason: sayBurn(worst), harmed: true }
  }
  return unharmed(input)
}

interface Burning {
  readonly service: Omit<HurtService, 'objectives'>
  readonly objective: MeasuredObjective
  readonly burn: Burn
}

function sayBurn({ service, objective, burn }: Burning): string {
  const { window, long, short } = burn
  const pace = Math.min(long ?? 0, short ?? 0)
  const days = pace > 0 ? (objective.windowDays * 86_400_000) / pace : 0
  return (
    `${service.service} burns ${times(pace)} of its budget over ${span(window.longMs)} and ${span(window.shortMs)} ` +
    `(${objective.name}, ${objective.target} %); at this pace all of it is gone in ${span(days)}${sayUsers(service)}`
  )
}

/** `5 min`, `1 h`, `3 d`: paces are no more exact than that. */
function span(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000))
  if (minutes < 60) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 72 ? `${hours} h` : `${Math.round(hours / 24)} d`
}

const times = (pace: number): string => `${pace >= 100 ? Math.round(pace) : Math.round(pace * 10) / 10}x`

const sayUsers = ({ users, because }: Omit<HurtService, 'objectives'>): string =>
  `${users === null ? '' : `; ${users} are hurt`}${because === HAS_ALERTS ? '' : ` (${because})`}`

export const HAS_ALERTS = 'it has alerts'

/** It burns fast for minutes already, and the hour is not full yet. */
function findFresh(services: readonly HurtService[]): string | undefined {
  for (const { objectives, ...service } of services)
    for (const { name, target, burns } of objectives) {
      const [first] = burns
      if (!first || first.burningInMs === null) continue
      return (
        `${service.service} burns ${times(first.short ?? 0)} of its budget over ${span(first.window.shortMs)} ` +
        `(${name}, ${target} %); if that goes on it is critical in ${span(first.burningInMs)}${sayUsers(service)}`
      )
    }
  return undefined
}

function unharmed({ label, current, harmedBefore, symptom, services }: ImpactInput): ImpactDecision {
  const own = services.filter(({ because }) => because === HAS_ALERTS)
  const objectives = services.flatMap((one) => one.objectives.map((objective) => ({ ...objective, of: one.service })))
  const stands = (why: string): ImpactDecision => ({
    severity: current,
    rule: 'label',
    reason: `its alerts say so; ${why}`,
    harmed: false,
  })
  if (own.length === 0) return stands('they name no service')
  const without = own.filter(({ objectives: some }) => some.length === 0).map(({ service }) => service)
  if (without.length > 0) return stands(`${names(without)} has no objective`)
  const unknown = objectives.find((objective) => objective.unknown !== null)
  if (unknown) return stands(`${unknown.name} of ${unknown.of} cannot be measured: ${unknown.unknown}`)
  const isCalm = objectives.every(({ burns }) =>
    burns.slice(0, 2).every(({ long, short }) => (long ?? 1) < 1 && (short ?? 1) < 1),
  )
  if (!isCalm) return { ...stands('a budget is burnt, though slowly'), harmed: true }
  if (harmedBefore) return stands('no budget burns any more')
  if (!MEASURED_BY_REQUESTS.has(symptom)) return stands(`no budget burns, but ${symptom} can hurt later`)
  const isLow = severityRank(current) >= severityRank('warning')
  const milder = isLow ? current : current === 'critical' ? 'error' : 'warning'
  const which = names([...new Set(objectives.map(({ of }) => of))])
  return {
    severity: milder,
    rule: 'calm',
    reason: `its alerts say ${label}, but ${which} burns less than its budget over 6 h, 1 h and 5 min`,
    harmed: false,
  }
}

const names = (all: readonly string[]): string => `${all.slice(0, 3).join(', ')}${all.length > 3 ? ' …' : ''}`
