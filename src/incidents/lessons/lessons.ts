// Everything that was learnt and changes what is done: what people said of diagnoses, fixes that were verified, what was
// merged and split by hand, and the record of actions. Each with its effect as the ranking (memory/nudge.ts), the folding
// (folding/lessons.ts) and the risk work it out, and the one command that takes it back. Read from where they read it, so
// that the list cannot tell anything else.
import type { Db } from '../../db/connect.ts'
import { listLessons as listFoldingLessons } from '../folding/lessons.ts'
import type { FoldingLessonRow } from '../folding/tables.ts'
import { byChunks } from '../by-chunks.ts'
import { type Case, caseOf } from '../memory/case.ts'
import { loadCases, loadFeedback } from '../memory/find.ts'
import { FIX_SAYS, MOST_CONFIDENCE, MOST_SCORE } from '../memory/nudge.ts'
import { sayCause } from '../memory/say-past.ts'
import { latestWord, sayReally, type Standing, standingOf } from '../memory/standing.ts'
import type { FeedbackRow, IncidentTables } from '../tables.ts'
import { actionLessons } from './action-lessons.ts'
import type { LessonView } from './view.ts'

const MOST_LESSONS = 500

export interface Lessons {
  readonly lessons: readonly LessonView[]
  readonly cutShort: boolean
}

/** Newest first. */
export async function listLessons(db: Db<IncidentTables>, tenant: string): Promise<Lessons> {
  const { lessons, cutShort } = await readLessons(db, tenant, undefined)
  lessons.sort((a, b) => b.at - a.at)
  return { lessons: lessons.slice(0, MOST_LESSONS), cutShort: cutShort || lessons.length > MOST_LESSONS }
}

/** However old it is: what the list has no room for is found too. */
export async function findLesson(db: Db<IncidentTables>, tenant: string, id: string): Promise<LessonView | undefined> {
  const number = /^(?:diagnosis|fix)-(\d{1,15})$/.exec(id)?.[1]
  const { lessons } = await readLessons(db, tenant, number === undefined ? undefined : Number(number))
  return lessons.find((one) => one.id === id)
}

/** In no order. Of diagnoses and fixes the latest alone, or those of the incident `number`. */
async function readLessons(db: Db<IncidentTables>, tenant: string, number: number | undefined) {
  const spoken = await latestFeedback(db, tenant, number)
  const mended = await mendedCases(db, tenant, number)
  const said = spoken.rows.filter(({ row }) => row.verdict !== 'withdrawn')
  const cases = await byChunks(said, (some) =>
    loadCases(
      db,
      some.map(({ row }) => row.incident_id),
    ),
  )
  const kept = new Map(cases.map((one) => [one.incidentId, one]))
  const judged = new Set(said.map(({ row }) => row.incident_id))
  const lessons = [
    ...said.map(({ number, row }) => ofFeedback(number, row, kept.get(row.incident_id))),
    // What people say of an incident counts before what its fix says.
    ...mended.cases.filter(({ incidentId }) => !judged.has(incidentId)).map(ofFix),
    ...(await listFoldingLessons(db, tenant)).map(ofFolding),
    ...(await actionLessons(db, tenant)),
  ]
  return { lessons, cutShort: spoken.cutShort || mended.cutShort }
}

interface Said {
  readonly number: number
  readonly row: FeedbackRow
}

/** The word that counts of each incident, of the latest that were spoken of. */
async function latestFeedback(db: Db<IncidentTables>, tenant: string, number: number | undefined) {
  const spoken = await db
    .selectFrom('feedback')
    .innerJoin('incidents', 'incidents.id', 'feedback.incident_id')
    .select(['feedback.incident_id', 'incidents.number'])
    .select((eb) => eb.fn.max('feedback.at').as('at'))
    .where('incidents.tenant', '=', tenant)
    .$if(number !== undefined, (query) => query.where('incidents.number', '=', number ?? 0))
    .groupBy(['feedback.incident_id', 'incidents.number'])
    .orderBy('at', 'desc')
    .limit(MOST_LESSONS + 1)
    .execute()
  const rows = await byChunks(spoken, async (some) => {
    const words = await loadFeedback(
      db,
      some.map(({ incident_id }) => incident_id),
    )
    return some.flatMap(({ incident_id, number }): Said[] => {
      const row = latestWord(words.get(incident_id) ?? [])
      return row ? [{ number, row }] : []
    })
  })
  return { rows, cutShort: spoken.length > MOST_LESSONS }
}

