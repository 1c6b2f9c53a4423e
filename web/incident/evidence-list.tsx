// The evidence for and against the cause: every claim with the plot, the lines or the change where it can be checked.
import type { Evidence } from '../../src/diagnosis/evidence.ts'
import type { IncidentView } from '../../src/incidents/view.ts'
import { EvidenceItem } from './evidence-item.tsx'

export function EvidenceList({ view }: { readonly view: IncidentView }) {
  const { report } = view
  const cause = report?.causes[0]
  if (!report || !cause) return null
  const changes = [...cause.evidence, ...cause.against].flatMap(({ ref }) => (ref.kind === 'change' ? [ref] : []))
  const items = (evidence: readonly Evidence[], speaks: 'for' | 'against') =>
    evidence.map((one) => (
      <EvidenceItem key={one.id} evidence={one} speaks={speaks} changes={changes} near={view.openedAt} />
    ))
  return (
    <section aria-labelledby="evidence">
      <h2 id="evidence">Evidence</h2>
      {report.abstained && (
        <p className="quiet">
          For the likeliest cause, {cause.service}. It is not strong enough to name it as the cause.
        </p>
      )}
      {items(cause.evidence, 'for')}
      {items(cause.against, 'against')}
    </section>
  )
}
