// Which collections a search may look into: those of the caller's tenant, by the names that were asked, as far as the caller's
// team may read them. Whatever is not there and whatever may not be read look the same from outside.
import type { RetrieveQuery } from '../../llm/retriever.ts'
import type { Collection, KnowledgeStore } from '../store/store.ts'

export const mayRead = (collection: Collection, of: { readonly tenant: string; readonly team?: string }): boolean =>
  collection.tenant === of.tenant &&
  (collection.teams.length === 0 || (of.team !== undefined && collection.teams.includes(of.team)))

export async function findReadable(
  store: KnowledgeStore,
  query: Pick<RetrieveQuery, 'tenant' | 'team' | 'collections'>,
): Promise<readonly Collection[]> {
  const names = [...new Set(query.collections)]
  const found = await Promise.all(names.map((name) => store.findCollection(query.tenant, name)))
  return found.filter((collection) => collection !== null && mayRead(collection, query)) as readonly Collection[]
}
