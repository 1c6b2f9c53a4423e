// `explain_incident`: the report as prose, each claim with its reference below it: what people read on the page.
import { z } from 'zod'
import type { Db } from '../db/connect.ts'
import type { IncidentTables } from '../incidents/tables.ts'
import { writePostmortem } from '../incidents/reports/postmortem.ts'
import { mustRead, whichIncident } from './get-incident.ts'
import { offer, type OfferedTool } from './tool.ts'

const MAX_TEXT = 40_000

export const explainIncident = (db: Db<IncidentTables>, confirmFromRisk: number): OfferedTool =>
  offer({
    name: 'explain_incident',
    title: 'Explain an incident',
    description:
      'The report of an incident as Markdown: what is wrong, why, every claim with the reference at which it can be checked, what was done and verified, what is open. "Unknown" where nothing is known.',
    scopes: ['incidents:read'],
    input: z.strictObject({ incident: whichIncident }),
    readOnly: true,
    call: async ({ input: { incident }, caller, quoting }) =>
      quoting.text(writePostmortem(await mustRead(db, incident, caller.tenant, confirmFromRisk)), MAX_TEXT),
  })
