// Shows what would happen without its happening: the request word for word, whether what it presumes is so, and what the
// catalogue's own trial answers.
import type { DryRunView } from '../../src/incidents/view.ts'
import { useDryRun } from '../api/queries.ts'
import { Problem } from '../shell/problem.tsx'

interface DryRunProps {
  readonly incidentId: string
  readonly approvalId: string
}

export function DryRun({ incidentId, approvalId }: DryRunProps) {
  const dryRun = useDryRun(incidentId, approvalId)
  return (
    <>
      <p>
        <button type="button" className="small" disabled={dryRun.isPending} onClick={() => dryRun.mutate()}>
          {dryRun.isPending ? 'Trying it dry …' : 'Try it dry'}
        </button>
      </p>
      {dryRun.error && <Problem error={dryRun.error} />}
      {dryRun.data && <Found found={dryRun.data} />}
    </>
  )
}

function Found({ found: { would, preconditions, inTheWay, trial } }: { readonly found: DryRunView }) {
  return (
    <div role="status">
      <p>Nothing was run. This would be:</p>
      <p className="what-runs">
        <code>{would.kind === 'command' ? would.argv.join(' ') : `${would.method} ${would.url}`}</code>
        {would.kind === 'http' && Object.keys(would.body).length > 0 && <code> {JSON.stringify(would.body)}</code>}
      </p>
      <ul className="reasons">
        {preconditions.map(({ says, holds, seen }) => (
          <li key={says}>
            {holds ? 'Holds' : 'Does not hold'}: {says} ({seen})
          </li>
        ))}
        <li>{inTheWay === null ? 'Nothing stands in its way now.' : `It would not be carried out now: ${inTheWay}`}</li>
        <li>
          {trial === null
            ? 'The catalogue has no trial for it.'
            : `The catalogue’s trial: ${trial.kind} (${trial.detail})`}
        </li>
      </ul>
    </div>
  )
}
