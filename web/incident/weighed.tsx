// How the ranking came about: who spoke for what, what was tried to refute it, and what the looking cost. For whoever doubts
// the sentence; closed until asked for, unless people have to decide.
import type { Report } from '../../src/incidents/report.ts'
import type { IncidentView } from '../../src/incidents/view.ts'
import { counted, plain } from '../format/number.ts'
import { kindWords } from '../format/words.ts'

type Deliberation = NonNullable<Report['deliberation']>

export function Weighed({ view }: { readonly view: IncidentView }) {
  const { deliberation } = view.report ?? {}
  if (!deliberation || deliberation.votes.length + deliberation.objections.length === 0) return null
  const { votes, objections, reordered, rounds, stopped, spent, claimsRemoved } = deliberation
  return (
    <section aria-labelledby="weighed">
      <h2 id="weighed">How it was weighed</h2>
      {reordered && (
        <p>Models would name another cause first. A person has to decide; nothing is proposed by itself.</p>
      )}
      <details open={reordered}>
        <summary>
          {counted(votes.length, 'vote')}, {counted(objections.length, 'attempt')} to refute it
        </summary>
        {votes.length > 0 && <Votes votes={votes} />}
        {objections.length > 0 && <Objections objections={objections} />}
        <p className="quiet">
          {counted(rounds, 'round')}; it ended because {stopped}. {sayCost(spent)}
          {claimsRemoved > 0 && ` ${counted(claimsRemoved, 'claim')} of models did not hold.`}
        </p>
      </details>
    </section>
  )
}

function Votes({ votes }: { readonly votes: Deliberation['votes'] }) {
  const ordered = votes.toSorted((a, b) => b.weight - a.weight)
  return (
    <ul className="reasons">
      {ordered.map(({ by, service, kind, weight, reason }) => (
        <li key={`${by} ${service} ${kind}`}>
          <strong>{by}</strong>: {service}, {kindWords(kind)}, weight {plain(weight)}
          <br />
          {reason}
        </li>
      ))}
    </ul>
  )
}

const OUTCOMES: Readonly<Record<Deliberation['objections'][number]['outcome'], string>> = {
  stands: 'it stands',
  doubt: 'a doubt',
  unknown: 'cannot be said',
}

function Objections({ objections }: { readonly objections: Deliberation['objections'] }) {
  return (
    <ul className="reasons">
      {objections.map(({ test, outcome, reason }) => (
        <li key={test}>
          <strong>{test}</strong> {OUTCOMES[outcome]}
          <br />
          {reason}
        </li>
      ))}
    </ul>
  )
}

function sayCost({ modelCalls, toolCalls, tokens, costUsd }: Deliberation['spent']): string {
  const asked = toolCalls === 1 ? '1 query' : `${plain(toolCalls)} queries`
  if (modelCalls === 0) return `${asked}, no model asked.`
  const price = costUsd === null ? 'at an unknown price' : `for $${costUsd.toFixed(4)}`
  return `${asked}, ${counted(modelCalls, 'model call')}, ${plain(tokens)} tokens ${price}.`
}
