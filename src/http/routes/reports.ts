// `GET /v1/reports/weekly`: the report over the last seven days, or over `since` (`36h`, `30d`) until `until`.
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import { weeklyMarkdown } from '../../incidents/reports/render-weekly.ts'
import { makeWeeklyReport, type ModelCost } from '../../incidents/reports/weekly.ts'
import type { WeeklyReport } from '../../incidents/reports/weekly-view.ts'
import type { IncidentTables } from '../../incidents/tables.ts'
import { ok, type Route } from '../exchange.ts'

export interface ReportRouteDeps {
  readonly db: Db<IncidentTables>
  readonly clock: Clock
  readonly modelCost: ModelCost
}

const HOUR_MS = 3_600_000
const MOST_DAYS = 92

const question = z.strictObject({
  since: z
    .string()
    .regex(/^\d{1,4}[hd]$/, 'must be hours or days, such as 36h or 7d')
    .default('7d')
    .transform((text) => Number(text.slice(0, -1)) * (text.endsWith('d') ? 24 * HOUR_MS : HOUR_MS)),
  /** When it ends; now where it is left out. */
  until: z.iso
    .datetime({ offset: true, error: 'must be a time such as 2026-11-23T00:00:00Z' })
    .transform(Date.parse)
    .optional(),
  format: z.enum(['json', 'markdown']).default('json'),
})

export function reportRoutes({ db, clock, modelCost }: ReportRouteDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/reports/weekly',
      scope: 'incidents:read',
      handle: async (exchange) => {
        const { since, until, format } = exchange.query(question)
        if (since <= 0 || since > MOST_DAYS * 24 * HOUR_MS)
          throw new AppError('malformed', `A report covers an hour to ${MOST_DAYS} days.`, { field: 'since' })
        const toMs = until ?? clock.now()
        const stretch = { tenant: exchange.caller.tenant, fromMs: toMs - since, toMs }
        const report = await makeWeeklyReport(db, stretch, modelCost)
        return format === 'json'
          ? ok(report satisfies WeeklyReport)
          : { status: 200, headers: { 'content-type': 'text/markdown; charset=utf-8' }, body: weeklyMarkdown(report) }
      },
    },
  ]
}
