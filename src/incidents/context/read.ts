// The answers of other systems as an incident shows them: those of its latest look.
import { z } from 'zod'
import type { Db } from '../../db/connect.ts'
import { speaksToMachine } from '../investigation/model/screen.ts'
import type { IncidentTables } from '../tables.ts'
import type { ContextView } from '../view.ts'

const given = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
const MOST_SHOWN = 40

/** `{}` where nobody else was asked. */
export async function readContext(db: Db<IncidentTables>, incidentId: string): Promise<{ context?: ContextView[] }> {
  const rows = await db
    .selectFrom('incident_context')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('look', 'desc')
    .orderBy('source')
    .orderBy('tool')
    .orderBy('arguments')
    .limit(MOST_SHOWN)
    .execute()
  const latest = rows.filter(({ look }) => look === rows[0]?.look)
  if (latest.length === 0) return {}
  return {
    context: latest.map(({ source, tool, arguments: input, at, text, truncated, failure }) => ({
      kind: 'context',
      source,
      tool,
      arguments: given.parse(JSON.parse(input)),
      at,
      text,
      truncated: truncated === 1,
      failure,
      suspicious: speaksToMachine(text),
    })),
  }
}
