// The collections of a tenant: listed, made and dropped.
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { Collection, KnowledgeStore } from '../../rag/store/store.ts'
import { ok, type Route } from '../exchange.ts'
import { collectionName, getReadable, isVisible } from './rag-access.ts'

const newCollection = z.strictObject({
  name: collectionName,
  /** Who may read it; empty is the whole tenant. */
  teams: z.array(collectionName).max(50).default([]),
})

export interface CollectionRoutesParts {
  readonly open: () => Promise<{ readonly store: KnowledgeStore }>
  /** What the config keeps up to date would come again. */
  readonly isOfConfig: (tenant: string, name: string) => boolean
  readonly clock: Clock
}

/** `GET` and `POST /v1/rag/collections`, `GET` and `DELETE /v1/rag/collections/:name`. */
export function ragCollectionRoutes({ open, isOfConfig, clock }: CollectionRoutesParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/rag/collections',
      scope: 'rag:read',
      handle: async ({ caller }) => {
        const { store } = await open()
        const all = await store.listCollections(caller.tenant)
        return ok({ collections: all.filter((one) => isVisible(one, caller)).map(view) })
      },
    },
    {
      method: 'POST',
      path: '/v1/rag/collections',
      scope: 'rag:write',
      handle: async (exchange) => {
        const { name, teams } = await exchange.json(newCollection)
        const { caller } = exchange
        if (caller.team !== undefined && teams.length > 0 && !teams.includes(caller.team)) {
          throw new AppError('malformed', `Your key is of the team ${caller.team}, which could not read it. Add it.`, {
            field: 'teams',
          })
        }
        const { store } = await open()
        const made = await store.createCollection({ tenant: caller.tenant, name, teams }, clock.now())
        // Also of one that the caller may not see, of which no more is said than that.
        if (!made) throw new AppError('conflict', `The name ${name} is taken. Choose another.`, { field: 'name' })
        return { status: 201, json: view(made) }
      },
    },
    {
      method: 'GET',
      path: '/v1/rag/collections/:name',
      scope: 'rag:read',
      handle: async ({ caller, params }) => {
        const { store } = await open()
        return ok(view(await getReadable(store, caller, params['name'] ?? '')))
      },
    },
    {
      method: 'DELETE',
      path: '/v1/rag/collections/:name',
      scope: 'rag:write',
      handle: async ({ caller, params }) => {
        const name = params['name'] ?? ''
        const { store } = await open()
        const collection = await getReadable(store, caller, name)
        if (isOfConfig(caller.tenant, name)) {
          throw new AppError('conflict', `The config keeps ${name} up to date. Take it out of rag.collections first.`)
        }
        return ok({ name, deleted: await store.dropCollection(collection.id) })
      },
    },
  ]
}

const view = ({ name, teams, embedding, createdAt, documents, passages }: Collection) => ({
  name,
  teams,
  embedding,
  documents,
  passages,
  created_at: new Date(createdAt).toISOString(),
})
