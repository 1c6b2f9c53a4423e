// What a PostgreSQL (13 and later) says of itself in its statistics views: the questions, and what is made of the answers. Only
// SELECTs, bounded in rows; texts of queries come without their values.
import { z } from 'zod'
import type { Family, Sample } from '../sampling/sample.ts'
import { maskSql } from './mask-sql.ts'

/** Numbers come as text where they may be larger than a double holds. */
const number = z.coerce.number()
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '')

export const QUESTIONS = {
  limits: {
    sql: `select current_setting('max_connections')::int as max,
            (select count(*) from pg_stat_activity where backend_type = 'client backend') as used,
            pg_is_in_recovery() as standby,
            exists (select 1 from pg_extension where extname = 'pg_stat_statements') as statements`,
    row: z.object({ max: number, used: number, standby: z.boolean(), statements: z.boolean() }),
  },
  backends: {
    sql: `select coalesce(state, 'unknown') as state, coalesce(wait_event_type, 'none') as wait, count(*) as count
          from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()
          group by 1, 2 order by 3 desc limit 50`,
    row: z.object({ state: z.string(), wait: z.string(), count: number }),
  },
  transactions: {
    sql: `select pid, application_name as app, usename as "user", coalesce(state, 'unknown') as state, left(query, 400) as query,
            extract(epoch from clock_timestamp() - xact_start) as seconds
          from pg_stat_activity
          where xact_start is not null and pid <> pg_backend_pid() and backend_type = 'client backend'
          order by xact_start limit 5`,
    row: z.object({ pid: number, app: text, user: text, state: z.string(), query: text, seconds: number }),
  },
  blocked: {
    sql: `select waiting.pid, waiting.application_name as app, left(waiting.query, 400) as query,
            extract(epoch from clock_timestamp() - waiting.state_change) as seconds,
            (select l.relation::regclass::text from pg_locks l
              where l.pid = waiting.pid and l.relation is not null
                and l.database = (select oid from pg_database where datname = current_database())
                and (not l.granted or l.locktype = 'tuple') order by l.granted limit 1) as relation,
            holder.pid as holder_pid, holder.application_name as holder_app, coalesce(holder.state, 'unknown') as holder_state,
            left(holder.query, 400) as holder_query,
            coalesce(extract(epoch from clock_timestamp() - holder.xact_start), 0) as holder_seconds
          from pg_stat_activity waiting
            cross join lateral unnest(pg_blocking_pids(waiting.pid)) as by(pid)
            join pg_stat_activity holder on holder.pid = by.pid
          where waiting.wait_event_type = 'Lock' order by seconds desc limit 50`,
    row: z.object({
      pid: number,
      app: text,
      query: text,
      seconds: number,
      relation: text,
      holder_pid: number,
      holder_app: text,
      holder_state: z.string(),
      holder_query: text,
      holder_seconds: number,
    }),
  },
  database: {
    sql: `select xact_commit as committed, xact_rollback as rolled_back, blks_read as read, blks_hit as hit, deadlocks,
            temp_bytes, conflicts
          from pg_stat_database where datname = current_database()`,
    row: z.object({
      committed: number,
      rolled_back: number,
      read: number,
      hit: number,
      deadlocks: number,
      temp_bytes: number,
      conflicts: number,
    }),
  },
  tables: {
    sql: `select schemaname || '.' || relname as name, n_dead_tup as dead from pg_stat_user_tables
          order by n_dead_tup desc limit 5`,
    row: z.object({ name: z.string(), dead: number }),
  },
  /** Of a primary, by standby. */
  standbys: {
    sql: `select application_name as name, coalesce(extract(epoch from replay_lag), 0) as seconds
          from pg_stat_replication order by 2 desc limit 20`,
    row: z.object({ name: text, seconds: number }),
  },
  /** Of a standby; none to catch up with is none. */
  behind: {
    sql: `select case when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
            else coalesce(extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()), 0) end as seconds`,
    row: z.object({ seconds: number }),
  },
  statements: {
    sql: `select coalesce(sum(calls), 0) as calls, coalesce(sum(total_exec_time), 0) / 1000 as seconds
          from pg_stat_statements where dbid = (select oid from pg_database where datname = current_database())`,
    row: z.object({ calls: number, seconds: number }),
  },
} as const

export type Question = keyof typeof QUESTIONS
export type Rows<Q extends Question> = readonly z.output<(typeof QUESTIONS)[Q]['row']>[]
/** Only what was asked. */
export type Answers = { readonly [Q in Question]?: Rows<Q> }

