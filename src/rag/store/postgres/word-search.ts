// BM25 over PostgreSQL's text search, which has no such rank: the number of passages that hold a lexeme is kept by the writer,
// frequencies are in the tsvector. The rarest words choose the candidates and all words score them; more words choose
// as long as one that has not could still bring in a passage (MaxScore: Turtle and Flood, "Query evaluation", 1995).
import type { PoolClient } from 'pg'
import type { WordCounts } from '../store.ts'
import { identifierParts, type Term, wordsOf } from '../words.ts'

/** A tsvector ends at a megabyte. */
const MAX_CHARACTERS = 200_000

/**
 * The words of a passage as one text, for a tsvector: those of its title three times, those of its headings twice, so that a lexeme
 * is in it as often as it counts; then the parts of its identifiers. Plain words, for PostgreSQL's parser would keep paths and hosts
 * in one piece.
 */
export function wordsToIndex(of: { title: string; headings: readonly string[]; text: string }): {
  readonly words: string
  readonly count: number
} {
  const under = of.headings.join('\n')
  const [title = [], headings = [], text = [], parts = []] = [
    of.title,
    under,
    of.text,
    identifierParts(`${of.title}\n${under}\n${of.text}`),
  ].map((each) => wordsOf(each.slice(0, MAX_CHARACTERS)))
  return {
    words: [title, title, title, headings, headings, text, parts].map((words) => words.join(' ')).join(' '),
    count: title.length + headings.length + text.length + parts.length,
  }
}

const K1 = 1.2
const B = 0.75
/**
 * How often a lexeme is in a tsvector, from the rank that PostgreSQL gives it alone: that is the sum of 1/i² up to this number, over the
 * sum to infinity, whose rest is about 1/(n + 1/2). Many times as quick as taking the tsvector apart, and right to a twentieth.
 */
const FREQUENCY = `1 / (1.6449340668 - least(r * 1.6449340668, 1.6449)) - 0.5`
/** Of one that is there; of one that is not it is next to nothing. */
const LEAST_RANK = 0.5
const MAX_ASKED = 48
/** So many passages are scored for a start, and never many more than the second number. */
const FIRST_CANDIDATES = 2_000
const MOST_CANDIDATES = 30_000

export interface Statistics {
  readonly passages: number
  readonly words: number
}

interface Lexeme {
  readonly lexeme: string
  readonly passages: number
  readonly idf: number
}

export interface WordHit {
  readonly passage: number
  readonly document: string
  readonly score: number
}

/** Asks only about passages of `collections`, whose statistics are given; `documents` is null for all of theirs. */
export async function searchWords(
  client: PoolClient,
  asked: {
    readonly terms: readonly Term[]
    readonly collections: readonly number[]
    readonly statistics: Statistics
    readonly metadata: string | null
    readonly limit: number
  },
): Promise<readonly WordHit[]> {
  const lexemes = await loadLexemes(client, asked)
  if (lexemes.length === 0) return []
  const average = Math.max(1, asked.statistics.words / Math.max(1, asked.statistics.passages))
  for (let choosing = 1, expected = lexemes[0]?.passages ?? 0; ; choosing++) {
    const next = lexemes[choosing]
    if (next && expected + next.passages <= FIRST_CANDIDATES) {
      expected += next.passages
      continue
    }
    const hits = await score(client, asked, lexemes, choosing, average)
    if (!next) return hits
    // What only the other words are in cannot reach more than this.
    const bound = lexemes.slice(choosing).reduce((sum, { idf }) => sum + idf * (K1 + 1), 0)
    const last = hits.length < asked.limit ? 0 : (hits.at(-1)?.score ?? 0)
    expected += next.passages
    if (last >= bound || (hits.length >= asked.limit && expected > MOST_CANDIDATES)) return hits
  }
}

/** In how many passages of the collections, given by their ids, each term is. */
export async function countWords(
  client: PoolClient,
  terms: readonly Term[],
  collections: readonly string[],
): Promise<WordCounts> {
  // A term is one word to the indexer too; accents may make more or none of it, and then it is counted by the rarest.
  const { rows } = await client.query<{ passages: number }>(
    `select (
       select coalesce(min(coalesce(f.passages, 0)), 0) from unnest(to_tsvector('words', asked.text)) l
       left join lateral (
         select sum(x.passages)::bigint as passages from lexemes x
         where x.lexeme = l.lexeme and x.collection in (select n from collections where id = any($2))
       ) f on true
     ) as passages
     from unnest($1::text[]) with ordinality asked (text, at) order by asked.at`,
    [terms.map(({ text }) => wordsOf(text).join(' ')), collections],
  )
  const all = await client.query<{ passages: number }>(
    'select coalesce(sum(passages), 0)::bigint as passages from collections where id = any($1)',
    [collections],
  )
  return {
    passages: all.rows[0]?.passages ?? 0,
    words: terms.map(({ text, part }, i) => ({ text, part, passages: rows[i]?.passages ?? 0 })),
  }
}

/** The rarest first. */
async function loadLexemes(
  client: PoolClient,
  asked: { readonly terms: readonly Term[]; readonly collections: readonly number[]; readonly statistics: Statistics },
): Promise<readonly Lexeme[]> {
  const { rows } = await client.query<{ lexeme: string; passages: number }>(
    `select lexeme, sum(passages)::bigint as passages from lexemes
     where collection = any($1) and passages > 0
       and lexeme in (select lexeme from unnest(to_tsvector('words', $2)))
     group by lexeme order by 2, 1 limit ${MAX_ASKED}`,
    [asked.collections, wordsOf(asked.terms.map(({ text }) => text).join(' ')).join(' ')],
  )
  const all = asked.statistics.passages
  return rows.map(({ lexeme, passages }) => ({
    lexeme,
    passages,
    idf: Math.log(1 + (Math.max(0, all - passages) + 0.5) / (passages + 0.5)),
  }))
}

async function score(
  client: PoolClient,
  asked: { readonly collections: readonly number[]; readonly metadata: string | null; readonly limit: number },
  lexemes: readonly Lexeme[],
  choosing: number,
  average: number,
): Promise<readonly WordHit[]> {
  const queries = lexemes.map(({ lexeme }) => `'${lexeme.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`)
  const choice = queries.slice(0, choosing).join(' | ')
  const { rows } = await client.query<WordHit>(
    `with asked as (select * from unnest($3::tsquery[], $4::float8[]) as a (query, idf)),
     candidates as materialized (
       -- Unpacked once, not for every word.
       select p.n, p.document, p.words, p.lexemes || ''::tsvector as lexemes from passages p
       where p.lexemes @@ $1::tsquery and p.collection = any($2)
         and ($5::jsonb is null or p.document in (
           select n from documents where collection = any($2) and metadata @> $5::jsonb))
     ),
     scored as (
       select c.n, c.document, (
         select sum(idf * tf * ${K1 + 1} / (tf + ${K1} * (1 - ${B} + ${B} * c.words / $6::float8)))
         from (select idf, ${FREQUENCY} as tf from (
           select idf, ts_rank('{1, 1, 1, 1}', c.lexemes, query)::float8 as r from asked) ranked
         where r > ${LEAST_RANK}) found
       ) as score
       from candidates c
       order by score desc, n limit $7
     )
     select s.n as passage, d.id as document, s.score from scored s join documents d on d.n = s.document
     order by s.score desc, s.n`,
    [choice, asked.collections, queries, lexemes.map(({ idf }) => idf), asked.metadata, average, asked.limit],
  )
  return rows
}
