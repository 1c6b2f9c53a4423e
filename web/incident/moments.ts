// What happened, in order of time: Midwatch's own events, and between them the changes and onsets that the evidence
// found in the system itself, which often come before the first alert.
import type { Evidence } from '../../src/diagnosis/evidence.ts'
import type { IncidentView } from '../../src/incidents/view.ts'

export interface Moment {
  readonly key: string
  readonly at: number
  /** `system`: found in the evidence. `midwatch`: done or heard by Midwatch. */
  readonly who: 'system' | 'midwatch'
  readonly kind: string
  readonly text: string
  /** A series that jumped, to be drawn small. */
  readonly points?: readonly (readonly [number, number])[]
}

export function momentsOf(view: IncidentView): readonly Moment[] {
  const own = view.timeline.map(({ seq, at, kind, text }): Moment => ({
    key: `m${seq}`,
    at,
    who: 'midwatch',
    kind,
    text,
  }))
  const cause = view.report?.abstained === false ? view.report.causes[0] : undefined
  const found = (cause?.evidence ?? []).flatMap(fromEvidence)
  // Stable: of the same moment, what the system did comes before what was heard of it.
  return [...found, ...own].sort((a, b) => a.at - b.at)
}

function fromEvidence({ id, claim, ref }: Evidence): Moment[] {
  if (ref.kind === 'change') {
    const step = ref.from !== undefined && ref.to !== undefined ? ` (${ref.from} → ${ref.to})` : ''
    const text = `${ref.changeKind} of ${ref.service}: ${ref.summary}${step}`
    return [{ key: id, at: ref.at, who: 'system', kind: ref.changeKind, text }]
  }
  if (ref.kind !== 'series' || ref.onsetMs === null) return []
  return [{ key: id, at: ref.onsetMs, who: 'system', kind: 'onset', text: claim, points: ref.points }]
}
