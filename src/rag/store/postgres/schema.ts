// The tables in PostgreSQL, in a schema of their own. Words go through a text search configuration of our own (Snowball's
// English stems, no stop words: BM25 knows what is common); what it needs to know of a collection is kept beside it.
import type { ClientBase, Pool } from 'pg'
import { AppError } from '../../../core/errors.ts'

export const SCHEMA = 'midwatch_knowledge'

/** Only ever added to: what was applied is never changed. */
const STEPS: readonly (readonly string[])[] = [
  [
    `create table collections (
      n bigint generated always as identity primary key,
      id text not null unique,
      tenant text not null,
      name text not null,
      teams jsonb not null,
      model text,
      dimension integer,
      created_at bigint not null,
      passages bigint not null default 0,
      words bigint not null default 0,
      unique (tenant, name)
    )`,
    `create table documents (
      n bigint generated always as identity primary key,
      collection bigint not null references collections,
      id text collate "C" not null,
      title text not null,
      source text,
      content_hash text not null,
      metadata jsonb not null,
      owner text,
      origin text,
      ingested_at bigint not null,
      passages integer not null,
      text text not null,
      unique (collection, id)
    )`,
    `create index documents_by_metadata on documents using gin (metadata jsonb_path_ops)`,
    `create index documents_by_owner on documents (owner) where owner is not null`,
    `create table passages (
      n bigint generated always as identity primary key,
      document bigint not null references documents,
      collection bigint not null,
      ordinal integer not null,
      headings jsonb not null,
      start_at integer not null,
      end_at integer not null,
      page integer,
      text text not null,
      words integer not null,
      lexemes tsvector not null
    )`,
    `create index passages_by_document on passages (document)`,
    `create index passages_by_collection on passages (collection, n)`,
    `create index passages_by_lexeme on passages using gin (lexemes)`,
    // In how many passages of its collection a lexeme is.
    `create table lexemes (
      collection bigint not null,
      lexeme text not null,
      passages bigint not null,
      primary key (collection, lexeme)
    )`,
    // The vectors of each are in a table of their own, for each has a dimension of its own: vectors_N.
    `create table vector_indexes (
      n bigint generated always as identity primary key,
      collection bigint not null,
      model text not null,
      dimension integer not null,
      unique (collection, model)
    )`,
    // Also passages in which there was nothing to embed.
    `create table embedded (
      passage bigint not null,
      vector_index bigint not null,
      primary key (passage, vector_index)
    )`,
    `create text search dictionary stem (template = snowball, language = english)`,
    `create text search configuration words (copy = simple)`,
    `alter text search configuration words alter mapping for
      asciiword, word, numword, asciihword, hword, numhword, hword_asciipart, hword_part, hword_numpart with stem`,
  ],
  [
    // The graph of an index has the passages up to this number (graph.ts). Those that had all are built anew.
    'alter table vector_indexes add column settled bigint not null default 0',
    // Each document counts up a thousand of them: with room on the page no index has to be told.
    'alter table lexemes set (fillfactor = 60)',
    `do $$ declare i record; begin
      for i in select n from vector_indexes loop execute format('drop index if exists vectors_%s_v_idx', i.n); end loop;
    end $$`,
  ],
  [
    // What is not yet in the table lexemes: a row a document (lexeme-counts.ts).
    `create table lexeme_changes (
      collection bigint not null,
      lexemes text[] not null,
      passages bigint[] not null
    )`,
    `create index lexeme_changes_by_collection on lexeme_changes (collection)`,
    // The words of a passage stand beside it, not packed in another table: unpacking was most of a search.
    'alter table passages set (toast_tuple_target = 8160)',
    // Words of documents that are gone.
    `delete from lexemes where passages <= 0`,
  ],
]

/** Any number that nobody else takes: who holds it is the only one that changes the schema. */
const LOCK = 7_466_135_204

/** Throws AppError: `unavailable` without pgvector, `internal` where a newer Midwatch has been. */
export async function prepareSchema(pool: Pool): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock($1)', [LOCK])
    await requireVectors(client)
    await client.query(`create schema if not exists ${SCHEMA}`)
    await client.query('create table if not exists steps (n integer primary key)')
    const { rows } = await client.query<{ applied: number }>('select count(*)::int as applied from steps')
    const applied = rows[0]?.applied ?? 0
    if (applied > STEPS.length)
      throw new AppError('internal', 'The knowledge base was written by a newer Midwatch. Start that version.')
    for (const [at, statements] of STEPS.entries()) {
      if (at < applied) continue
      for (const statement of statements) await client.query(statement)
      await client.query('insert into steps (n) values ($1)', [at])
    }
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

async function requireVectors(client: ClientBase): Promise<void> {
  const query = `select
    (select extversion from pg_extension where extname = 'vector') as installed,
    (select default_version from pg_available_extensions where name = 'vector') as available`
  const { rows } = await client.query<{ installed: string | null; available: string | null }>(query)
  const version = rows[0]?.installed ?? rows[0]?.available
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number)
  if (major === 0 && minor < 8)
    throw new AppError(
      'unavailable',
      `The knowledge base needs pgvector 0.8 in PostgreSQL (there is ${version ?? 'none'}). Install it, or leave out the database to use SQLite.`,
    )
  if (!rows[0]?.installed) await client.query('create extension vector with schema public')
}
