// PostgreSQL databases by their statistics views: numbers for a sampler, and who waits for whom as log lines. They know only how
// they are now, so both are what was seen while Midwatch ran; the lines are kept in memory, the newest few thousand.
import type { LogSource, LogLine } from '../../core/telemetry.ts'
import { isAtLeast } from '../../core/log-level.ts'
import { sha256Hex } from '../../core/hash.ts'
import type { Secret } from '../../core/secret.ts'
import type { Place } from '../sampling/sampler.ts'
import type { Sample } from '../sampling/sample.ts'
import { createSession, sayFailure } from './session.ts'
import { FAMILIES, remarksOn, samplesOf, type Remark } from './statistics.ts'

export interface PostgresOptions {
  readonly databases: readonly {
    readonly service: string
    readonly url: string
    readonly password?: Secret | undefined
  }[]
  readonly timeoutMs?: number
  readonly maxLines?: number
}

export interface PostgresSources {
  readonly places: readonly Place[]
  readonly logs: LogSource
  close(): Promise<void>
}

export function createPostgresSources({
  databases,
  timeoutMs = 5000,
  maxLines = 5000,
}: PostgresOptions): PostgresSources {
  /** By reference, in order of time. */
  const seen = new Map<string, LogLine>()
  const sessions = databases.map((one) => createSession({ ...one, timeoutMs }))

  const remember = (atMs: number, service: string, of: string, remarks: readonly Remark[]): void => {
    for (const [i, { level, message }] of remarks.entries()) {
      const ref = `postgres|${of}|${atMs}|${i}`
      seen.set(ref, { at: atMs, service, level, message, ref })
    }
    for (const oldest of seen.keys()) {
      if (seen.size <= maxLines) break
      seen.delete(oldest)
    }
  }

  const places = databases.map(({ service }, i): Place => {
    const session = sessions[i]
    const name = session?.name ?? ''
    const of = sha256Hex(`${service} ${name}`).slice(0, 12)
    return {
      key: `postgres ${service} ${name}`,
      labels: { service, instance: name.replace('PostgreSQL at ', '') },
      detail: { database: name, service },
      async look(atMs, signal) {
        try {
          const answers = (await session?.look(signal)) ?? {}
          remember(atMs, service, of, remarksOn(answers))
          return { problem: '', samples: [up(1), ...samplesOf(answers)], families: FAMILIES }
        } catch (error) {
          signal.throwIfAborted()
          const problem = sayFailure(error)
          remember(atMs, service, of, [{ level: 'error', message: problem }])
          return { problem, samples: [up(0)], families: [] }
        }
      },
    }
  })

  return {
    places,
    logs: {
      name: 'postgres',
      read({ fromMs, toMs, services, minLevel, limit }, signal) {
        signal.throwIfAborted()
        const lines = [...seen.values()]
          .filter(({ at, service, level }) => {
            const wanted = services === undefined || services.includes(service)
            return at >= fromMs && at <= toMs && wanted && (minLevel === undefined || isAtLeast(level, minLevel))
          })
          .sort((a, b) => a.at - b.at)
        const kept = limit > 0 ? lines.slice(-limit) : []
        return Promise.resolve({ lines: kept, truncated: kept.length < lines.length })
      },
      findLine(ref, signal) {
        signal.throwIfAborted()
        return Promise.resolve(seen.get(ref))
      },
    },
    async close() {
      await Promise.all(sessions.map((session) => session.close()))
    },
  }
}

const up = (value: number): Sample => ({ name: 'up', labels: [], value })
