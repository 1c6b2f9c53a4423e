// An MCP server as something the agent may ask. Connected to when it is first asked, and again after it failed, but not at
// once; asked one question at a time, so many a minute, each with a deadline. What it may be asked is in the config, and its
// credentials go to it alone.
import type { Clock } from '../../core/clock.ts'
import { AppError, describeError } from '../../core/errors.ts'
import { createKeyedLock } from '../../core/keyed-lock.ts'
import type { Secret } from '../../core/secret.ts'
import { matchesTool } from '../../core/tool-pattern.ts'
import type { ToolAnswer, ToolSource } from '../../llm/tool.ts'
import { type DeclaredTool, mayCall } from './allow.ts'
import { hideSecrets, readAnswer } from './answer.ts'
import type { Connection, ServerAddress } from './connection.ts'

export interface McpSourceOptions {
  readonly name: string
  readonly command?: string | undefined
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, Secret>>
  readonly url?: string | undefined
  readonly headers: Readonly<Record<string, Secret>>
  /** The allow-list. */
  readonly tools: readonly string[]
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly callsPerMinute: number
  readonly version: string
  readonly clock: Clock
  readonly log: { debug(about: object, text: string): void; warn(about: object, text: string): void }
}

interface Open {
  readonly connection: Connection
  readonly listed: readonly DeclaredTool[]
}

/** After a failure it is left alone for so long. */
const REST_MS = 15_000
const MINUTE_MS = 60_000

export function createMcpSource(options: McpSourceOptions): ToolSource {
  const { name, tools: patterns, timeoutMs, maxBytes, callsPerMinute, version, clock, log } = options
  const secrets = [...Object.values(options.env), ...Object.values(options.headers)].map((secret) => secret.reveal())
  const lock = createKeyedLock()
  const stopping = new AbortController()
  const calls: number[] = []
  let open: Open | undefined
  let failure: { readonly atMs: number; readonly why: string } | undefined

  const admit = (): void => {
    const now = clock.now()
    while ((calls[0] ?? now) <= now - MINUTE_MS) calls.shift()
    if (calls.length >= callsPerMinute)
      throw new AppError('limited', `${name} may be asked ${callsPerMinute} times a minute, and was.`)
    calls.push(now)
  }

  const opened = async (signal: AbortSignal): Promise<Open> => {
    if (open && open.connection.over() === undefined) return open
    open = undefined
    if (failure && clock.now() - failure.atMs < REST_MS)
      throw new AppError('unavailable', `${name} failed a moment ago (${failure.why}) and is left alone for a while.`)
    const { connect } = await import('./connection.ts')
    const connection = await connect(addressOf(options), { maxBytes, timeoutMs, version }, signal)
    try {
      const listed = await connection.tools(signal)
      open = { connection, listed }
    } catch (error) {
      await connection.end()
      throw error
    }
    failure = undefined
    const declined = open.listed
      .filter((tool) => !mayCall(tool, patterns).allowed)
      .map((tool) => tool.name.slice(0, 100))
    log.debug({ source: name, declined: declined.slice(0, 50) }, 'connected to an MCP server')
    return open
  }

  const asking = <T>(signal: AbortSignal, ask: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    lock(name, async () => {
      const either = AbortSignal.any([signal, stopping.signal])
      either.throwIfAborted()
      try {
        return await ask(either)
      } catch (error) {
        either.throwIfAborted()
        if (error instanceof AppError) throw error
        const over = open?.connection.over()
        const why = hideSecrets(over ?? describeError(error), secrets).slice(0, 200)
        if (open === undefined || over !== undefined) failure = { atMs: clock.now(), why }
        log.warn({ source: name, why }, 'an MCP server could not be asked')
        throw new AppError(isLate(error) ? 'deadline' : 'unavailable', `${name} could not be asked: ${why}.`)
      }
    })

  return {
    name,
    call: (tool, args, signal) =>
      asking(signal, async (signal): Promise<ToolAnswer> => {
        // Whether or not a server offers it: what the config does not name is never asked for.
        if (!patterns.some((pattern) => matchesTool(pattern, tool)))
          throw new AppError(
            'forbidden',
            `${tool} of ${name} may not be called: it is not in agent.sources.mcp.${name}.tools.`,
          )
        admit()
        const { connection, listed } = await opened(signal)
        const offered = listed.find((one) => one.name === tool)
        if (!offered) throw new AppError('not_found', `${name} has no tool ${tool}.`)
        const may = mayCall(offered, patterns)
        if (!may.allowed) throw new AppError('forbidden', `${tool} of ${name} may not be called: ${may.reason}.`)
        return readAnswer(await connection.call(tool, args, signal), { maxBytes, secrets })
      }),
    stop: async () => {
      stopping.abort(new Error('Midwatch is stopping'))
      await lock(name, async () => open?.connection.end())
    },
  }
}

const isLate = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === -32_001

function addressOf({ command, args, env, url, headers }: McpSourceOptions): ServerAddress {
  const reveal = (secrets: Readonly<Record<string, Secret>>) =>
    Object.fromEntries(Object.entries(secrets).map(([key, secret]) => [key, secret.reveal()]))
  return command === undefined
    ? { kind: 'url', url: url ?? '', headers: reveal(headers) }
    : { kind: 'command', command, args, env: reveal(env) }
}
