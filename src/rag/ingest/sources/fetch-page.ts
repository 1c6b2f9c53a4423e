// One page from the web, bounded in time, size and redirects, and kept out of the own network on every step of the way.
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { Agent, type Dispatcher, request } from 'undici'
import { AppError, describeError } from '../../../core/errors.ts'
import { MAX_DOCUMENT_BYTES } from '../source.ts'
import type { AddressRules } from './addresses.ts'
import { tooLarge } from './read-file.ts'

export interface Validators {
  readonly etag?: string
  readonly lastModified?: string
}

export type Fetched =
  | {
      readonly kind: 'page'
      readonly bytes: Buffer
      readonly mediaType: string | undefined
      readonly validators: Validators
    }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'gone'; readonly reason: string }

export interface Fetcher {
  /** Throws AppError, whose message says why not. */
  fetch(url: string, known: Validators, signal: AbortSignal): Promise<Fetched>
  stop(): Promise<void>
}

const MAX_REDIRECTS = 5
const DEADLINE_MS = 30_000
const REDIRECTS = new Set([301, 302, 303, 307, 308])

export function createFetcher(rules: AddressRules, deadlineMs = DEADLINE_MS): Fetcher {
  const agent = new Agent({ connect: { lookup: rules.lookup, timeout: 10_000 }, connections: 4 })
  return {
    fetch: async (url, known, signal) => {
      const late = AbortSignal.timeout(deadlineMs)
      const bounded = AbortSignal.any([signal, late])
      try {
        return await follow(agent, rules, url, known, bounded)
      } catch (error) {
        signal.throwIfAborted()
        if (late.aborted) throw new AppError('deadline', `It did not answer within ${deadlineMs / 1000} s.`)
        const refusal = refusalIn(error)
        if (refusal) throw refusal
        throw new AppError('upstream', `It cannot be fetched: ${describeError(error)}.`, { cause: error })
      }
    },
    stop: () => agent.destroy(),
  }
}

async function follow(
  agent: Agent,
  rules: AddressRules,
  asked: string,
  known: Validators,
  signal: AbortSignal,
): Promise<Fetched> {
  let url = asked
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const target = checkUrl(url, rules)
    const answer = await request(target, {
      dispatcher: agent,
      signal,
      headers: {
        accept: 'text/html, text/markdown, text/plain, application/pdf, */*;q=0.5',
        // A packed page can be a thousand times as large as what comes over the wire.
        'accept-encoding': 'identity',
        'user-agent': 'midwatch',
        ...(known.etag === undefined ? {} : { 'if-none-match': known.etag }),
        ...(known.lastModified === undefined ? {} : { 'if-modified-since': known.lastModified }),
      },
    })
    const location = answer.headers.location
    if (!REDIRECTS.has(answer.statusCode) || typeof location !== 'string') return await take(answer, signal)
    drop(answer)
    const next = new URL(location, target)
    if (target.protocol === 'https:' && next.protocol === 'http:')
      throw new AppError('upstream', `It leads on to ${next.host} without encryption. Name that address itself.`)
    url = next.href
  }
  throw new AppError('upstream', `It leads on more than ${MAX_REDIRECTS} times.`)
}

function checkUrl(text: string, rules: AddressRules): URL {
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new AppError('malformed', `It leads to ${url.protocol}, and only http and https are fetched.`)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  // No name is looked up for what is an address already.
  if (isIP(host)) rules.check(host, host)
  return url
}

async function take(answer: Dispatcher.ResponseData, signal: AbortSignal): Promise<Fetched> {
  const { statusCode, headers } = answer
  if (statusCode === 304 || statusCode === 404 || statusCode === 410) {
    drop(answer)
    return statusCode === 304
      ? { kind: 'unchanged' }
      : { kind: 'gone', reason: `It is not there any more (${statusCode}).` }
  }
  const problem = problemOf(statusCode, headers)
  if (problem) {
    drop(answer)
    throw problem
  }
  const parts: Buffer[] = []
  let size = 0
  for await (const part of answer.body as AsyncIterable<Buffer>) {
    signal.throwIfAborted()
    size += part.length
    if (size > MAX_DOCUMENT_BYTES) throw tooLarge(size)
    parts.push(part)
  }
  const etag = text(headers.etag)
  const lastModified = text(headers['last-modified'])
  return {
    kind: 'page',
    bytes: Buffer.concat(parts),
    mediaType: text(headers['content-type']),
    validators: { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) },
  }
}

function problemOf(status: number, headers: IncomingHttpHeaders): AppError | undefined {
  if (status !== 200) return new AppError('upstream', `It answered with status ${status}.`)
  const encoding = text(headers['content-encoding']) ?? 'identity'
  if (encoding !== 'identity')
    return new AppError('upstream', `It came packed (${encoding}), though plain was asked for.`)
  const length = Number(headers['content-length'] ?? 0)
  return length > MAX_DOCUMENT_BYTES ? tooLarge(length) : undefined
}

/** The rest is not wanted; an answer left unread would hold its connection. */
function drop(answer: Dispatcher.ResponseData): void {
  answer.body.on('error', () => undefined)
  answer.body.destroy()
}

const text = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header)

/** What was refused on purpose, behind what undici makes of it. */
function refusalIn(error: unknown): AppError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof AppError) return at
  return undefined
}
