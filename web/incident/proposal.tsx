// A proposed action, word for word what will run.
import type { ProposedAction } from '../../src/incidents/report.ts'
import { Prose } from '../shell/prose.tsx'

interface ProposalProps {
  readonly action: ProposedAction
  /** When it was proposed, for the times in its words. */
  readonly near: number
}

export function Proposal({ action, near }: ProposalProps) {
  return (
    <>
      <h2>{action.title}</h2>
      <dl className="proposal">
        <div>
          <dt>Expected</dt>
          <dd>{action.expected}</dd>
        </div>
        <div>
          <dt>Undo</dt>
          <dd>{action.undo}</dd>
        </div>
        <div>
          <dt>Touches</dt>
          <dd>
            {action.touches}
            {action.callers !== undefined && action.callers.length > 0 && (
              <span className="quiet"> (called by {action.callers.join(', ')})</span>
            )}
          </dd>
        </div>
        <div>
          <dt>Risk</dt>
          <dd>
            <Risk risk={action.risk} /> {action.risk} of 10
            {action.riskReasons.length > 0 && (
              <ul className="reasons">
                {action.riskReasons.map((reason) => (
                  <li key={reason}>{reason}</li>
                ))}
              </ul>
            )}
          </dd>
        </div>
        <div>
          <dt>If nothing is done</dt>
          <dd>
            <Prose text={action.ifNothing} near={near} />
          </dd>
        </div>
      </dl>
      <details>
        <summary>exactly what will run</summary>
        <WhatRuns action={action} />
      </details>
    </>
  )
}

export function WhatRuns({ action }: { readonly action: ProposedAction }) {
  const parameters = Object.entries(action.parameters)
  return (
    <p className="what-runs">
      <code>{action.name}</code> on <code>{action.service}</code>
      {parameters.length > 0 && ' with '}
      {parameters.map(([name, value], i) => (
        <span key={name}>
          {i > 0 && ', '}
          <code>
            {name} = {value}
          </code>
        </span>
      ))}
      , once.
    </p>
  )
}

/** Ten steps, filled up to the risk: readable without its colour. */
function Risk({ risk }: { readonly risk: number }) {
  return (
    <svg className="risk" viewBox="0 0 79 10" width="79" height="10" aria-hidden="true">
      {Array.from({ length: 10 }, (_, i) => (
        <rect key={i} x={i * 8 + 0.5} y="0.5" width="6" height="9" className={i < risk ? 'filled' : 'empty'} />
      ))}
    </svg>
  )
}
