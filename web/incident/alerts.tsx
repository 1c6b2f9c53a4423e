// The alerts behind the incident, each with the rule that folded it in.
import { useState } from 'react'
import type { AlertView, IncidentView } from '../../src/incidents/view.ts'
import { counted, plain } from '../format/number.ts'
import { Severity } from '../shell/severity.tsx'
import { When } from '../shell/when.tsx'
import { webLink } from '../shell/web-link.ts'

const SHOWN_AT_FIRST = 5

export function Alerts({ view }: { readonly view: IncidentView }) {
  const [all, setAll] = useState(false)
  const listed = all ? view.alertList : view.alertList.slice(0, SHOWN_AT_FIRST)
  return (
    <section aria-labelledby="alerts">
      <h2 id="alerts">
        {view.alerts > 1 ? `${counted(view.alerts, 'alert')} folded into one incident` : counted(view.alerts, 'alert')}
      </h2>
      <p className="quiet">
        {view.firing === 0
          ? 'None of them fires any more.'
          : `${plain(view.firing)} of ${plain(view.alerts)} still firing.`}
      </p>
      <ol className="alerts">
        {listed.map((alert) => (
          <Alert key={alert.id} alert={alert} />
        ))}
      </ol>
      {!all && view.alertList.length > SHOWN_AT_FIRST && (
        <button type="button" onClick={() => setAll(true)}>
          Show all {view.alertList.length}
        </button>
      )}
      {all && view.alerts > view.alertList.length && (
        <p className="quiet">
          These are the first {view.alertList.length} of {plain(view.alerts)}.
        </p>
      )}
    </section>
  )
}

function Alert({ alert }: { readonly alert: AlertView }) {
  const link = webLink(alert.url)
  return (
    <li className={alert.status}>
      <p className="alert-head">
        <Severity severity={alert.severity} />
        <strong>{alert.name}</strong>
        {alert.service !== null && <span>{alert.service}</span>}
        <span className="quiet">
          {alert.status} {alert.endsAt === null ? 'since ' : ''}
          <When at={alert.endsAt ?? alert.startsAt} seconds />
        </span>
      </p>
      {alert.summary !== '' && <p>{alert.summary}</p>}
      <p className="quiet">
        {foldingWords(alert)}
        {alert.times > 1 && `. Delivered ${plain(alert.times)} times`}
        {link !== undefined && (
          <>
            .{' '}
            <a href={link} rel="noreferrer">
              Where it comes from
            </a>
          </>
        )}
      </p>
    </li>
  )
}

const DECISIONS = {
  opened: 'Opened this incident',
  joined: 'Joined it',
  ignored: 'Ignored',
  not_understood: 'Not understood',
  muted: 'Held back',
} as const

/** What the folding decided, by which rule, and why: the reason begins with the rule's name. */
function foldingWords({ decision, reason }: AlertView): string {
  if (decision === null) return 'Not folded yet'
  const [, rule, why] = /^([a-z]+): (.+)$/s.exec(reason ?? '') ?? []
  if (rule === undefined) return reason === null ? DECISIONS[decision] : `${DECISIONS[decision]}: ${reason}`
  return `${DECISIONS[decision]} by the rule "${rule}": ${why}`
}
