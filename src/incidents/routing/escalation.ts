// Whom a step of an escalation tells, as things stand when it is due: who is on call then, not when it began. What cannot be
// told (a gap in a schedule, a person who left) is said, and never stands in the way of the others. Pure.
import type { TeamConfig } from '../../config/routing-schema.ts'
import type { Target } from '../telling/channel.ts'
import { distinctTargets, targetOf } from './route.ts'
import { type Override, whoIsOnCall } from './schedule.ts'

export type Teams = Readonly<Record<string, TeamConfig>>

/** The overrides of a team's schedule that may count now. */
export type OverridesOf = (team: string, schedule: string) => readonly Override[]

export interface PlannedStep {
  readonly targets: readonly Target[]
  /** For people: `Ada (on call: payments/primary)`. */
  readonly told: readonly string[]
  readonly missing: readonly string[]
}

export function planStep(
  teams: Teams,
  team: string,
  step: number,
  overridesOf: OverridesOf,
  atMs: number,
): PlannedStep | undefined {
  const own = Object.hasOwn(teams, team) ? teams[team] : undefined
  const tell = own?.escalation?.steps[step]?.tell
  if (!own || !tell) return undefined
  const targets: Target[] = []
  const told: string[] = []
  const missing: string[] = []
  const reach = (of: TeamConfig, person: string, why: string): void => {
    const one = Object.hasOwn(of.people, person) ? of.people[person] : undefined
    if (!one) return void missing.push(`${person} (${why}) is not among the people of the team`)
    targets.push(...one.reach.map(targetOf))
    told.push(`${one.name ?? person} (${why})`)
  }
  for (const one of tell) {
    if ('onCall' in one) {
      const [schedule = '', ofTeam = team] = one.onCall.split('/').reverse()
      const other = Object.hasOwn(teams, ofTeam) ? teams[ofTeam] : undefined
      const plan = other && Object.hasOwn(other.schedules, schedule) ? other.schedules[schedule] : undefined
      if (!other || !plan) missing.push(`there is no schedule ${ofTeam}/${schedule} any more`)
      else {
        const now = whoIsOnCall(plan, overridesOf(ofTeam, schedule), atMs)
        if (now.kind === 'gap') missing.push(`nobody is on call in ${ofTeam}/${schedule}`)
        else reach(other, now.person, `on call: ${ofTeam}/${schedule}`)
      }
    } else if ('person' in one) reach(own, one.person, 'named')
    else if ('everyone' in one) for (const person of Object.keys(own.people)) reach(own, person, `all of ${team}`)
    else {
      targets.push(targetOf(one))
      told.push(one.to ?? one.channel)
    }
  }
  return { targets: distinctTargets(targets), told: [...new Set(told)], missing }
}
