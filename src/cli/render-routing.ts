// Why an incident is as bad as it is said to be, whose it is, where it goes and who was woken.
import type { RoutingView } from '../incidents/view.ts'

export function renderRouting({ severity, kind, owner, routes, escalations }: RoutingView): string {
  const lines = [
    `Severity    ${severity.reason} [${severity.rule}]`,
    `Kind        ${kind.kind} (${kind.reason})`,
    `Owner       ${owner.owner ?? 'not known'} (${owner.reason})`,
    ...routes.map(({ route, rule, team }) => `Goes to     ${team ?? 'every channel'} (${route}: ${rule})`),
  ]
  for (const { team, state, by, steps, nextAt } of escalations) {
    const end = state === 'acknowledged' ? `${by ?? 'somebody'} answered` : state
    lines.push(`Escalation  ${team}: ${end}${nextAt === null ? '' : `, next step at ${clockTime(nextAt)}`}`)
    for (const { step, at, told, missing } of steps)
      lines.push(`  ${step}. ${clockTime(at)}  ${[...told, ...missing.map((one) => `not: ${one}`)].join(', ')}`)
  }
  return lines.join('\n')
}

const clockTime = (ms: number): string => new Date(ms).toLocaleTimeString(undefined, { hour12: false })
