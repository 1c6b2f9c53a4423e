// Whether a line that a model leans on is still true: its reference is asked for again at the source, by the same code that
// asks again for the diagnosis' own evidence. Beside that, rows of the ledger and closed incidents.
import { withDeadline } from '../../../core/deadline.ts'
import type { Db } from '../../../db/connect.ts'
import type { IncidentTables } from '../../tables.ts'
import type { InvestigationContext } from '../context.ts'
import { resolveRef, type Witnesses } from '../recheck.ts'
import type { ClaimRef, Row } from './claim-ref.ts'
import type { Hypothesis } from './note.ts'

type ResolveContext = Pick<InvestigationContext, 'db' | 'callRecords' | 'clock'>

const DEADLINE_MS = 5000

export interface ResolvedOpinion {
  /** undefined when none of its claims is left. */
  readonly hypothesis: Hypothesis | undefined
  readonly removed: number
}

export async function resolveHypothesis(
  context: ResolveContext,
  tenant: string,
  hypothesis: Hypothesis,
  witnesses: Witnesses,
  signal: AbortSignal,
): Promise<ResolvedOpinion> {
  const held: Row[] = []
  for (const claim of hypothesis.claims)
    if (claim.ref && (await isStillTrue(context, tenant, claim.ref, witnesses, signal))) held.push(claim)
  const removed = hypothesis.claims.length - held.length
  return { hypothesis: held.length === 0 ? undefined : { ...hypothesis, claims: held }, removed }
}

/** Who cannot be asked confirms nothing. Throws only when `signal` aborts. */
async function isStillTrue(
  { db, callRecords, clock }: ResolveContext,
  tenant: string,
  ref: ClaimRef,
  witnesses: Witnesses,
  signal: AbortSignal,
): Promise<boolean> {
  switch (ref.kind) {
    case 'calls': {
      const { fromMs, toMs, model, provider, calls, failed } = ref
      const now =
        callRecords &&
        (await withDeadline(clock, DEADLINE_MS, signal, (inner) =>
          callRecords.summarise({ tenant, fromMs, toMs: toMs + 1 }, inner),
        ).catch(nothing(signal)))
      const found = now?.find((one) => one.model === model && one.provider === provider)
      // Calls that were under way may have ended since: there are never fewer.
      return found !== undefined && found.calls >= calls && found.failed >= failed
    }
    case 'case': {
      return await isKept(db, tenant, ref.incidentId)
    }
    case 'passage': {
      // A document speaks of no service: no opinion is left that leans on one.
      return false
    }
    case 'series':
    case 'log':
    case 'change':
    case 'topology': {
      return (await resolveRef(ref, witnesses)) !== undefined
    }
  }
}

const nothing = (signal: AbortSignal) => () => {
  signal.throwIfAborted()
  return undefined
}

async function isKept(db: Db<IncidentTables>, tenant: string, incidentId: string): Promise<boolean> {
  const found = await db
    .selectFrom('incident_cases')
    .select('incident_id')
    .where('incident_id', '=', incidentId)
    .where('tenant', '=', tenant)
    .where('erased_at', 'is', null)
    .executeTakeFirst()
  return found !== undefined
}
