// In how many passages of its collection a lexeme is. A document changes a thousand of these counts, and to change them one by one
// took half of a put: so each document leaves one row of what it adds, readers count what waits too, and when there is much
// of it all is added at once. What is removed is taken out at once, so that of an erased document no word stays.
import type { ClientBase } from 'pg'

/** So many changes wait at most; a search reads all that wait. */
const MOST_WAITING = 24_000

/** The caller holds the collection. */
export async function addLexemes(client: ClientBase, collection: number, document: number): Promise<void> {
  const { rows } = await client.query<{ waiting: number }>(
    `with added as (
       insert into lexeme_changes (collection, lexemes, passages)
       select $1, array_agg(lexeme), array_agg(passages) from (${OF_DOCUMENT}) d having count(*) > 0
       returning cardinality(lexemes) as size
     )
     select coalesce(sum(size), 0)::bigint as waiting from (
       select size from added union all select cardinality(lexemes) from lexeme_changes where collection = $1
     ) all_of_them`,
    [collection, document],
  )
  if ((rows[0]?.waiting ?? 0) > MOST_WAITING) await foldLexemes(client, collection)
}

/** Before its passages are gone. The caller holds the collection. */
export async function removeLexemes(client: ClientBase, collection: number, document: number): Promise<void> {
  await client.query(
    `insert into lexeme_changes (collection, lexemes, passages)
     select $1, array_agg(lexeme), array_agg(-passages) from (${OF_DOCUMENT}) d having count(*) > 0`,
    [collection, document],
  )
  await foldLexemes(client, collection)
}

const OF_DOCUMENT = `select lexeme, count(*) as passages from passages p, unnest(p.lexemes) where p.document = $2 group by lexeme`

/** Adds what waits to the counts. The caller holds the collection. */
export async function foldLexemes(client: ClientBase, collection: number): Promise<void> {
  await client.query(
    `with waiting as (delete from lexeme_changes where collection = $1 returning lexemes, passages),
     changes as (
       select lexeme, sum(c.passages)::bigint as passages
       from waiting w, unnest(w.lexemes, w.passages) c (lexeme, passages) group by lexeme
     ),
     gone as (
       delete from lexemes l using changes c
       where c.passages < 0 and l.collection = $1 and l.lexeme = c.lexeme and l.passages + c.passages <= 0
       returning l.lexeme
     )
     insert into lexemes as l (collection, lexeme, passages)
     select $1, lexeme, passages from changes
     where passages <> 0 and lexeme not in (select lexeme from gone) order by lexeme
     on conflict (collection, lexeme) do update set passages = l.passages + excluded.passages`,
    [collection],
  )
}

/** SQL of rows `(lexeme, passages)`, several for a lexeme, of the collections and lexemes that two expressions of arrays give. */
export const lexemeCounts = (collections: string, lexemes: string): string =>
  `select lexeme, passages from lexemes where collection = any(${collections}) and lexeme = any(${lexemes})
   union all
   select c.lexeme, c.passages from lexeme_changes w, unnest(w.lexemes, w.passages) c (lexeme, passages)
   where w.collection = any(${collections}) and c.lexeme = any(${lexemes})`
