// How a timeline speaks of many alerts without drowning: the first twenty by name, then only how many there are, at
// numbers that grow.

const SINGLY = 20

/** Whether an incident with this many alerts still tells of each. */
export const mentionsSingly = (alerts: number): boolean => alerts <= SINGLY

/** Whether this is a number worth telling: 50, 100, 250, 500, 1000, 2500 … */
export function isMilestone(alerts: number): boolean {
  if (alerts <= SINGLY) return false
  const power = 10 ** Math.floor(Math.log10(alerts))
  return alerts === power || alerts === 2.5 * power || alerts === 5 * power
}
