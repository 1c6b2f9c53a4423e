// `GET /v1/lessons`: what was learnt and what it does; `DELETE /v1/lessons/:id`: takes one back.
import type { z } from 'zod'
import { appendAudit } from '../../audit/log.ts'
import type { AuditTables } from '../../audit/tables.ts'
import type { Clock } from '../../core/clock.ts'
import { mayDo } from '../../core/caller.ts'
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import { unlearn } from '../../incidents/folding/lessons.ts'
import type { Investigator } from '../../incidents/investigation/investigator.ts'
import { forgetRecord } from '../../incidents/lessons/action-lessons.ts'
import { listLessons } from '../../incidents/lessons/lessons.ts'
import type { lessonList } from '../../incidents/lessons/view.ts'
import { eraseCases } from '../../incidents/memory/erase.ts'
import { findIncident } from '../../incidents/read.ts'
import type { IncidentTables } from '../../incidents/tables.ts'
import { ok, type Route } from '../exchange.ts'

export interface LessonRouteDeps {
  readonly db: Db<IncidentTables & AuditTables>
  readonly investigator: Pick<Investigator, 'giveFeedback'>
  readonly clock: Clock
}

export function lessonRoutes({ db, investigator, clock }: LessonRouteDeps): Route[] {
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
        const { lessons } = await listLessons(db, tenant)
        const lesson = lessons.find((one) => one.id === id)
        if (!lesson) throw new AppError('not_found', `There is no lesson ${id}. GET /v1/lessons lists those there are.`)
        if (lesson.takeBack.final && !mayDo(caller, 'admin'))
          throw new AppError('forbidden', `${id} is taken back for good: the key "${by}" needs the scope admin.`)
        switch (lesson.kind) {
          case 'diagnosis': {
            await investigator.giveFeedback({
              incidentId: await idOf(db, tenant, lesson.incident),
              tenant,
              by,
              verdict: 'withdrawn',
            })
            break
          }
          case 'fix': {
            // What the running system showed cannot be unsaid: the whole case goes, and does not come back.
            await eraseCases(db, tenant, { incidentId: await idOf(db, tenant, lesson.incident) }, clock.now())
            break
          }
          case 'folding': {
            await unlearn(db, tenant, lesson.id)
            break
          }
          case 'action': {
            await forgetRecord(db, tenant, lesson.id.slice('action-'.length))
          }
        }
        await db.transaction().execute((trx) =>
          appendAudit(trx, [
            {
              tenant,
              at: clock.now(),
              actor: by,
              kind: 'lesson.taken_back',
              subject: lesson.id,
              body: { says: lesson.says },
            },
          ]),
        )
        return ok({ takenBack: lesson.id })
      },
    },
  ]
}

/** Of the incident with this number. */
async function idOf(db: Db<IncidentTables>, tenant: string, number: number | null): Promise<string> {
  const found = await findIncident(db, tenant, String(number))
  if (!found) throw new AppError('not_found', `There is no incident ${number}.`)
  return found.id
}
