// The second, deliberate act before a risky action; and the reason for a refusal.
import { useState } from 'react'
import type { ProposedAction } from '../../src/incidents/report.ts'
import { Dialog } from '../shell/dialog.tsx'
import { WhatRuns } from './proposal.tsx'

interface ApproveDialogProps {
  readonly action: ProposedAction
  readonly onApprove: () => void
  readonly onClose: () => void
}

export function ApproveDialog({ action, onApprove, onClose }: ApproveDialogProps) {
  const [understood, setUnderstood] = useState(false)
  return (
    <Dialog title={`${action.title}: risk ${action.risk} of 10`} onClose={onClose}>
      <p>This runs at once, and it touches {action.touches}:</p>
      <WhatRuns action={action} />
      <ul className="reasons">
        {action.riskReasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
      <p>To take it back: {action.undo}</p>
      <label className="choice">
        <input
          type="checkbox"
          autoFocus
          checked={understood}
          onChange={(event) => setUnderstood(event.target.checked)}
        />
        I have read what will run
      </label>
      <p className="actions">
        <button type="button" className="main" disabled={!understood} onClick={onApprove}>
          Approve and run
        </button>
        <button type="button" onClick={onClose}>
          Go back
        </button>
      </p>
    </Dialog>
  )
}

interface RefuseDialogProps {
  readonly action: ProposedAction
  readonly onRefuse: (reason: string) => void
  readonly onClose: () => void
}

export function RefuseDialog({ action, onRefuse, onClose }: RefuseDialogProps) {
  const [reason, setReason] = useState('')
  return (
    <Dialog title={`Refuse: ${action.title}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          onRefuse(reason.trim())
        }}
      >
        <label htmlFor="refuse-reason">Why (kept in the timeline; may be left empty)</label>
        <textarea
          id="refuse-reason"
          rows={3}
          maxLength={2000}
          autoFocus
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
        <p className="actions">
          <button type="submit" className="main">
            Refuse
          </button>
          <button type="button" onClick={onClose}>
            Go back
          </button>
        </p>
      </form>
    </Dialog>
  )
}
