// The order of the list, and how it is kept while someone reads: rows change in place, new ones wait to be shown.
import type { IncidentSummary } from '../../src/incidents/view.ts'
import { severityRank } from '../format/words.ts'

/** The ids as they are shown, in order. An incident that closes stays where it is until the list is shown anew. */
export interface Shown {
  readonly open: readonly string[]
  readonly closed: readonly string[]
}

/** Open: what waits for a decision, then the worst, then the newest. Closed: the last to close first. */
export function inOrder(incidents: readonly IncidentSummary[]): Shown {
  const waits = (incident: IncidentSummary): number => (incident.state === 'awaiting_approval' ? 0 : 1)
  const open = incidents.filter(({ state }) => state !== 'closed')
  const closed = incidents.filter(({ state }) => state === 'closed')
  open.sort(
    (a, b) => waits(a) - waits(b) || severityRank(a.severity) - severityRank(b.severity) || b.openedAt - a.openedAt,
  )
  closed.sort((a, b) => (b.closedAt ?? 0) - (a.closedAt ?? 0))
  return { open: open.map(({ id }) => id), closed: closed.map(({ id }) => id) }
}

export interface Rows {
  readonly open: readonly IncidentSummary[]
  readonly closed: readonly IncidentSummary[]
  /** How many are there that the reader has not asked to see. */
  readonly waiting: number
}

/** What is shown, with what is known of it now. Closed ones further back than those shown are not news. */
export function rowsOf(shown: Shown, incidents: readonly IncidentSummary[]): Rows {
  const byId = new Map(incidents.map((incident) => [incident.id, incident]))
  const known = (ids: readonly string[]) => ids.flatMap((id) => byId.get(id) ?? [])
  const seen = new Set([...shown.open, ...shown.closed])
  const newest = Math.max(0, ...[...seen].map((id) => byId.get(id)?.number ?? 0))
  return {
    open: known(shown.open),
    closed: known(shown.closed),
    waiting: incidents.filter(({ id, state, number }) => !seen.has(id) && (state !== 'closed' || number > newest))
      .length,
  }
}
