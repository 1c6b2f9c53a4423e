// Who is on call in every schedule at a time, who follows, and when nobody is: what `/v1/oncall` and `midwatch oncall` answer.
import { z } from 'zod'
import type { TeamConfig } from '../../config/routing-schema.ts'
import type { Db } from '../../db/connect.ts'
import type { IncidentTables } from '../tables.ts'
import { gapsIn, stretchesOf } from './coverage.ts'
import { overridesAmong, overridesFrom, overrideView, viewOf } from './overrides.ts'

const stretch = z.object({ person: z.string().nullable(), rule: z.string(), from: z.number(), to: z.number() })

/** `GET /v1/oncall?at=&days=` */
export const oncallView = z.object({
  at: z.number(),
  /** How far ahead it was looked. */
  until: z.number(),
  schedules: z.array(
    z.object({
      team: z.string(),
      schedule: z.string(),
      timeZone: z.string(),
      /** null: nobody. */
      person: z.string().nullable(),
      /** What they are called. */
      name: z.string().nullable(),
      rule: z.string(),
      next: stretch.nullable(),
      gaps: z.array(z.object({ from: z.number(), to: z.number() })),
      stretches: z.array(stretch),
    }),
  ),
  overrides: z.array(overrideView),
})
export type OncallView = z.infer<typeof oncallView>

const MOST_STRETCHES = 500

export async function readOncall(
  db: Db<IncidentTables>,
  tenant: string,
  teams: Readonly<Record<string, TeamConfig>>,
  atMs: number,
  days: number,
): Promise<OncallView> {
  const rows = await overridesFrom(db, tenant, atMs)
  const overrides = overridesAmong(rows)
  const until = atMs + days * 86_400_000
  const schedules = Object.entries(teams).flatMap(([team, { people, schedules: all }]) =>
    Object.entries(all).map(([schedule, plan]): OncallView['schedules'][number] => {
      const stretches = stretchesOf(plan, overrides(team, schedule), atMs, until)
      const told = stretches.map(({ person, rule, fromMs, toMs }) => ({ person, rule, from: fromMs, to: toMs }))
      const person = stretches[0]?.person ?? null
      const named = person !== null && Object.hasOwn(people, person) ? people[person]?.name : undefined
      return {
        team,
        schedule,
        timeZone: plan.timeZone,
        person,
        name: person === null ? null : (named ?? person),
        rule: stretches[0]?.rule ?? '',
        next: told[1] ?? null,
        gaps: gapsIn(stretches).map(({ fromMs, toMs }) => ({ from: fromMs, to: toMs })),
        stretches: told.slice(0, MOST_STRETCHES),
      }
    }),
  )
  return { at: atMs, until, schedules, overrides: rows.map(viewOf) }
}
