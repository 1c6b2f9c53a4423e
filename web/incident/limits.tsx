// What the diagnosis rests on, and what it could not see.
import type { IncidentView } from '../../src/incidents/view.ts'
import { counted, plain } from '../format/number.ts'
import { When } from '../shell/when.tsx'

export function Limits({ view }: { readonly view: IncidentView }) {
  const { report } = view
  if (!report) return null
  const { series, logLines, changes, tookMs } = report.looked
  return (
    <section aria-labelledby="limits">
      <h2 id="limits">What this rests on</h2>
      {report.blind.length > 0 && (
        <ul className="blind">
          {report.blind.map(({ source, reason }) => (
            <li key={source}>
              <strong>Not seen: {source}</strong> ({reason}). The diagnosis was made without it.
            </li>
          ))}
        </ul>
      )}
      {report.claimsRemoved > 0 && (
        <p>
          {counted(report.claimsRemoved, 'claim')} did not hold when asked again and{' '}
          {report.claimsRemoved === 1 ? 'was' : 'were'} taken out.
        </p>
      )}
      <p>
        Read: {plain(series)} series, {counted(logLines, 'log line')}, {counted(changes, 'change')}, in{' '}
        {plain(tookMs / 1000)} s. Diagnosed <When at={report.diagnosedAt} seconds />.
      </p>
      <p className="quiet">
        {report.writtenBy === 'rules'
          ? 'Found and written by rules alone; no model took part.'
          : `Found by rules, written by ${report.writtenBy}.`}
      </p>
    </section>
  )
}
