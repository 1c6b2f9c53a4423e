// What other systems answered when they were asked about this incident. Their words, set apart: no claim rests on them.
import type { ContextView, IncidentView } from '../../src/incidents/view.ts'

export function Asked({ view }: { readonly view: IncidentView }) {
  const { context = [] } = view
  if (context.length === 0) return null
  return (
    <section aria-labelledby="asked">
      <h2 id="asked">What other systems say</h2>
      <p className="quiet">Quoted as it came. No claim above rests on it.</p>
      {context.map((one) => (
        <Answer key={`${one.source} ${one.tool} ${JSON.stringify(one.arguments)}`} answer={one} />
      ))}
    </section>
  )
}

function Answer({ answer }: { readonly answer: ContextView }) {
  const { source, tool, arguments: input, text, truncated, failure, suspicious } = answer
  const asked = Object.entries(input).map(([name, value]) => `${name} ${value}`)
  return (
    <details open={failure === null && !suspicious}>
      <summary>
        {source}: {tool}
        {asked.length > 0 && <span className="quiet"> {asked.join(', ')}</span>}
      </summary>
      {suspicious && (
        <p className="quiet">It has text that speaks to a machine. Nothing obeys it; read it with care.</p>
      )}
      {failure !== null && <p className="quiet">No use of it: {failure}</p>}
      {text !== '' && <blockquote className="verbatim">{text}</blockquote>}
      {truncated && <p className="quiet">There was more than is kept.</p>}
    </details>
  )
}
