// Our connections to PostgreSQL: transactions, deadlines, and what its failures mean.
import { Pool, type PoolClient, types } from 'pg'
import { AppError } from '../../../core/errors.ts'
import type { Log } from '../../../observe/log.ts'
import { SCHEMA } from './schema.ts'

const CONNECTIONS = 8
const CONNECT_MS = 5_000
/** Of one statement: in the database, and for the answer to be here. */
const STATEMENT_MS = 30_000
const ANSWER_MS = 35_000
/** PostgreSQL's number of the type bigint, which the client gives as text: ours are counts, times and row numbers. */
const BIGINT = 20

export class Connections {
  readonly #pool: Pool

  constructor(url: string, log: Log) {
    this.#pool = new Pool({
      connectionString: url,
      max: CONNECTIONS,
      connectionTimeoutMillis: CONNECT_MS,
      statement_timeout: STATEMENT_MS,
      query_timeout: ANSWER_MS,
      application_name: 'midwatch-knowledge',
      options: `-c search_path=${SCHEMA},public`,
      types: {
        getTypeParser: (id: number, format?: 'text' | 'binary') =>
          id === BIGINT ? Number : (types.getTypeParser(id, format) as (value: string) => unknown),
      },
    })
    // One that breaks under a query tells it to the query too; told to nobody here, it would end the process.
    this.#pool.on('connect', (client) => {
      client.on('error', (error) => log.warn({ err: error }, 'a connection of the knowledge base broke'))
    })
    // One that breaks while nobody uses it; the next query makes another.
    this.#pool.on('error', (error) => log.warn({ err: error }, 'a connection of the knowledge base broke'))
  }

  /** The pool itself, for what needs a connection before there are tables. */
  get pool(): Pool {
    return this.#pool
  }

  /** Everything in it or nothing. */
  async write<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.#within('begin', work)
  }

  /** Everything in it sees the database at one moment. */
  async read<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.#within('begin isolation level repeatable read read only', work)
  }

  async stop(): Promise<void> {
    await this.#pool.end()
  }

  async #within<T>(begin: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
    let client: PoolClient | undefined
    let broken = false
    try {
      client = await this.#pool.connect()
      await client.query(begin)
      const result = await work(client)
      await client.query('commit')
      return result
    } catch (error) {
      await client?.query('rollback').catch(() => (broken = true))
      throw failure(error)
    } finally {
      client?.release(broken)
    }
  }
}

/** Classes of SQLSTATE that pass, or that the operator has to see to: connection, rollback, resources, operator, system. */
const UNAVAILABLE = /^(08|40|53|57|58)/

/** As an AppError. */
export function failure(error: unknown): AppError {
  if (error instanceof AppError) return error
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  // What has no SQLSTATE came from the network or from the client's own deadlines.
  if (!/^[0-9A-Z]{5}$/.test(code) || UNAVAILABLE.test(code))
    return new AppError('unavailable', 'The knowledge base cannot be used right now. Try again shortly.', {
      cause: error,
    })
  return new AppError('internal', 'The knowledge base failed. The log has the detail.', { cause: error })
}
