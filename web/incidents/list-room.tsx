// Every incident: the open ones first. Nothing moves while it is read; what is new says so and waits.
import { useEffect, useEffectEvent, useRef, useState } from 'react'
import type { IncidentSummary } from '../../src/incidents/view.ts'
import { useLive } from '../api/live.ts'
import { useAskAgain, useClosedIncidents, useOpenIncidents } from '../api/queries.ts'
import { counted } from '../format/number.ts'
import { useKeys } from '../shell/keys.ts'
import { LiveArea } from '../shell/live-area.tsx'
import { Problem } from '../shell/problem.tsx'
import { StopSwitch } from '../shell/stop-switch.tsx'
import { FirstSteps } from './first-steps.tsx'
import { inOrder, rowsOf, type Shown } from './order.ts'
import { IncidentRow } from './row.tsx'
import { stepFocus } from './step-focus.ts'

export function ListRoom() {
  const open = useOpenIncidents()
  const done = useClosedIncidents()
  const askAgain = useAskAgain()
  const connection = useLive('/v1/incidents/events', askAgain)
  useKeys('Incidents', [
    { keys: 'j', says: 'next incident', run: () => stepFocus('.incident-row', 1) },
    { keys: 'k', says: 'previous incident', run: () => stepFocus('.incident-row', -1) },
    { keys: 'Enter', says: 'open it', run: () => undefined },
  ])

  const waiting = (open.data?.incidents ?? []).filter(({ state }) => state === 'awaiting_approval').length
  useEffect(() => {
    document.title = waiting > 0 ? `(${waiting}) Midwatch` : 'Midwatch'
  }, [waiting])

  const problem = open.error ?? done.error
  if (!open.data || !done.data)
    return problem ? <Problem error={problem} again={askAgain} /> : <p className="quiet">Asking for the incidents …</p>
  // One that closes between the two answers is in both: the later answer counts.
  const closed = done.data.pages.flatMap(({ incidents }) => incidents)
  const both = new Map([...open.data.incidents, ...closed].map((incident) => [incident.id, incident]))
  return (
    <LiveArea connection={connection}>
      {problem && <Problem error={problem} again={askAgain} />}
      {open.data.stopped && <StopSwitch stopped={open.data.stopped} />}
      <List
        incidents={[...both.values()]}
        unfolded={open.data.waiting}
        muted={open.data.muted}
        notUnderstood={open.data.notUnderstood}
        pages={done.data.pages.length}
        onMoreClosed={done.hasNextPage ? () => void done.fetchNextPage() : undefined}
      />
      {!open.data.stopped && <StopSwitch stopped={open.data.stopped} />}
    </LiveArea>
  )
}

interface ListProps {
  readonly incidents: readonly IncidentSummary[]
  /** Alerts that came in and are not folded yet. */
  readonly unfolded: number
  /** Firing alerts that silences and the like hold back. */
  readonly muted: number
  /** Those of the last day that nobody could read. */
  readonly notUnderstood: number
  /** Pages of closed ones: grows when the reader asks for more. */
  readonly pages: number
  readonly onMoreClosed: (() => void) | undefined
}

function List({ incidents, unfolded, muted, notUnderstood, pages, onMoreClosed }: ListProps) {
  const [shown, setShown] = useState<Shown>(() => inOrder(incidents))
  const [shownPages, setShownPages] = useState(pages)
  const rows = rowsOf(shown, incidents)
  // With nothing on the page there is nothing to keep still, and what the reader asked for need not wait.
  if (shownPages !== pages || (rows.open.length + rows.closed.length === 0 && rows.waiting > 0)) {
    setShown(inOrder(incidents))
    setShownPages(pages)
  }
  const nothingYet = rows.open.length + rows.closed.length + rows.waiting === 0
  return (
    <>
      <div className="news" role="status" aria-live="polite">
        {rows.waiting > 0 && (
          <button type="button" onClick={() => setShown(inOrder(incidents))}>
            {counted(rows.waiting, 'new incident')}, show
          </button>
        )}
      </div>
      <h1>{rows.open.length === 0 && rows.waiting === 0 ? 'Nothing is open' : 'Incidents'}</h1>
      <p className="quiet unfolded" role="status">
        {unfolded > 0 && `${counted(unfolded, 'alert')} just came in`}
        {unfolded > LONG_BACKLOG && ', the oldest critical ones are folded first'}
      </p>
      {notUnderstood > 0 && (
        <p className="quiet">
          {counted(notUnderstood, 'alert')} of the last day could not be read; what came is kept:{' '}
          <code>midwatch incidents alerts --decision not_understood</code>
        </p>
      )}
      {muted > 0 && (
        <p className="quiet">
          {counted(muted, 'firing alert')} held back by silences, maintenance windows or other alerts
        </p>
      )}
      {nothingYet && <FirstSteps />}
      <Rows title="Open" rows={rows.open} />
      <Rows title="Closed" rows={rows.closed} />
      {onMoreClosed && (
        <p>
          <button type="button" onClick={onMoreClosed}>
            Show older ones
          </button>
        </p>
      )}
    </>
  )
}

/** From here on the order of arrival gives way; as in `waiting-alerts.ts`. */
const LONG_BACKLOG = 200

/** How many rows are drawn at first, and how many more each time the reader comes near the end of them. */
const ROWS_A_TIME = 100

function Rows({ title, rows }: { readonly title: string; readonly rows: readonly IncidentSummary[] }) {
  const [drawn, setDrawn] = useState(ROWS_A_TIME)
  if (rows.length === 0) return null
  return (
    <section aria-label={title}>
      <h2 className="group-title">{title}</h2>
      <ol className="incident-rows">
        {rows.slice(0, drawn).map((incident) => (
          <IncidentRow key={incident.id} incident={incident} />
        ))}
      </ol>
      {rows.length > drawn && (
        <Below key={drawn} more={rows.length - drawn} onNear={() => setDrawn(drawn + ROWS_A_TIME)} />
      )}
    </section>
  )
}

/** Stands for the rows that are not drawn yet, and says so once when the reader comes near. */
function Below({ more, onNear }: { readonly more: number; readonly onNear: () => void }) {
  const line = useRef<HTMLParagraphElement>(null)
  const near = useEffectEvent(onNear)
  useEffect(() => {
    if (!line.current) return
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) near()
      },
      { rootMargin: '1500px' },
    )
    observer.observe(line.current)
    return () => observer.disconnect()
  }, [])
  return (
    <p className="quiet" ref={line}>
      {counted(more, 'more incident')} below
    </p>
  )
}
