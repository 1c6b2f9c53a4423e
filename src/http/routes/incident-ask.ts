// `POST /v1/incidents/:id/ask`: a question about an incident, answered out of its evidence with references.
import { z } from 'zod'
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import { reportOf } from '../../incidents/investigation/incident.ts'
import { type ClaimsAnswer, nearestClaims } from '../../incidents/investigation/nearest-claims.ts'
import { findIncident } from '../../incidents/read.ts'
import type { IncidentTables } from '../../incidents/tables.ts'
import { ok, type Route } from '../exchange.ts'

const body = z.strictObject({ question: z.string().min(1).max(2000) })

export const incidentAskRoutes = ({ db }: { readonly db: Db<IncidentTables> }): Route[] => [
  {
    method: 'POST',
    path: '/v1/incidents/:id/ask',
    scope: 'incidents:read',
    handle: async (exchange) => {
      const id = exchange.params['id'] ?? ''
      const { question } = await exchange.json(body)
      const incident = await findIncident(db, exchange.caller.tenant, id)
      if (!incident) throw new AppError('not_found', `There is no incident ${id}.`)
      const report = reportOf(incident)
      if (!report) throw new AppError('conflict', 'It is still being looked into. Ask again when there is a diagnosis.')
      return ok(nearestClaims(report, question) satisfies ClaimsAnswer)
    },
  },
]
