// Where the inquiry's notes and tool outputs are kept. A note is written once a step and round, in one transaction with the
// outputs it speaks of and their entries in the audit log: a step that is run again after a crash finds it and goes on.
import { appendAudit, type AuditEntry } from '../../../audit/log.ts'
import type { Db } from '../../../db/connect.ts'
import { hidePrivate } from '../model/hide.ts'
import type { InvestigationContext, InvestigationDb } from '../context.ts'
import type { InvestigationState } from '../state.ts'
import { row, type Row } from './claim-ref.ts'
import { type Note, note } from './note.ts'
import type { InquiryTables, ToolOutputRow } from './tables.ts'

type At = Pick<InvestigationState, 'incidentId' | 'look'>
type NotebookContext = Pick<InvestigationContext, 'db' | 'clock'>

/** An answer of a tool, whole. */
export interface ToolOutput {
  readonly id: string
  readonly query: Note['calls'][number]['query']
  readonly rows: readonly Row[]
  readonly error: string | null
}

/** Of one output; what is beyond is cut off, and its rows are the weakest. */
const MAX_OUTPUT_CHARACTERS = 1_000_000

export async function findNote(db: Db<InquiryTables>, at: At, step: string, round: number): Promise<Note | undefined> {
  const found = await db
    .selectFrom('inquiry_notes')
    .select('body')
    .where('incident_id', '=', at.incidentId)
    .where('look', '=', at.look)
    .where('step', '=', step)
    .where('round', '=', round)
    .executeTakeFirst()
  return found && note.parse(JSON.parse(found.body))
}

/** Every note of this look, in a fixed order. */
export async function readNotes(db: Db<InquiryTables>, at: At): Promise<readonly Note[]> {
  const rows = await db
    .selectFrom('inquiry_notes')
    .select('body')
    .where('incident_id', '=', at.incidentId)
    .where('look', '=', at.look)
    .orderBy('round')
    .orderBy('step')
    .execute()
  return rows.map(({ body }) => note.parse(JSON.parse(body)))
}

export async function keepNote(
  { db, clock }: NotebookContext,
  at: At,
  tenant: string,
  written: Note,
  outputs: readonly ToolOutput[],
): Promise<void> {
  const now = clock.now()
  const { step, round } = written
  await db.transaction().execute(async (trx: InvestigationDb) => {
    const kept = await trx
      .insertInto('inquiry_notes')
      .values({ incident_id: at.incidentId, look: at.look, step, round, at: now, body: JSON.stringify(written) })
      .onConflict((conflict) => conflict.columns(['incident_id', 'look', 'step', 'round']).doNothing())
      .executeTakeFirst()
    if ((kept.numInsertedOrUpdatedRows ?? 0n) === 0n) return
    for (const output of outputs) {
      const stored: ToolOutputRow = {
        incident_id: at.incidentId,
        look: at.look,
        call_id: output.id,
        at: now,
        query: JSON.stringify(output.query),
        rows: boundedJson(output.rows),
        error: output.error,
      }
      await trx
        .insertInto('tool_outputs')
        .values(stored)
        .onConflict((conflict) => conflict.columns(['incident_id', 'look', 'call_id']).doNothing())
        .execute()
    }
    await appendAudit(
      trx,
      outputs.map((output) => auditOf(output, at, tenant, step, now)),
    )
  })
}

const auditOf = (output: ToolOutput, at: At, tenant: string, step: string, now: number): AuditEntry => ({
  tenant,
  at: now,
  actor: 'agent',
  kind: 'tool.call',
  subject: at.incidentId,
  body: {
    step,
    look: at.look,
    call: output.id,
    query: Object.fromEntries(
      Object.entries(output.query).flatMap(([name, value]) =>
        value === null ? [] : [[name, typeof value === 'string' ? hidePrivate(value) : value]],
      ),
    ),
    rows: output.rows.length,
    error: output.error === null ? null : hidePrivate(output.error),
  },
})

function boundedJson(rows: readonly Row[]): string {
  let length = 2
  const kept: string[] = []
  for (const one of rows) {
    const text = JSON.stringify(one)
    if (length + text.length > MAX_OUTPUT_CHARACTERS) break
    length += text.length + 1
    kept.push(text)
  }
  return `[${kept.join(',')}]`
}

/** The rows of an earlier call, to page through. */
export async function readOutput(db: Db<InquiryTables>, at: At, callId: string): Promise<readonly Row[] | undefined> {
  const found = await db
    .selectFrom('tool_outputs')
    .select('rows')
    .where('incident_id', '=', at.incidentId)
    .where('look', '=', at.look)
    .where('call_id', '=', callId)
    .executeTakeFirst()
  return found && row.array().parse(JSON.parse(found.rows))
}