/** Whose answers are not there, or have no name that people use, has no sample. */
export const FAMILIES: readonly Family[] = [
  { name: 'pg_connections_in_use', type: 'gauge', help: 'Connections of clients.' },
  { name: 'pg_connections_max', type: 'gauge', help: 'As many may be.' },
  { name: 'pg_backends', type: 'gauge', help: 'Connections of clients, by what they do and wait for.' },
  { name: 'pg_lock_waiters', type: 'gauge', help: 'Backends that wait for a lock that another holds.' },
  { name: 'pg_longest_transaction_seconds', type: 'gauge', help: 'Age of the oldest open transaction.' },
  { name: 'pg_transactions_total', type: 'counter', help: 'Transactions, by how they ended.' },
  { name: 'pg_blocks_total', type: 'counter', help: 'Blocks, by whether they had to be read from outside.' },
  { name: 'pg_deadlocks_total', type: 'counter', help: 'Deadlocks.' },
  { name: 'pg_temp_bytes_total', type: 'counter', help: 'Bytes written to temporary files.' },
  { name: 'pg_recovery_conflicts_total', type: 'counter', help: 'Queries cancelled by recovery.' },
  { name: 'pg_table_dead_rows', type: 'gauge', help: 'Dead rows of the tables that have most.' },
  { name: 'pg_replication_lag_seconds', type: 'gauge', help: 'How far a standby is behind.' },
  { name: 'pg_query_duration_seconds', type: 'summary', help: 'Time of statements, of pg_stat_statements.' },
]

export function samplesOf(answers: Answers): Sample[] {
  const samples: Sample[] = []
  const add = (name: string, value: number | undefined, labels: Sample['labels'] = []): void => {
    if (value !== undefined && Number.isFinite(value)) samples.push({ name, labels, value })
  }
  const [limits] = answers.limits ?? []
  add('pg_connections_in_use', limits?.used)
  add('pg_connections_max', limits?.max)
  for (const { state, wait, count } of answers.backends ?? [])
    add('pg_backends', count, [
      ['state', state],
      ['wait', wait],
    ])
  if (answers.blocked) add('pg_lock_waiters', new Set(answers.blocked.map(({ pid }) => pid)).size)
  if (answers.transactions) add('pg_longest_transaction_seconds', answers.transactions[0]?.seconds ?? 0)
  const [database] = answers.database ?? []
  add('pg_transactions_total', database?.committed, [['outcome', 'committed']])
  add('pg_transactions_total', database?.rolled_back, [['outcome', 'rolled_back']])
  add('pg_blocks_total', database?.read, [['name', 'read']])
  add('pg_blocks_total', database?.hit, [['name', 'hit']])
  add('pg_deadlocks_total', database?.deadlocks)
  add('pg_temp_bytes_total', database?.temp_bytes)
  add('pg_recovery_conflicts_total', database?.conflicts)
  for (const { name, dead } of answers.tables ?? []) add('pg_table_dead_rows', dead, [['name', name]])
  for (const { name, seconds } of answers.standbys ?? []) add('pg_replication_lag_seconds', seconds, [['name', name]])
  add('pg_replication_lag_seconds', answers.behind?.[0]?.seconds)
  const [statements] = answers.statements ?? []
  add('pg_query_duration_seconds_count', statements?.calls)
  add('pg_query_duration_seconds_sum', statements?.seconds)
  return samples
}

export interface Remark {
  readonly level: 'warn' | 'error'
  readonly message: string
}

const LONG_WAIT_S = 1
const BAD_WAIT_S = 15
const LONG_TRANSACTION_S = 60
const FULL = 0.9

/** What of it a person would say aloud. */
export function remarksOn(answers: Answers): Remark[] {
  const remarks: Remark[] = []
  const [limits] = answers.limits ?? []
  if (limits && limits.used >= FULL * limits.max)
    remarks.push({ level: 'error', message: `${limits.used} of ${limits.max} connections are in use` })
  for (const one of answers.blocked ?? []) {
    if (one.seconds < LONG_WAIT_S) continue
    const on = one.relation === '' ? '' : ` on ${one.relation}`
    remarks.push({
      level: one.seconds < BAD_WAIT_S ? 'warn' : 'error',
      message:
        `${who(one.pid, one.app)} has waited ${Math.round(one.seconds)} s for a lock${on} that ` +
        `${who(one.holder_pid, one.holder_app)} holds (${one.holder_state}, its transaction is ${Math.round(one.holder_seconds)} s old). ` +
        `It wants: ${maskSql(one.query)}. The holder's: ${maskSql(one.holder_query)}`,
    })
  }
  for (const { pid, app, state, seconds, query } of answers.transactions ?? [])
    if (seconds >= LONG_TRANSACTION_S)
      remarks.push({
        level: 'warn',
        message: `${who(pid, app)} has had a transaction open for ${Math.round(seconds)} s (${state}): ${maskSql(query)}`,
      })
  return remarks
}

const who = (pid: number, app: string): string => `backend ${pid}${app === '' ? '' : ` of ${app.slice(0, 64)}`}`
