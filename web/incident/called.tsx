// How bad it is and why, whose it is, who was told, and who looks after it: one press ends the escalation.
import type { IncidentView, RoutingView } from '../../src/incidents/view.ts'
import { useAcknowledge } from '../api/queries.ts'
import { Problem } from '../shell/problem.tsx'
import { When } from '../shell/when.tsx'

export function Called({ view }: { readonly view: IncidentView }) {
  const acknowledge = useAcknowledge(view.id)
  const { routing } = view
  if (!routing) return null
  const opened = view.timeline.findLastIndex(({ kind }) => kind === 'opened' || kind === 'reopened')
  const answers = view.timeline.filter(({ kind }, i) => kind === 'acknowledged' && i > opened)
  return (
    <section aria-labelledby="called">
      <h2 id="called">Who is told</h2>
      <ul className="reasons">
        <li>{routing.severity.reason}.</li>
        {routing.kind.kind !== 'unknown' && (
          <li>
            Kind: {routing.kind.kind} ({routing.kind.reason}).
          </li>
        )}
        <li>
          {routing.owner.owner === null
            ? `${routing.owner.reason}.`
            : `Owner: ${routing.owner.owner} (${routing.owner.reason}).`}
        </li>
        {routing.routes.map(({ route, rule, team }) => (
          <li key={route}>
            Goes to {team ?? 'every channel'} ({route}: {rule}).
          </li>
        ))}
      </ul>
      {routing.escalations.map((escalation) => (
        <Escalation key={escalation.team} escalation={escalation} />
      ))}
      {answers.map(({ seq, text }) => (
        <p key={seq}>{text}</p>
      ))}
      {view.state !== 'closed' && answers.length === 0 && (
        <p className="actions">
          <button type="button" disabled={acknowledge.isPending} onClick={() => acknowledge.mutate()}>
            I look after it
          </button>
        </p>
      )}
      {acknowledge.error && <Problem error={acknowledge.error} />}
    </section>
  )
}

function Escalation({ escalation }: { readonly escalation: RoutingView['escalations'][number] }) {
  const { team, state, by, steps, nextAt } = escalation
  const end = {
    running: 'waits for an answer',
    acknowledged: `${by ?? 'somebody'} answered`,
    exhausted: 'nobody is left to ask',
    ended: 'is over',
  }
  return (
    <>
      <p>
        {team}: {end[state]}
        {nextAt !== null && (
          <>
            , next step <When at={nextAt} seconds />
          </>
        )}
      </p>
      <ol>
        {steps.map(({ step, at, told, missing }) => (
          <li key={step}>
            <When at={at} seconds /> {[...told, ...missing].join(', ')}
          </li>
        ))}
      </ol>
    </>
  )
}
