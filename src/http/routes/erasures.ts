// One door for whoever has to erase what is kept of a user: their documents with everything that the indexes hold of them, and
// cases of incidents in which a text stands. Doing it again does no harm, and after a failure it has to be done again.
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import { eraseCases } from '../../incidents/memory/erase.ts'
import type { IncidentTables } from '../../incidents/tables.ts'
import { ok, type Route } from '../exchange.ts'

const erasure = z
  .strictObject({
    /** Whose documents: what they were sent with as `owner`. */
    owner: z.string().min(1).max(200).optional(),
    /** A name or an address: cases of incidents in which it stands are emptied. */
    mentions: z.string().min(3).max(500).optional(),
  })
  .refine(({ owner, mentions }) => (owner ?? mentions) !== undefined, 'names neither owner nor mentions')

export interface ErasureRoutesParts {
  readonly db: Db<IncidentTables>
  /** Documents of a user, in every collection of the tenant. How many. */
  readonly eraseOwner: (tenant: string, owner: string) => Promise<number>
  readonly clock: Clock
}

/** `POST /v1/privacy/erasures` */
export function erasureRoutes({ db, eraseOwner, clock }: ErasureRoutesParts): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/privacy/erasures',
      scope: 'admin',
      handle: async (exchange) => {
        const { owner, mentions } = await exchange.json(erasure)
        const { tenant, team, name } = exchange.caller
        if (team !== undefined) {
          throw new AppError(
            'forbidden',
            `What is kept of a user is erased in the whole tenant: the key "${name}", of the team ${team}, may not.`,
          )
        }
        const documents = owner === undefined ? 0 : await eraseOwner(tenant, owner)
        const cases = mentions === undefined ? [] : await eraseCases(db, tenant, { mentions }, clock.now())
        return ok({ documents, cases })
      },
    },
  ]
}
