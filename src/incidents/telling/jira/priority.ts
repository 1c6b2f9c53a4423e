// Which of the priorities that a project really has goes with a severity: the one that the config names, or one of a usual
// name, or the one at that place of the list, which Jira keeps with the highest first.
import { AppError } from '../../../core/errors.ts'

const USUAL: Readonly<Record<string, readonly string[]>> = {
  critical: ['highest', 'blocker', 'critical', 'p1', 'urgent'],
  error: ['high', 'critical', 'major', 'p2'],
  warning: ['medium', 'normal', 'minor', 'p3'],
  info: ['lowest', 'low', 'trivial', 'p5', 'p4'],
}

const PLACE: Readonly<Record<string, number>> = { critical: 0, error: 1 / 3, warning: 2 / 3, info: 1 }

/** Throws `malformed` where the config names one that is not there. */
export function priorityOf(
  severity: string,
  real: readonly string[],
  chosen: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const find = (name: string) => real.find((one) => one.toLowerCase() === name.toLowerCase())
  const named = chosen[severity]
  if (named !== undefined) {
    const found = find(named)
    if (found !== undefined) return found
    throw new AppError(
      'malformed',
      `Jira has no priority "${named}" here: agent.tickets.jira.priorities.${severity} can be ${real.join(', ')}.`,
    )
  }
  for (const name of USUAL[severity] ?? []) {
    const found = find(name)
    if (found !== undefined) return found
  }
  return real[Math.round((PLACE[severity] ?? 1) * (real.length - 1))]
}
