// Which route an incident takes: a tree as Alertmanager's. The first sibling that matches takes it, unless it says to
// continue; within one, the deepest that matches. What a route does not name itself it has from the one around it. Pure.
// https://prometheus.io/docs/alerting/latest/configuration/#route
import type { RouteConfig, TeamConfig } from '../../config/routing-schema.ts'
import { matchesAll, type Matcher, parseMatcher } from '../../core/label-matchers.ts'
import type { Labels } from '../../core/telemetry.ts'
import type { Target } from '../telling/channel.ts'

export interface CompiledRoute {
  readonly name: string
  readonly matchers: readonly Matcher[]
  readonly spelled: readonly string[]
  readonly team: string | undefined
  readonly targets: readonly Target[] | undefined
  readonly continue: boolean
  readonly routes: readonly CompiledRoute[]
}

export interface Routed {
  /** `payments/database`, `owner` or `default`. */
  readonly route: string
  /** `service="checkout"`: why this one. */
  readonly rule: string
  readonly team: string | null
  /** null: every channel's own default. */
  readonly targets: readonly Target[] | null
}

interface From {
  readonly name: string
  readonly team: string | undefined
  readonly targets: readonly Target[] | undefined
}

export const compileRoutes = (routes: readonly RouteConfig[]): readonly CompiledRoute[] =>
  routes.map((route) => ({
    ...route,
    matchers: route.matchers.map(parseMatcher),
    spelled: route.matchers,
    team: route.team,
    targets: route.targets?.map(targetOf),
    routes: compileRoutes(route.routes),
  }))

export const targetOf = ({ channel, to }: { channel: string; to?: string | undefined }): Target => ({
  channel,
  to: to ?? null,
})

/** One or more. Where no route matches: the team that is called like the owner, else everywhere. */
export function routeFor(
  routes: readonly CompiledRoute[],
  labels: Labels,
  teams: Readonly<Record<string, TeamConfig>>,
): readonly Routed[] {
  const found = matching(routes, labels, { name: '', team: undefined, targets: undefined })
  const routed = found.map(({ at, because }): Routed => {
    // A route that names neither a team nor targets only sorts: whom it means is the owner.
    const team = at.team ?? (at.targets ? undefined : ownerTeam(labels, teams))
    return { route: at.name, rule: because, team: team ?? null, targets: at.targets ?? targetsOfTeam(team, teams) }
  })
  if (routed.length > 0) return routed
  const owner = ownerTeam(labels, teams)
  if (owner !== undefined)
    return [{ route: 'owner', rule: `${owner} owns it`, team: owner, targets: targetsOfTeam(owner, teams) }]
  return [{ route: 'default', rule: 'no route and no team says otherwise', team: null, targets: null }]
}

interface Found {
  readonly at: From
  readonly because: string
}

function matching(routes: readonly CompiledRoute[], labels: Labels, around: From): readonly Found[] {
  const found: Found[] = []
  for (const route of routes) {
    if (!matchesAll(route.matchers, labels)) continue
    const at: From = {
      name: around.name === '' ? route.name : `${around.name}/${route.name}`,
      // Who names a team or a place anew means it instead of what is around.
      team: route.team ?? (route.targets ? undefined : around.team) ?? undefined,
      targets: route.targets ?? (route.team === undefined ? around.targets : undefined),
    }
    const deeper = matching(route.routes, labels, at)
    const because = route.spelled.length === 0 ? 'it takes everything' : route.spelled.join(', ')
    found.push(...(deeper.length > 0 ? deeper : [{ at, because }]))
    if (!route.continue) break
  }
  return found
}

function ownerTeam(labels: Labels, teams: Readonly<Record<string, TeamConfig>>): string | undefined {
  const owner = Object.hasOwn(labels, 'owner') ? labels['owner'] : undefined
  return owner !== undefined && Object.hasOwn(teams, owner) ? owner : undefined
}

function targetsOfTeam(
  team: string | undefined,
  teams: Readonly<Record<string, TeamConfig>>,
): readonly Target[] | null {
  const named = team !== undefined && Object.hasOwn(teams, team) ? teams[team] : undefined
  return named && named.targets.length > 0 ? named.targets.map(targetOf) : null
}

/** Of several routes: everyone once. null in one of them is every channel's own default. */
export function targetsOfRoutes(
  routed: readonly Pick<Routed, 'targets'>[],
  channels: readonly string[],
): readonly Target[] {
  return distinctTargets(
    routed.flatMap(({ targets }) => targets ?? channels.map((channel): Target => ({ channel, to: null }))),
  )
}

export const keyOfTarget = ({ channel, to }: Target): string => `${channel}\u0000${to ?? ''}`

export const distinctTargets = (targets: readonly Target[]): readonly Target[] => [
  ...new Map(targets.map((target) => [keyOfTarget(target), target])).values(),
]
