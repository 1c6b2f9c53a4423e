// Which collections a caller may see and change: those of its tenant that name no team, or its own.
import { z } from 'zod'
import type { Caller } from '../../core/caller.ts'
import { AppError } from '../../core/errors.ts'
import { mayRead } from '../../rag/search/access.ts'
import type { Collection, KnowledgeStore } from '../../rag/store/store.ts'

export const collectionName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be letters, digits, ".", "_" or "-", at most 64')

/** A record read by `schema`; of `__proto__`, which it passes over in silence, it would say nothing. */
export const recordOf = <T extends z.ZodType>(schema: T) =>
  z
    .unknown()
    .refine(
      (of) => typeof of !== 'object' || of === null || !Object.hasOwn(of, '__proto__'),
      'must not have the key __proto__',
    )
    .pipe(schema)

export const isVisible = (collection: Collection, caller: Caller): boolean =>
  mayRead(collection, { tenant: caller.tenant, ...(caller.team === undefined ? {} : { team: caller.team }) })

/** Throws `not_found`, the same for what is another's and for what is nowhere. */
export async function getReadable(store: KnowledgeStore, caller: Caller, name: string): Promise<Collection> {
  const found = await store.findCollection(caller.tenant, name)
  if (!found || !isVisible(found, caller)) {
    throw new AppError('not_found', `There is no collection ${name}. GET /v1/rag/collections lists those there are.`, {
      field: 'collection',
    })
  }
  return found
}
