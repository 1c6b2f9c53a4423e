// Before there is a diagnosis: what is being done right now, so that nobody wonders whether anything is.
import type { IncidentView } from '../../src/incidents/view.ts'
import { Prose } from '../shell/prose.tsx'
import { Ago } from '../shell/when.tsx'

export function Progress({ view }: { readonly view: IncidentView }) {
  if (view.report || view.state === 'closed') return null
  const latest = view.timeline.at(-1)
  return (
    <section className="progress" aria-label="What is being done">
      <p role="status" aria-live="polite">
        <span className="pulse" aria-hidden="true" />
        {view.state === 'open'
          ? 'Collecting the alerts that belong together before looking for the cause.'
          : 'Looking for the cause: metrics, logs and recent changes are being read.'}
      </p>
      {latest && (
        <p className="quiet">
          Latest: <Prose text={latest.text} near={latest.at} /> (<Ago at={latest.at} />)
        </p>
      )}
      <p className="quiet">This page fills in by itself.</p>
    </section>
  )
}
