// The decision: what is proposed, what it is expected to do, what it risks, and the two buttons. When its buttons
// scroll out of sight a narrow bar keeps them there. High risk asks a second time and names exactly what will run.
import { useEffect, useEffectEvent, useRef, useState } from 'react'
import type { ApprovalDecision, ApprovalView, IncidentView } from '../../src/incidents/view.ts'
import { useDecide } from '../api/queries.ts'
import { useKeys } from '../shell/keys.ts'
import { Problem } from '../shell/problem.tsx'
import { Ago, When } from '../shell/when.tsx'
import { ApproveDialog, RefuseDialog } from './decision-dialogs.tsx'
import { Decided } from './decided.tsx'
import { DryRun } from './dry-run.tsx'
import { Proposal } from './proposal.tsx'

export function Decision({ view }: { readonly view: IncidentView }) {
  const { approval } = view
  const [first] = useState(approval?.state)
  if (!approval) return view.report && view.state !== 'closed' ? <NoProposal view={view} /> : null
  return (
    <>
      {approval.state === 'pending' ? (
        <Pending key={approval.id} view={view} approval={approval} />
      ) : (
        <Decided key={approval.id} view={view} approval={approval} takesFocus={first === 'pending'} />
      )}
      {view.approvals.length > 0 && (
        <details className="earlier">
          <summary>earlier proposals ({view.approvals.length})</summary>
          {view.approvals.map((earlier) => (
            <Decided key={earlier.id} view={view} approval={earlier} past />
          ))}
        </details>
      )}
    </>
  )
}

/** A proposal that replaces another must not take the click that was meant for the one before. */
const ARMED_AFTER_MS = 600

interface PendingProps {
  readonly view: IncidentView
  readonly approval: ApprovalView
}

function Pending({ view, approval }: PendingProps) {
  const decide = useDecide(view.id)
  const [asking, setAsking] = useState<'approve' | 'refuse'>()
  const [undoIfWorse, setUndoIfWorse] = useState(false)
  const [armed, setArmed] = useState(false)
  const buttons = useRef<HTMLDivElement>(null)
  const inSight = useInSight(buttons)
  useEffect(() => {
    const timer = setTimeout(() => setArmed(true), ARMED_AFTER_MS)
    return () => clearTimeout(timer)
  }, [])

  const send = (decision: ApprovalDecision): void => {
    setAsking(undefined)
    decide.mutate({ approvalId: approval.id, decision })
  }
  // Where two people are needed, the first one's yes leaves it waiting.
  const halfway = decide.isSuccess && approval.people !== undefined && approval.people.agreed.length > 0
  const busy = decide.isPending || (decide.isSuccess && !halfway)
  const undo = undoIfWorse ? { undoIfWorse: true } : {}
  const approve = (): void => {
    if (!armed || busy) return
    if (approval.confirm) setAsking('approve')
    else send({ decision: 'approve', ...undo })
  }
  const refuse = (): void => {
    if (armed && !busy) setAsking('refuse')
  }
  useKeys('The proposal', [
    { keys: 'a', says: approval.confirm ? 'approve (asks once more)' : 'approve', run: approve },
    { keys: 'r', says: 'refuse, with a reason', run: refuse },
  ])
  const actions = (
    <>
      <button type="button" className="main" onClick={approve} disabled={busy} aria-keyshortcuts="a">
        Approve{approval.confirm ? ' …' : ''} <kbd>A</kbd>
      </button>
      <button type="button" onClick={refuse} disabled={busy} aria-keyshortcuts="r">
        Refuse <kbd>R</kbd>
      </button>
    </>
  )
  return (
    <section className="decision" aria-label="The decision">
      <p className="visually-hidden" role="status" aria-live="assertive">
        A decision is needed: {approval.action.title}
      </p>
      <Proposal action={approval.action} near={approval.requestedAt} />
      <Agreement approval={approval} />
      {approval.action.undoWith && (
        <label className="choice">
          <input type="checkbox" checked={undoIfWorse} onChange={(event) => setUndoIfWorse(event.target.checked)} />
          Take it back by itself if it makes things worse: {approval.action.undoWith.title}
        </label>
      )}
      <DryRun incidentId={view.id} approvalId={approval.id} />
      <div className="actions" ref={buttons}>
        {actions}
      </div>
      <p className="quiet" role="status">
        {busy ? (
          // What was only sent is not said to have arrived.
          decide.isPending ? (
            'Sending your decision …'
          ) : (
            'Midwatch has your decision and takes it up …'
          )
        ) : (
          <>
            Proposed <Ago at={approval.requestedAt} />. Lapses at <When at={approval.expiresAt} /> (
            <Ago at={approval.expiresAt} />
            ).
          </>
        )}
      </p>
      {decide.error && <Problem error={decide.error} />}
      {!inSight && (
        <div className="decision-bar" role="group" aria-label="The decision, kept in sight">
          <span className="decision-bar-title">
            {approval.action.title}
            <span className="quiet"> risk {approval.action.risk} of 10</span>
          </span>
          {actions}
        </div>
      )}
      {asking === 'approve' && (
        <ApproveDialog
          action={approval.action}
          onApprove={() => send({ decision: 'approve', confirmed: true, ...undo })}
          onClose={() => setAsking(undefined)}
        />
      )}
      {asking === 'refuse' && (
        <RefuseDialog
          action={approval.action}
          onRefuse={(reason) => send({ decision: 'refuse', ...(reason === '' ? {} : { reason }) })}
          onClose={() => setAsking(undefined)}
        />
      )}
    </section>
  )
}

/** Who asked for it and who has agreed, where that matters for who may press. */
function Agreement({ approval: { people, requestedBy, undoIfWorse } }: { readonly approval: ApprovalView }) {
  return (
    <>
      {requestedBy !== undefined && requestedBy !== null && (
        <p>{requestedBy} asks for this, so somebody else has to approve it.</p>
      )}
      {people !== undefined && people.needed > 1 && (
        <p>
          Two people have to approve it.{' '}
          {people.agreed.length === 0 ? 'Nobody has yet.' : `${people.agreed.join(', ')} has; one more is needed.`}
          {undoIfWorse === true && people.agreed.length > 0 && (
            <>
              {' '}
              {people.agreed.join(', ')} wants it taken back by itself if it makes things worse; that holds only if
              whoever approves it too wants the same.
            </>
          )}
        </p>
      )}
    </>
  )
}

function useInSight(target: { readonly current: HTMLElement | null }): boolean {
  const [inSight, setInSight] = useState(true)
  const changed = useEffectEvent((entry: IntersectionObserverEntry | undefined) =>
    setInSight(entry?.isIntersecting ?? true),
  )
  useEffect(() => {
    if (!target.current) return
    const observer = new IntersectionObserver((entries) => changed(entries.at(-1)), { threshold: 0.9 })
    observer.observe(target.current)
    return () => observer.disconnect()
  }, [target])
  return inSight
}

function NoProposal({ view }: { readonly view: IncidentView }) {
  const recovering = view.firing === 0
  return (
    <section className="decision" aria-label="The decision">
      <h2>Nothing to decide</h2>
      <p>
        {recovering
          ? 'Its alerts have ended; the incident closes when they stay away.'
          : 'No action of the catalogue is proposed for this. The incident closes when its alerts end.'}
      </p>
      <p className="quiet">
        What Midwatch may do is listed under <code>agent.actions</code> in midwatch.yaml.
      </p>
    </section>
  )
}
