// The lab as a user of Midwatch: it sees incidents and decides on proposals over the HTTP API, as the page does, and
// bears with a Midwatch that is away for a moment.
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { callServer } from '../src/cli/client.ts'
import { AppError } from '../src/core/errors.ts'
import { incidentList, type IncidentSummary, incidentView, type IncidentView } from '../src/incidents/view.ts'

export interface AgentClient {
  /** All incidents opened at or after a moment, oldest first. */
  incidentsSince(sinceMs: number): Promise<readonly IncidentSummary[]>
  incident(id: string): Promise<IncidentView>
  /** Approves the proposal that waits. False when none waits (any more). */
  approve(incident: IncidentView): Promise<boolean>
  refuse(incident: IncidentView): Promise<boolean>
}

export function createAgentClient(url: string): AgentClient {
  const decide = async ({ id, approval }: IncidentView, decision: 'approve' | 'refuse'): Promise<boolean> => {
    if (approval?.state !== 'pending') return false
    const path = `/v1/incidents/${id}/approvals/${approval.id}`
    try {
      const json = { decision, ...(decision === 'approve' ? { confirmed: true } : {}) }
      await callServer({ url }, path, z.looseObject({}), { method: 'POST', json })
      return true
    } catch (error) {
      // Somebody was quicker, or the alerts ended meanwhile.
      if (error instanceof AppError && error.code === 'conflict') return false
      throw error
    }
  }
  return {
    incidentsSince: async (sinceMs) => {
      const { incidents } = await callServer({ url }, '/v1/incidents?state=all&limit=100', incidentList)
      return incidents.filter(({ openedAt }) => openedAt >= sinceMs).sort((a, b) => a.number - b.number)
    },
    incident: (id) => callServer({ url }, `/v1/incidents/${id}`, incidentView),
    approve: (incident) => decide(incident, 'approve'),
    refuse: (incident) => decide(incident, 'refuse'),
  }
}

export interface Patience {
  readonly untilMs: number
  readonly everyMs?: number
  readonly signal?: AbortSignal
}

/**
 * Asks again and again until there is an answer; undefined when time is up. A question that fails is asked again: a
 * Midwatch that was killed comes back. Throws only when the last question of all failed.
 */
export async function waitFor<T>(probe: () => Promise<T | undefined>, patience: Patience): Promise<T | undefined> {
  for (;;) {
    patience.signal?.throwIfAborted()
    const last = Date.now() >= patience.untilMs
    const found = await probe().catch((error: unknown) => {
      if (last) throw error
      return undefined
    })
    if (found !== undefined || last) return found
    await wait(patience.everyMs ?? 500, undefined, patience.signal ? { signal: patience.signal } : {})
  }
}
