// What Midwatch offers to MCP clients, in one list.
import type { Db } from '../db/connect.ts'
import type { IncidentTables } from '../incidents/tables.ts'
import { explainIncident } from './explain-incident.ts'
import { getIncident } from './get-incident.ts'
import { investigate, type InvestigateDeps } from './investigate.ts'
import { searchIncidents } from './search-incidents.ts'
import { type RunbookParts, searchRunbooks } from './search-runbooks.ts'
import type { OfferedTool } from './tool.ts'

export interface ToolDeps extends InvestigateDeps, RunbookParts {
  readonly confirmFromRisk: number
}

export function offeredTools(deps: ToolDeps): readonly OfferedTool[] {
  const { db, clock, confirmFromRisk } = deps
  const incidents = db as unknown as Db<IncidentTables>
  return [
    searchIncidents(incidents, () => clock.now()),
    getIncident(incidents, confirmFromRisk),
    explainIncident(incidents, confirmFromRisk),
    investigate(deps),
    searchRunbooks(deps),
  ]
}
