// Subjects and asks for tests, with what does not matter left out.
import type { LimitConfig } from '../../../core/limits.ts'
import type { Admitted, Ask, Decision, Refused } from '../limiter.ts'
import type { Subject, SubjectKind } from '../subjects.ts'

export const subject = (name: string, limits: LimitConfig, kind: SubjectKind = 'key'): Subject => ({
  kind,
  id: `${kind}:${name}`,
  value: name,
  tenant: 'acme',
  label: `the ${kind} ${name}`,
  limits,
})

export const ask = (subjects: Subject | readonly Subject[], more: Partial<Ask> = {}): Ask => ({
  subjects: Array.isArray(subjects) ? (subjects as readonly Subject[]) : [subjects as Subject],
  tokens: 10,
  costMicroUsd: 1,
  ...more,
})

export function admitted(decision: Decision): Admitted {
  if (decision.kind !== 'admitted') throw new Error(`refused: ${decision.message}`)
  return decision
}

export function refused(decision: Decision): Refused {
  if (decision.kind !== 'refused') throw new Error('was admitted')
  return decision
}
