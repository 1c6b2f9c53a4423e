// One incident, one page: the sentence first, then the decision, which stays in sight, then what led there.
import { useEffect } from 'react'
import { Link } from 'wouter'
import type { IncidentView } from '../../src/incidents/view.ts'
import { ApiError } from '../api/client.ts'
import { useLive } from '../api/live.ts'
import { incidentPath, useAskAgain, useIncident } from '../api/queries.ts'
import { useKeys } from '../shell/keys.ts'
import { LiveArea } from '../shell/live-area.tsx'
import { Problem } from '../shell/problem.tsx'
import { StopSwitch } from '../shell/stop-switch.tsx'
import { stepFocus } from '../incidents/step-focus.ts'
import { Alerts } from './alerts.tsx'
import { Asked } from './asked.tsx'
import { Called } from './called.tsx'
import { Decision } from './decision.tsx'
import { EvidenceList } from './evidence-list.tsx'
import { Feedback } from './feedback.tsx'
import { Headline } from './headline.tsx'
import { Limits } from './limits.tsx'
import { Progress } from './progress.tsx'
import { SeenBefore } from './seen-before.tsx'
import { ServiceMap } from './service-map.tsx'
import { Timeline } from './timeline.tsx'
import { Weighed } from './weighed.tsx'

export function IncidentRoom({ id }: { readonly id: string }) {
  const incident = useIncident(id)
  const askAgain = useAskAgain()
  const connection = useLive(`${incidentPath(id)}/events`, askAgain)
  useKeys('This incident', [
    { keys: 'j', says: 'next piece of evidence', run: () => stepFocus('.evidence', 1) },
    { keys: 'k', says: 'previous piece of evidence', run: () => stepFocus('.evidence', -1) },
  ])
  const view = incident.data
  useEffect(() => {
    if (view) document.title = `${view.state === 'awaiting_approval' ? '(1) ' : ''}${view.title} · Midwatch`
  }, [view])

  if (!view) {
    if (!incident.error) return <p className="quiet">Asking for the incident …</p>
    const gone = incident.error instanceof ApiError && incident.error.status === 404
    return (
      <>
        <h1>{gone ? 'There is no such incident' : 'The incident could not be read'}</h1>
        <Problem error={incident.error} {...(gone ? {} : { again: askAgain })} />
        <p>
          <Link href="/">See all incidents</Link>
        </p>
      </>
    )
  }
  return (
    <LiveArea connection={connection}>
      {incident.error && <Problem error={incident.error} again={askAgain} />}
      {view.stopped && <StopSwitch stopped={view.stopped} />}
      <Incident view={view} />
    </LiveArea>
  )
}

function Incident({ view }: { readonly view: IncidentView }) {
  return (
    <article className="incident">
      <Headline view={view} />
      <div className="columns">
        <div className="beside">
          <Progress view={view} />
          <Decision view={view} />
        </div>
        <div className="story">
          <Called view={view} />
          <Timeline view={view} />
          <EvidenceList view={view} />
          <SeenBefore view={view} />
          <Asked view={view} />
          <ServiceMap view={view} />
          <Alerts view={view} />
          <Weighed view={view} />
          <Limits view={view} />
          <Feedback view={view} />
        </div>
      </div>
    </article>
  )
}
