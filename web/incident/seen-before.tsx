// Earlier incidents that looked the same, and runbooks: what may help, and is no evidence. Small, and below the evidence.
import { Link } from 'wouter'
import { sayCase, sayNudges } from '../../src/incidents/memory/say-past.ts'
import type { Report } from '../../src/incidents/report.ts'
import type { IncidentView } from '../../src/incidents/view.ts'
import { When } from '../shell/when.tsx'

export function SeenBefore({ view }: { readonly view: IncidentView }) {
  const { past, runbooks = [] } = view.report ?? {}
  return (
    <>
      {past && (
        <section aria-labelledby="seen-before">
          <h2 id="seen-before">Seen before</h2>
          {past.sentence !== '' && <p>{past.sentence}</p>}
          <ul className="reasons">
            {past.cases.map((one) => (
              <li key={one.incidentId}>
                <Link href={`/incidents/${one.number}`}>Incident {one.number}</Link>, <When at={one.closedAt} />:{' '}
                {sayCase(one).slice(`incident ${one.number} `.length)}
              </li>
            ))}
          </ul>
          {sayNudges(past).map((nudge) => (
            <p key={nudge} className="quiet">
              The ranking was moved by it: {nudge}.
            </p>
          ))}
        </section>
      )}
      {runbooks.length > 0 && (
        <section aria-labelledby="runbooks">
          <h2 id="runbooks">Runbooks</h2>
          {runbooks.map((one) => (
            <Quote key={`${one.collection}/${one.document}`} runbook={one} />
          ))}
        </section>
      )}
    </>
  )
}

function Quote({ runbook }: { readonly runbook: NonNullable<Report['runbooks']>[number] }) {
  const { title, document, headings, quote, start, end, page, suspicious } = runbook
  return (
    <details open={!suspicious}>
      <summary>
        {title === '' ? document : title}
        {headings.length > 0 && <span className="quiet"> {headings.join(' › ')}</span>}
      </summary>
      {suspicious && (
        <p className="quiet">It has text that speaks to a machine. Nothing obeys it; read it with care.</p>
      )}
      <blockquote className="verbatim">{quote}</blockquote>
      <p className="quiet">
        {document}, {page === null ? '' : `page ${page}, `}characters {start} to {end}
      </p>
    </details>
  )
}
