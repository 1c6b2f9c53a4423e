// The stations of one walk, from the first alert to the closed incident, as whoever waits for them sees it.
import type { IncidentSummary, IncidentView } from '../src/incidents/view.ts'
import { type AgentClient, type Patience, waitFor } from './agent-client.ts'

/** The first incident opened at or after a moment. */
export const waitForIncident = (
  agent: AgentClient,
  sinceMs: number,
  patience: Patience,
): Promise<IncidentSummary | undefined> => waitFor(async () => (await agent.incidentsSince(sinceMs))[0], patience)

/** The incident once it has a report, named or abstained, or is over without one. */
export const waitForDiagnosis = (
  agent: AgentClient,
  id: string,
  patience: Patience,
): Promise<IncidentView | undefined> =>
  waitFor(async () => {
    const view = await agent.incident(id)
    return view.report || view.state === 'closed' ? view : undefined
  }, patience)

/** The incident once it waits for a decision, or has gone past the point where it could. */
export const waitForProposal = (
  agent: AgentClient,
  id: string,
  patience: Patience,
): Promise<IncidentView | undefined> =>
  waitFor(async () => {
    const view = await agent.incident(id)
    const settled = view.state === 'watching' || view.state === 'closed'
    return view.approval?.state === 'pending' || settled ? view : undefined
  }, patience)

export const waitForClose = (agent: AgentClient, id: string, patience: Patience): Promise<IncidentView | undefined> =>
  waitFor(async () => {
    const view = await agent.incident(id)
    return view.state === 'closed' ? view : undefined
  }, patience)

/** The incidents that are still open, oldest first. */
export const openIncidents = async (agent: AgentClient): Promise<readonly IncidentSummary[]> =>
  (await agent.incidentsSince(0)).filter(({ state }) => state !== 'closed')

/** Resolves with true when no incident is open (any more). */
export const waitForQuiet = (agent: AgentClient, patience: Patience): Promise<true | undefined> =>
  waitFor(async () => ((await openIncidents(agent)).length === 0 ? true : undefined), patience)
