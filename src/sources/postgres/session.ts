// One connection to a PostgreSQL, made when it is needed and given up at the first failure. Every look is one read-only
// transaction that is rolled back, with a limit on each statement and on waiting for locks; a server that no longer answers is
// left by closing the socket. Whatever fails is told by host, port and database alone.
import { Socket } from 'node:net'
import { Client, DatabaseError } from 'pg'
import { AppError, describeError } from '../../core/errors.ts'
import type { Secret } from '../../core/secret.ts'
import { type Answers, type Question, QUESTIONS } from './statistics.ts'

export interface SessionOptions {
  readonly url: string
  readonly password?: Secret | undefined
  readonly timeoutMs: number
}

export interface Session {
  /** "PostgreSQL at host:port/database". */
  readonly name: string
  /** All answers that could be had; a view that may not be read leaves its answer out. Throws when none could. */
  look(signal: AbortSignal): Promise<Answers>
  close(): Promise<void>
}

interface Open {
  readonly client: Client
  readonly socket: Socket
}

export function createSession({ url, password, timeoutMs }: SessionOptions): Session {
  const { hostname, port, pathname } = new URL(url)
  const name = `PostgreSQL at ${hostname || 'localhost'}:${port || '5432'}${decodeURIComponent(pathname)}`
  let held: Open | undefined

  const connect = async (): Promise<Open> => {
    if (held) return held
    const socket = new Socket()
    const client = new Client({
      connectionString: url,
      ...(password === undefined ? {} : { password: password.reveal() }),
      application_name: 'midwatch',
      connectionTimeoutMillis: timeoutMs,
      stream: () => socket,
    })
    // A connection that breaks while nobody asks would end the process.
    client.on('error', () => drop())
    const open = { client, socket }
    held = open
    await client.connect()
    return open
  }

  const drop = (): void => {
    held?.socket.destroy()
    held = undefined
  }

  const ask = async (client: Client, question: Question): Promise<Answers> => {
    const { sql, row } = QUESTIONS[question]
    // One that fails (a view of another version, a right that is missing) must not end the transaction for the others.
    await client.query('savepoint one')
    try {
      const { rows } = await client.query<Record<string, unknown>>(sql)
      return { [question]: rows.map((one) => row.parse(one)) }
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error
      await client.query('rollback to savepoint one')
      return {}
    }
  }

  return {
    name,
    async look(signal) {
      signal.throwIfAborted()
      const timeout = AbortSignal.timeout(timeoutMs)
      const either = AbortSignal.any([signal, timeout])
      either.addEventListener('abort', drop, { once: true })
      try {
        const { client } = await connect()
        await client.query('begin transaction read only')
        await client.query(`set local statement_timeout = ${Math.max(100, Math.floor(timeoutMs / 2))}`)
        await client.query('set local lock_timeout = 200')
        let answers: Answers = await ask(client, 'limits')
        const [limits] = answers.limits ?? []
        const questions: Question[] = [
          'backends',
          'transactions',
          'blocked',
          'database',
          'tables',
          limits?.standby === true ? 'behind' : 'standbys',
          ...(limits?.statements === true ? (['statements'] as const) : []),
        ]
        for (const question of questions) answers = { ...answers, ...(await ask(client, question)) }
        await client.query('rollback')
        return answers
      } catch (error) {
        drop()
        signal.throwIfAborted()
        if (timeout.aborted)
          throw new AppError('deadline', `${name} did not answer within ${timeoutMs} ms.`, { cause: error })
        throw new AppError('upstream', `${name} ${reasonOf(error)}.`, { cause: error })
      } finally {
        either.removeEventListener('abort', drop)
      }
    },
    async close() {
      const open = held
      held = undefined
      if (!open) return
      // A server that does not say goodbye is not waited for.
      open.client.end().catch(() => undefined)
      await new Promise<void>((resolve) => {
        open.socket.end(() => resolve())
        open.socket.once('close', () => resolve())
        setTimeout(resolve, 200).unref()
      })
      open.socket.destroy()
    },
  }
}

/** By the SQLSTATE, as its own sentence may quote what it was given. */
function reasonOf(error: unknown): string {
  if (!(error instanceof DatabaseError)) {
    const code = (error as NodeJS.ErrnoException).code
    return `cannot be reached${code === undefined ? '' : ` (${code})`}`
  }
  switch (error.code) {
    case '53300':
      return 'has no connection left: too many clients'
    case '28P01':
    case '28000':
      return 'does not accept its credentials'
    case '3D000':
      return 'has no such database'
    case '57P03':
      return 'is starting up or shutting down'
    case '57P01':
      return 'ended the connection: it is shutting down'
    default:
      return `refused with SQLSTATE ${error.code ?? 'unknown'}`
  }
}

export const sayFailure = (error: unknown): string => (error instanceof AppError ? error.message : describeError(error))
