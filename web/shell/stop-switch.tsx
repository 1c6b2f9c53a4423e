// The switch that stops all acting. Where it is stopped this says so before anything else on the page; stopping asks for a
// reason first, so that a slip of the finger does nothing.
import { useState } from 'react'
import type { StopView } from '../../src/incidents/view.ts'
import { useSwitchActing } from '../api/queries.ts'
import { Dialog } from './dialog.tsx'
import { Problem } from './problem.tsx'
import { When } from './when.tsx'

export function StopSwitch({ stopped }: { readonly stopped: StopView | null | undefined }) {
  const change = useSwitchActing()
  const [asking, setAsking] = useState(false)
  if (stopped === undefined) return null
  return (
    <>
      {stopped ? (
        <div className="problem" role="alert">
          <p>
            Acting is stopped since <When at={stopped.at} /> by {stopped.by}
            {stopped.reason !== null && stopped.reason !== '' && `: ${stopped.reason}`}. Nothing is carried out,
            whatever is approved.
          </p>
          <p>
            <button type="button" disabled={change.isPending} onClick={() => change.mutate({ to: 'resume' })}>
              Let it go on
            </button>{' '}
            <span className="quiet">needs an admin’s key</span>
          </p>
        </div>
      ) : (
        <p className="quiet">
          <button type="button" className="small" disabled={change.isPending} onClick={() => setAsking(true)}>
            Stop all acting …
          </button>
        </p>
      )}
      {change.error && <Problem error={change.error} />}
      {asking && (
        <StopDialog
          onStop={(reason) => {
            setAsking(false)
            change.mutate({ to: 'stop', ...(reason === '' ? {} : { reason }) })
          }}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  )
}

interface StopDialogProps {
  readonly onStop: (reason: string) => void
  readonly onClose: () => void
}

function StopDialog({ onStop, onClose }: StopDialogProps) {
  const [reason, setReason] = useState('')
  return (
    <Dialog title="Stop all acting" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          onStop(reason.trim())
        }}
      >
        <p>Nothing more is carried out, whatever was approved. What is under way already ends as it does.</p>
        <label htmlFor="stop-reason">Why (everyone sees it; may be left empty)</label>
        <textarea
          id="stop-reason"
          rows={2}
          maxLength={2000}
          autoFocus
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
        <p className="actions">
          <button type="submit" className="main">
            Stop
          </button>
          <button type="button" onClick={onClose}>
            Go back
          </button>
        </p>
      </form>
    </Dialog>
  )
}
