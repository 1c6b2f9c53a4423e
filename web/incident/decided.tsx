// After the decision: who decided, what is being done now, what came of it, and the way back.
import { useEffect, useRef } from 'react'
import type { ApprovalView, IncidentView } from '../../src/incidents/view.ts'
import { Prose } from '../shell/prose.tsx'
import { Ago, When } from '../shell/when.tsx'
import { Proposal } from './proposal.tsx'
import { standOf } from './stand.ts'

interface DecidedProps {
  readonly view: IncidentView
  readonly approval: ApprovalView
  /** An earlier proposal: what the incident does now is not its doing. */
  readonly past?: boolean
  /** It takes the place of the buttons that were just pressed. */
  readonly takesFocus?: boolean
}

export function Decided({ view, approval, past = false, takesFocus = false }: DecidedProps) {
  const { action, run } = approval
  const stand = standOf(past ? { ...view, state: 'closed', outcome: null } : view, approval)
  const status = useRef<HTMLParagraphElement>(null)
  // The button that had the focus is gone: go on from here rather than from the top of the page.
  useEffect(() => {
    if (takesFocus && document.activeElement === document.body) status.current?.focus({ preventScroll: true })
  }, [takesFocus])
  // What went as it should needs no reading; anything else does.
  const answer = run?.detail ?? ''
  return (
    <section className={past ? 'decision past' : 'decision'} aria-label={past ? 'An earlier decision' : 'The decision'}>
      <h2>{action.title}</h2>
      <p className={`stand ${stand.tone}`} ref={status} tabIndex={-1} role="status" aria-live="polite">
        {stand.tone === 'working' && <span className="pulse" aria-hidden="true" />}
        {stand.text}
      </p>
      <ul className="steps-done">
        {approval.decidedAt !== null && (
          <li>
            {approval.state === 'refused' ? 'Refused' : approval.state === 'approved' ? 'Approved' : 'Ended'}
            {approval.decidedBy !== null && ` by ${approval.decidedBy}`}, <When at={approval.decidedAt} seconds />
            {approval.reason !== null && approval.reason !== '' && (
              <>
                : <Prose text={approval.reason} near={approval.decidedAt} />
              </>
            )}
          </li>
        )}
        {run && (
          <li>
            Started <When at={run.startedAt} seconds />
            {run.finishedAt === null ? (
              <>
                , <Ago at={run.startedAt} />
              </>
            ) : (
              <>
                , ended <When at={run.finishedAt} seconds />
              </>
            )}
          </li>
        )}
        {answer !== '' && run?.state !== 'done' && <li>Answer: {answer}</li>}
        {approval.state === 'approved' && <li>To take it back: {action.undo}</li>}
      </ul>
      {answer !== '' && run?.state === 'done' && (
        <details>
          <summary>what was answered</summary>
          <p className="quiet">{answer}</p>
        </details>
      )}
      <details>
        <summary>what was proposed</summary>
        <Proposal action={action} near={approval.requestedAt} />
      </details>
    </section>
  )
}
