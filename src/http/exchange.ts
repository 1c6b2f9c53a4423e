// One request and its answer, as the routes see them.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { z } from 'zod'
import type { Caller, Scope } from '../core/caller.ts'

/** The shape in which errors are told: each dialect's clients parse their own. */
export type ErrorDialect = 'midwatch' | 'openai' | 'anthropic'

export interface Exchange {
  /** `x-request-id`: the caller's if it is sane, else ours. */
  readonly id: string
  /** What every answer carries. Whoever writes the head of a stream has to put them into it. */
  readonly ownHeaders: Readonly<Record<string, string>>
  readonly method: string
  readonly url: URL
  readonly params: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  readonly caller: Caller
  /** Aborts when the client goes away, or when the server stops and the grace for what is under way is over. */
  readonly signal: AbortSignal
  /** Aborts as soon as a stop is asked for: for streams that have no end of their own. */
  readonly stopping: AbortSignal
  /** The whole body. Throws `too_large`, or `client_gone` when it does not arrive whole. */
  body(): Promise<Buffer>
  /** The body as JSON of this shape. Throws `malformed` that names the field. */
  json<T extends z.ZodType>(schema: T): Promise<z.output<T>>
  /** The query string as this shape. */
  query<T extends z.ZodType>(schema: T): z.output<T>
  /** For routes that stream: write here and return `streamed`. */
  readonly raw: { readonly request: IncomingMessage; readonly response: ServerResponse }
}

export type Reply =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly json: unknown }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string | Uint8Array }
  | 'streamed'

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `/v1/incidents/:id`; a `*` at the end takes the rest. */
  readonly path: string
  /** Of several, one is enough. null: anyone may call it. */
  readonly scope: Scope | readonly Scope[] | null
  readonly maxBodyBytes?: number
  /** Its body may come for longer than others may take; the route itself sees to it that it comes. */
  readonly longBody?: true
  readonly dialect?: ErrorDialect
  /** Its callers cannot set headers: the key may also come as `?key=`, or as the password of basic authentication. */
  readonly keyInUrl?: true
  handle(exchange: Exchange): Promise<Reply>
}

export const ok = (json: unknown): Reply => ({ status: 200, json })
