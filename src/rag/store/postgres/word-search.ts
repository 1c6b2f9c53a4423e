// BM25 over PostgreSQL's text search, which has no such rank: the number of passages that hold a lexeme is kept by the writer,
// frequencies are in the tsvector. The rarest words choose the candidates and all words score them; more words choose
// as long as one that has not could still bring in a passage (MaxScore: Turtle and Flood, "Query evaluation", 1995).
import type { PoolClient } from 'pg'
import type { WordCounts } from '../store.ts'
import { lexemeCounts } from './lexeme-counts.ts'
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
 * What BM25 gives for a lexeme but for its idf, from the rank r that PostgreSQL gives it alone. That is the sum of 1/i² up to how often it
 * is in the tsvector, over the sum to infinity, whose rest x is about 1/(n + 1/2): so n is 1/x - 1/2, right to a twentieth and many
 * times as quick as taking the tsvector apart. `k` is what BM25 adds to n.
 */
const weightOf = (rank: string): string => {
  const x = `(1.6449340668 - least(${rank} * 1.6449340668, 1.6449))`
  return `${K1 + 1} * (1 - 0.5 * ${x}) / (1 + (k - 0.5) * ${x})`
}
/** Of one that is there; of one that is not it is next to nothing. */
const LEAST_RANK = 0.5
const MAX_ASKED = 48
/**
 * So many passages are scored for a start, and no more than the second number where anything was found: what is in more of them says
 * next to nothing, and only brings up the rear.
 */
const FIRST_CANDIDATES = 2_000
const MOST_CANDIDATES = 20_000

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
  // The planner takes looking into every passage for as cheap as looking at its row, and would read them all.
  await client.query('set local enable_seqscan = off; set local enable_indexscan = off')
  const average = Math.max(1, asked.statistics.words / Math.max(1, asked.statistics.passages))
  const choosing = countChoosing(lexemes)
  const any = lexemes.slice(0, choosing).map(quoted).join(' | ')
  const hits = [...(await score(client, asked, lexemes, any, average))]
  let looked = lexemes.slice(0, choosing).reduce((sum, { passages }) => sum + passages, 0)
  // Then the passages whose rarest word is the next one, as long as any of them could be among the hits.
  for (let rarest = choosing; rarest < lexemes.length; rarest++) {
    const last = hits.length < asked.limit ? 0 : (hits.at(-1)?.score ?? 0)
    const choice = choiceOf(lexemes, rarest, last, asked.statistics.passages)
    if (choice === undefined || (hits.length > 0 && looked + choice.passages > MOST_CANDIDATES)) break
    looked += choice.passages
    hits.push(...(await score(client, asked, lexemes, choice.query, average)))
    hits.sort((a, b) => b.score - a.score || a.passage - b.passage)
    hits.length = Math.min(hits.length, asked.limit)
  }
  return hits
}

/** How many of the rarest words are enough to find passages by at first. */
function countChoosing(lexemes: readonly Lexeme[]): number {
  let expected = 0
  const enough = lexemes.findIndex(({ passages }, i) => {
    expected += passages
    return i > 0 && expected > FIRST_CANDIDATES
  })
  return enough < 0 ? lexemes.length : enough
}

/**
 * What a passage without any rarer word than this has to hold to reach more than `last`, and about how many hold it; undefined where
 * none can. One word alone may not reach it: then it takes one of those without which the rest would not.
 */
function choiceOf(
  lexemes: readonly Lexeme[],
  rarest: number,
  last: number,
  all: number,
): { readonly query: string; readonly passages: number } | undefined {
  const [own, ...others] = lexemes.slice(rarest)
  if (!own) return undefined
  let rest = others.reduce((sum, one) => sum + mostOf(one), 0)
  if (mostOf(own) + rest <= last) return undefined
  const seen = lexemes
    .slice(0, rarest)
    .map((one) => ` & !${quoted(one)}`)
    .join('')
  if (mostOf(own) > last) return { query: quoted(own) + seen, passages: own.passages }
  const needed: Lexeme[] = []
  let without = 1
  for (const one of others) {
    if (mostOf(own) + rest <= last) break
    needed.push(one)
    rest -= mostOf(one)
    without *= 1 - Math.min(1, one.passages / Math.max(1, all))
  }
  return {
    query: `${quoted(own)} & (${needed.map(quoted).join(' | ')})${seen}`,
    passages: Math.ceil(own.passages * (1 - without)),
  }
}

