// One incident in the list: how bad, the sentence, whom it touches, since when, and where it stands.
import { memo } from 'react'
import { Link } from 'wouter'
import type { IncidentSummary } from '../../src/incidents/view.ts'
import { confidence, counted } from '../format/number.ts'
import { duration } from '../format/time.ts'
import { kindWords, stateWords } from '../format/words.ts'
import { Prose } from '../shell/prose.tsx'
import { Severity } from '../shell/severity.tsx'
import { Ago, When } from '../shell/when.tsx'

export const IncidentRow = memo(function IncidentRow({ incident }: { readonly incident: IncidentSummary }) {
  const { state, cause, closedAt } = incident
  const asks = state === 'awaiting_approval'
  return (
    <li>
      <Link href={`/incidents/${incident.number}`} className={`incident-row ${state}`}>
        <Severity severity={incident.severity} />
        <span className="row-sentence">
          <Prose text={incident.sentence} near={incident.openedAt} />
        </span>
        <span className="row-facts">
          <span className={asks ? 'state asks' : 'state'}>{stateWords(incident)}</span>
          {incident.service !== null && <span>{incident.service}</span>}
          {cause && (
            <span>
              {kindWords(cause.kind)} in {cause.service}, {confidence(cause.confidence)}
            </span>
          )}
          <span>
            {incident.alerts > 1 ? `${counted(incident.alerts, 'alert')} folded` : counted(incident.alerts, 'alert')}
            {state !== 'closed' && incident.firing < incident.alerts && `, ${incident.firing} firing`}
          </span>
          {incident.flapping.map(({ name, service, times, sinceMs }) => (
            <span key={`${name} ${service}`}>
              {name} flaps, {times} times since <When at={sinceMs} />
            </span>
          ))}
          {closedAt === null ? (
            <span>
              <When at={incident.openedAt} /> (<Ago at={incident.openedAt} />)
            </span>
          ) : (
            <span>
              closed <When at={closedAt} /> after {duration(closedAt - incident.openedAt)}
            </span>
          )}
          <span>no. {incident.number}</span>
        </span>
      </Link>
    </li>
  )
})
