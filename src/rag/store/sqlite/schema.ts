// The tables of `knowledge.db`. Inside they go by numbers; ids of the outside stand where they enter. Each collection has a
// word index of its own (`words_N`), so that what is common in one says nothing about another, least of all another tenant's.
import { sql } from 'kysely'
import type { Migration } from '../../../db/migrate.ts'

const STATEMENTS = [
  `create table collections (
    n integer primary key autoincrement,
    id text not null unique,
    tenant text not null,
    name text not null,
    teams text not null,
    model text,
    dimension integer,
    created_at integer not null,
    unique (tenant, name)
  )`,
  `create table documents (
    n integer primary key autoincrement,
    collection integer not null,
    id text not null,
    title text not null,
    source text,
    content_hash text not null,
    metadata text not null,
    owner text,
    origin text,
    ingested_at integer not null,
    passages integer not null,
    unique (collection, id)
  )`,
  `create index documents_by_owner on documents (owner, collection) where owner is not null`,
  // Apart, so that going through documents does not read their texts.
  `create table document_texts (document integer primary key, text text not null)`,
  `create table document_metadata (
    collection integer not null,
    key text not null,
    value text not null,
    document integer not null,
    primary key (collection, key, value, document)
  ) without rowid`,
  `create index document_metadata_by_document on document_metadata (document)`,
  // A number is never given twice: what was found a moment ago is gone or the same, never another.
  `create table passages (
    n integer primary key autoincrement,
    document integer not null,
    collection integer not null,
    ordinal integer not null,
    headings text not null,
    start_at integer not null,
    end_at integer not null,
    page integer,
    text text not null
  )`,
  `create index passages_by_document on passages (document)`,
  `create index passages_by_collection on passages (collection)`,
  `create table vector_indexes (
    n integer primary key autoincrement,
    collection integer not null,
    model text not null,
    dimension integer not null,
    unique (collection, model)
  )`,
  // The signs of all vectors of a passage, for the first look. In the order of writing, so that whoever keeps them in memory
  // reads on from where it stopped. A row without any says that there was nothing to embed.
  `create table codes (
    n integer primary key autoincrement,
    vector_index integer not null,
    passage integer not null,
    document integer not null,
    codes blob not null
  )`,
  `create index codes_by_index on codes (vector_index)`,
  `create unique index codes_by_passage on codes (passage, vector_index)`,
  // The vectors themselves, apart, for they are many times as large.
  `create table vectors (code integer primary key, bytes blob not null)`,
  `create table codes_gone (n integer primary key autoincrement, code integer not null)`,
  `create trigger codes_deleted after delete on codes begin
    delete from vectors where code = old.n;
    insert into codes_gone (code) values (old.n);
  end`,
]

export const knowledgeMigrations: readonly Migration[] = [
  {
    name: '2026-11-26-knowledge',
    up: async (db) => {
      for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
    },
  },
]