/** BM25 gives no more for a word, however often it occurs. */
const mostOf = ({ idf }: Lexeme): number => idf * (K1 + 1)

const quoted = ({ lexeme }: Lexeme): string => `'${lexeme.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`

/** In how many passages of the collections, given by their ids, each term is. */
export async function countWords(
  client: PoolClient,
  terms: readonly Term[],
  collections: readonly string[],
): Promise<WordCounts> {
  // A term is one word to the indexer too; accents may make more or none of it, and then it is counted by the rarest.
  const { rows } = await client.query<{ at: number; passages: number }>(
    `with asked as (
       select at, lexeme from unnest($1::text[]) with ordinality a (text, at), unnest(to_tsvector('words', a.text))
     ),
     counted as (
       select lexeme, sum(passages) as passages
       from (${lexemeCounts('array(select n from collections where id = any($2))', 'array(select lexeme from asked)')}) c
       group by lexeme
     )
     select at, min(coalesce(passages, 0))::bigint as passages from asked left join counted using (lexeme) group by at`,
    [terms.map(({ text }) => wordsOf(text).join(' ')), collections],
  )
  const counts = new Map(rows.map(({ at, passages }) => [at, passages]))
  const all = await client.query<{ passages: number }>(
    'select coalesce(sum(passages), 0)::bigint as passages from collections where id = any($1)',
    [collections],
  )
  return {
    passages: all.rows[0]?.passages ?? 0,
    words: terms.map(({ text, part }, i) => ({ text, part, passages: counts.get(i + 1) ?? 0 })),
  }
}

/** The rarest first. */
async function loadLexemes(
  client: PoolClient,
  asked: { readonly terms: readonly Term[]; readonly collections: readonly number[]; readonly statistics: Statistics },
): Promise<readonly Lexeme[]> {
  const { rows } = await client.query<{ lexeme: string; passages: number }>(
    `select lexeme, sum(passages)::bigint as passages
     from (${lexemeCounts('$1::bigint[]', "array(select lexeme from unnest(to_tsvector('words', $2)))")}) c
     group by lexeme having sum(passages) > 0 order by 2, 1 limit ${MAX_ASKED}`,
    [asked.collections, wordsOf(asked.terms.map(({ text }) => text).join(' ')).join(' ')],
  )
  const all = asked.statistics.passages
  return rows.map(({ lexeme, passages }) => ({
    lexeme,
    passages,
    idf: Math.log(1 + (Math.max(0, all - passages) + 0.5) / (passages + 0.5)),
  }))
}

/** The best of the passages that `choice`, a tsquery, chooses, by all words. */
async function score(
  client: PoolClient,
  asked: { readonly collections: readonly number[]; readonly metadata: string | null; readonly limit: number },
  lexemes: readonly Lexeme[],
  choice: string,
  average: number,
): Promise<readonly WordHit[]> {
  const values: unknown[] = [choice, asked.collections, average, asked.limit]
  if (asked.metadata !== null) values.push(asked.metadata)
  const allowed =
    asked.metadata === null
      ? ''
      : 'and p.document in (select n from documents where collection = any($2) and metadata @> $5::jsonb)'
  const from = values.length + 1
  values.push(...lexemes.flatMap((one) => [quoted(one), one.idf]))
  // Written out word by word: a subquery for every passage would take several times as long.
  const ranks = lexemes.map((_, i) => `ts_rank('{1, 1, 1, 1}', lexemes, $${from + 2 * i}::tsquery)::float8 as r${i}`)
  const sum = lexemes.map(
    (_, i) => `case when r${i} < ${LEAST_RANK} then 0 else $${from + 2 * i + 1}::float8 * ${weightOf(`r${i}`)} end`,
  )
  const { rows } = await client.query<WordHit>(
    `with scored as (
       select n, document, ${sum.join(' + ')} as score
       from (
         select n, document, ${K1} * (1 - ${B} + ${B} * words / $3::float8) as k, ${ranks.join(', ')}
         from passages p where p.lexemes @@ $1::tsquery and p.collection = any($2) ${allowed} offset 0
       ) ranked
       order by score desc, n limit $4
     )
     select s.n as passage, d.id as document, s.score from scored s join documents d on d.n = s.document
     order by s.score desc, s.n`,
    values,
  )
  return rows
}
