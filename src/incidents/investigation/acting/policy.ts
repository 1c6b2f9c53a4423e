// How many people have to agree to an action of a risk. The answer of the moment counts: a policy that became stricter
// holds for what was proposed before too.
import type { ApprovalConfig } from '../../../config/approval-schema.ts'

export type People = 0 | 1 | 2

export function peopleFor(risk: number, { policy }: Pick<ApprovalConfig, 'policy'>): People {
  const { nobodyUpToRisk, twoFromRisk } = policy
  if (risk >= twoFromRisk) return 2
  return nobodyUpToRisk !== undefined && risk <= nobodyUpToRisk ? 0 : 1
}

/** The name by which a person is known, however it is written: the same one never counts as two. */
export const personOf = (by: string): string => by.normalize('NFKC').trim().replaceAll(/\s+/g, ' ').toLowerCase()
