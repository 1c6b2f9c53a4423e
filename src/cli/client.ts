// How commands talk to a running Midwatch: over its own HTTP API, with the key from MIDWATCH_KEY.
import type { Command } from 'commander'
import type { z } from 'zod'
import { AppError } from '../core/errors.ts'
import { readSettings } from './settings.ts'

export interface ServerOptions {
  readonly url?: string
  readonly config?: string
}

/** Adds the options that say which Midwatch is meant. */
export const withServerOptions = (command: Command): Command =>
  command
    .option('--url <url>', 'the address of Midwatch (default: MIDWATCH_URL, else from the config)')
    .option('--config <file>', 'the config file to take the address from')

/** Adds them, and `--json`. */
export const withCommonOptions = (command: Command): Command =>
  withServerOptions(command).option('--json', 'print JSON')

const TIMEOUT_MS = 15_000

/** Calls the API and parses the answer. Throws AppError with the server's own sentence. */
export async function callServer<T extends z.ZodType>(
  options: ServerOptions,
  path: string,
  schema: T,
  request: { method?: string; json?: unknown; timeoutMs?: number } = {},
): Promise<z.output<T>> {
  const base = serverUrl(options)
  const key = process.env.MIDWATCH_KEY
  let response: Response
  try {
    response = await fetch(new URL(path, base), {
      method: request.method ?? 'GET',
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(request.json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(request.json === undefined ? {} : { body: JSON.stringify(request.json) }),
      signal: AbortSignal.timeout(request.timeoutMs ?? TIMEOUT_MS),
    })
  } catch (error) {
    throw new AppError('unavailable', `No Midwatch answers at ${base}. Start it, or name another with --url.`, {
      cause: error,
    })
  }
  const body: unknown = await response.json().catch(() => null)
  if (response.status === 401) {
    throw new AppError(
      'unauthenticated',
      key === undefined
        ? `${base} asks for a key. Set MIDWATCH_KEY; midwatch keys create makes one.`
        : `${base} does not take the key in MIDWATCH_KEY. See: midwatch keys list`,
    )
  }
  if (!response.ok) throw new AppError('conflict', saidBy(body) ?? `${base} answered ${response.status}.`)
  return schema.parse(body)
}

export function serverUrl(options: ServerOptions): string {
  const named = options.url ?? process.env.MIDWATCH_URL
  if (named !== undefined) return named
  const { server } = readSettings(options.config).config
  return server.publicUrl ?? `http://${server.host.includes(':') ? `[${server.host}]` : server.host}:${server.port}`
}

function saidBy(body: unknown): string | undefined {
  const error = body !== null && typeof body === 'object' && 'error' in body ? body.error : undefined
  const message = error !== null && typeof error === 'object' && 'message' in error ? error.message : undefined
  return typeof message === 'string' ? message : undefined
}
