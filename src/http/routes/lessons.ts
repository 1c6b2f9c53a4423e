// `GET /v1/lessons`: what was learnt and what it does; `DELETE /v1/lessons/:id`: takes one back.
import type { z } from 'zod'
import { appendAudit } from '../../audit/log.ts'
import type { AuditTables } from '../../audit/tables.ts'
import type { Clock } from '../../core/clock.ts'
import { mayDo } from '../../core/caller.ts'
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import type { IncidentFeed } from '../../incidents/feed.ts'
import { unlearn } from '../../incidents/folding/lessons.ts'
import { writeFeedback } from '../../incidents/investigation/feedback.ts'
import { forgetRecord } from '../../incidents/lessons/action-lessons.ts'
import { findLesson, listLessons } from '../../incidents/lessons/lessons.ts'
import type { lessonList, LessonView } from '../../incidents/lessons/view.ts'
import { eraseThese } from '../../incidents/memory/erase.ts'
import { findIncident } from '../../incidents/read.ts'
import type { IncidentTables } from '../../incidents/tables.ts'
import { ok, type Route } from '../exchange.ts'

type Tables = IncidentTables & AuditTables

export interface LessonRouteDeps {
  readonly db: Db<Tables>
  readonly feed: IncidentFeed
  readonly clock: Clock
}

export function lessonRoutes({ db, feed, clock }: LessonRouteDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/lessons',
      scope: 'incidents:read',
      handle: async ({ caller }) => {
        const { lessons, cutShort } = await listLessons(db, caller.tenant)
        return ok({ lessons: [...lessons], cutShort } satisfies z.infer<typeof lessonList>)
      },
    },
    {
      method: 'DELETE',
      path: '/v1/lessons/:id',
      scope: 'incidents:approve',
      handle: async ({ caller, params }) => {
        const id = params['id'] ?? ''
        const { tenant, name: by } = caller
        const lesson = await findLesson(db, tenant, id)
        if (!lesson) throw notFound(id)
        if (lesson.takeBack.final && !mayDo(caller, 'admin'))
          throw new AppError('forbidden', `${id} is taken back for good: the key "${by}" needs the scope admin.`)
        const at = clock.now()
        const changed = await db.transaction().execute(async (trx: Db<Tables>) => {
          const incidentId = await takeBack(trx, lesson, { tenant, by, at })
          const body = { says: lesson.says }
          await appendAudit(trx, [{ tenant, at, actor: by, kind: 'lesson.taken_back', subject: id, body }])
          return incidentId
        })
        if (changed !== undefined) feed.publish(changed)
        return ok({ takenBack: id })
      },
    },
  ]
}

interface TakingBack {
  readonly tenant: string
  readonly by: string
  readonly at: number
}

/** Returns the incident whose timeline tells it. Throws `not_found` for what somebody else took back a moment ago. */
async function takeBack(
  trx: Db<Tables>,
  { id, kind, incident }: LessonView,
  { tenant, by, at }: TakingBack,
): Promise<string | undefined> {
  switch (kind) {
    case 'diagnosis': {
      const incidentId = await idOf(trx, tenant, incident)
      await writeFeedback(trx, { incidentId, tenant, by, verdict: 'withdrawn' }, at)
      return incidentId
    }
    case 'fix': {
      // What the running system showed cannot be unsaid: the whole case goes, and does not come back.
      const erased = await eraseThese(trx, tenant, [await idOf(trx, tenant, incident)], at)
      if (erased.length === 0) throw notFound(id)
      return undefined
    }
    case 'folding': {
      if (!(await unlearn(trx, tenant, id))) throw notFound(id)
      return undefined
    }
    case 'action': {
      if ((await forgetRecord(trx, tenant, id.slice('action-'.length))) === 0) throw notFound(id)
      return undefined
    }
  }
}

const notFound = (id: string): AppError =>
  new AppError('not_found', `There is no lesson ${id}. GET /v1/lessons lists those there are.`)

/** Of the incident with this number. */
async function idOf(db: Db<IncidentTables>, tenant: string, number: number | null): Promise<string> {
  const found = await findIncident(db, tenant, String(number))
  if (!found) throw new AppError('not_found', `There is no incident ${number}.`)
  return found.id
}
