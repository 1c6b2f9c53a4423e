// Where a decided proposal stands, in one sentence.
import type { ApprovalView, IncidentView } from '../../src/incidents/view.ts'

export interface Stand {
  /** `working`: something happens now. `good`, `bad`: how it ended. `calm`: nothing happens. */
  readonly tone: 'working' | 'good' | 'bad' | 'calm'
  readonly text: string
}

export function standOf(incident: Pick<IncidentView, 'state' | 'outcome'>, approval: ApprovalView): Stand {
  const { action } = approval
  switch (approval.state) {
    case 'pending':
      return { tone: 'calm', text: 'Waits for a decision.' }
    case 'refused':
      return { tone: 'calm', text: 'Refused. Nothing was run.' }
    case 'expired':
      return { tone: 'calm', text: 'Lapsed before anyone decided. Nothing was run.' }
    case 'void':
      return { tone: 'calm', text: 'Void: what it was for had changed. Nothing was run.' }
    case 'approved':
      return standOfRun(incident, approval, action.expected)
  }
}

function standOfRun(
  incident: Pick<IncidentView, 'state' | 'outcome'>,
  { action, run }: ApprovalView,
  expected: string,
): Stand {
  if (!run) return { tone: 'working', text: 'Approved. It starts in a moment.' }
  switch (run.state) {
    case 'intended':
      return { tone: 'working', text: 'Being carried out now.' }
    case 'failed':
      return { tone: 'bad', text: 'It could not be carried out. It is not tried again by itself.' }
    case 'uncertain':
      return {
        tone: 'bad',
        text: `It is not known whether it took effect. Look at ${action.service} before anything else is tried.`,
      }
    case 'done':
      if (incident.state === 'verifying' || incident.state === 'acting')
        return { tone: 'working', text: `Carried out. Checking that it helped: ${expected}` }
      if (incident.state === 'closed' && incident.outcome === 'fixed')
        return { tone: 'good', text: 'Carried out, and it helped.' }
      if (run.verdict === 'worse') return { tone: 'bad', text: 'Carried out, and it made things worse.' }
      return { tone: 'calm', text: 'Carried out.' }
  }
}