async function mendedCases(db: Db<IncidentTables>, tenant: string, number: number | undefined) {
  const rows = await db
    .selectFrom('incident_cases')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('outcome', '=', 'fixed')
    .where('erased_at', 'is', null)
    .$if(number !== undefined, (query) => query.where('number', '=', number ?? 0))
    .orderBy('closed_at', 'desc')
    .limit(MOST_LESSONS + 1)
    .execute()
  const cases = rows.map(caseOf).filter(({ detail, cause }) => detail.mended && cause !== null)
  return { cases, cutShort: rows.length > MOST_LESSONS }
}

function ofFeedback(number: number, row: FeedbackRow, known: Case | undefined): LessonView {
  const really = sayReally(row)
  const verdict = row.verdict === 'right' ? 'right' : `wrong${really === '' ? '' : `: it was ${really}`}`
  return {
    id: `diagnosis-${number}`,
    kind: 'diagnosis',
    at: row.at,
    by: row.by,
    incident: number,
    says: `The diagnosis of incident ${number} was ${verdict}.`,
    effect:
      known === undefined
        ? NO_CASE
        : effectOf(known, standingOf({ cause: known.cause, mended: known.detail.mended }, [row])),
    takeBack: { command: `midwatch lessons forget diagnosis-${number}`, scope: 'incidents:approve', final: false },
  }
}

const NO_CASE = 'None: the incident is not kept as a case (it is still open, or its case was erased or is too old).'

function ofFix(one: Case): LessonView {
  const done = one.detail.actions.findLast(({ state }) => state === 'done')
  return {
    id: `fix-${one.number}`,
    kind: 'fix',
    at: one.closedAt,
    by: null,
    incident: one.number,
    says: `“${done?.title ?? 'An action'}” ended incident ${one.number}, and that was verified.`,
    effect: effectOf(one, standingOf({ cause: one.cause, mended: one.detail.mended }, [])),
    takeBack: { command: `midwatch lessons forget fix-${one.number}`, scope: 'admin', final: true },
  }
}

function ofFolding({ id, kind, a, b, reason, by, at }: FoldingLessonRow): LessonView {
  const [one, other] = [sideOf(a), sideOf(b)]
  return {
    id,
    kind: 'folding',
    at,
    by,
    incident: null,
    says: `${one} and ${other} ${kind === 'together' ? 'belong together' : 'do not belong together'}: ${reason}.`,
    effect:
      kind === 'together'
        ? `An alert of ${one} joins an open incident of ${other}, and the other way round.`
        : `An alert of ${one} does not join an incident for being near ${other}, nor the other way round.`,
    takeBack: { command: `midwatch lessons forget ${id}`, scope: 'incidents:approve', final: false },
  }
}

/** `service:checkout` is called checkout; an alert is known by its fingerprint alone. */
const sideOf = (key: string): string =>
  key.startsWith('service:')
    ? key.slice('service:'.length)
    : `the alert ${key.slice('fingerprint:'.length, 'fingerprint:'.length + 12)}…`

const up = `gains up to ${MOST_SCORE} of score and ${MOST_CONFIDENCE} of confidence`
const down = `loses up to ${MOST_SCORE} of score and ${MOST_CONFIDENCE} of confidence`

/** In the words of the ranking: what happens when an incident looks like this one. */
function effectOf({ cause, number }: Case, standing: Standing): string {
  const where = `Where an incident looks like incident ${number},`
  switch (standing.kind) {
    case 'confirmed': {
      const against = standing.diagnosisWrong && cause !== null ? `, and ${sayCause(cause)} ${down}` : ''
      return `${where} ${sayCause(standing.cause)} ${up}${against}.`
    }
    case 'mended': {
      return `${where} ${sayCause(standing.cause)} ${up} (at ${FIX_SAYS} of the weight of a person's word).`
    }
    case 'wrong': {
      return cause === null ? 'None: no cause had been named.' : `${where} ${sayCause(cause)} ${down}.`
    }
    case 'unconfirmed': {
      return 'None: no cause had been named.'
    }
  }
}
