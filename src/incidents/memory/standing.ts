// What a case is worth as a teacher, told from what people said and from what a fix proved. Worked out anew whenever it is
// asked, so that feedback counts at once, and taking it back does too. The latest word of an incident counts.
import { FAULT_KINDS, type FaultKind } from '../../core/fault-kinds.ts'
import type { FeedbackRow } from '../tables.ts'

export interface CauseName {
  readonly service: string
  readonly kind: FaultKind
}

export type Standing =
  /** A person said what it was: the diagnosis was right, or the cause they named was it. */
  | { readonly kind: 'confirmed'; readonly cause: CauseName; readonly by: string; readonly diagnosisWrong: boolean }
  /** An action that was aimed at the cause was carried out, and what showed the trouble went back to normal. */
  | { readonly kind: 'mended'; readonly cause: CauseName }
  /** The diagnosis was wrong; `really` is what was said instead, which may be little. */
  | { readonly kind: 'wrong'; readonly by: string; readonly really: string }
  | { readonly kind: 'unconfirmed' }

export interface Judged {
  readonly cause: CauseName | null
  /** Whether an action was carried out for certain and verified. */
  readonly mended: boolean
}

/** The word that counts of those on one incident, in any order. */
export const latestWord = (said: readonly FeedbackRow[]): FeedbackRow | undefined =>
  [...said].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))[0]

/** What a person said it really was: `down at payment`, one of the two, or nothing. */
export const sayReally = ({ kind, service }: Pick<FeedbackRow, 'kind' | 'service'>): string =>
  [kind?.replaceAll('_', ' '), service].filter(Boolean).join(' at ')

/** `said` in any order. */
export function standingOf({ cause, mended }: Judged, said: readonly FeedbackRow[]): Standing {
  const latest = latestWord(said)
  if (latest?.verdict === 'wrong') {
    const kind = FAULT_KINDS.find((one) => one === latest.kind)
    if (latest.service !== null && kind !== undefined)
      return { kind: 'confirmed', cause: { service: latest.service, kind }, by: latest.by, diagnosisWrong: true }
    return { kind: 'wrong', by: latest.by, really: sayReally(latest) }
  }
  if (cause !== null && latest?.verdict === 'right')
    return { kind: 'confirmed', cause, by: latest.by, diagnosisWrong: false }
  return cause !== null && mended ? { kind: 'mended', cause } : { kind: 'unconfirmed' }
}

/** How much a case counts beside others that are as alike. */
export function weightOf(standing: Standing): number {
  switch (standing.kind) {
    case 'confirmed': {
      return 1
    }
    case 'mended': {
      return 0.9
    }
    case 'unconfirmed': {
      return 0.7
    }
    case 'wrong': {
      return 0.6
    }
  }
}

export const sameCause = (a: CauseName | null, b: CauseName | null): boolean =>
  a !== null && b !== null && a.service === b.service && a.kind === b.kind
