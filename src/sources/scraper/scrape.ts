// One scrape of one target: bounded in time and size, and always a value. A scrape that fails says why.
import { Agent, fetch } from 'undici'
import { describeError } from '../../core/errors.ts'
import { readBounded } from '../../core/read-bounded.ts'
import { endpointOf } from '../endpoint.ts'
import { type Exposition, formatOf, parseExposition } from './exposition.ts'

export type ScrapeResult =
  | { readonly ok: true; readonly exposition: Extract<Exposition, { ok: true }> }
  | { readonly ok: false; readonly reason: string }

export interface ScrapeLimits {
  readonly timeoutMs: number
  readonly maxBytes: number
}

// A connection of its own for each scrape: one kept alive may die between two scrapes, and a target would look down
// that is not.
const ONE_SHOT = new Agent({ pipelining: 0 })

const ACCEPT = 'text/plain;version=0.0.4;q=0.9,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1'

/** Never throws; an abort of `signal` is a failed scrape like any other. */
export async function scrape(url: string, limits: ScrapeLimits, signal: AbortSignal): Promise<ScrapeResult> {
  const timeout = AbortSignal.timeout(limits.timeoutMs)
  try {
    const endpoint = endpointOf(url)
    const reply = await fetch(endpoint.url, {
      headers: { ...endpoint.headers, accept: ACCEPT, 'user-agent': 'midwatch-scraper' },
      dispatcher: ONE_SHOT,
      signal: AbortSignal.any([signal, timeout]),
    })
    if (!reply.ok) {
      await reply.body?.cancel()
      return { ok: false, reason: `it answered ${reply.status}` }
    }
    const text = await readBounded(reply.body, limits.maxBytes)
    if (text === undefined) return { ok: false, reason: `it is larger than ${limits.maxBytes} bytes` }
    const exposition = parseExposition(text, formatOf(reply.headers.get('content-type')))
    if (exposition.ok) return { ok: true, exposition }
    return { ok: false, reason: `line ${exposition.line}: ${exposition.reason}` }
  } catch (error) {
    return { ok: false, reason: timeout.aborted ? `no answer in ${limits.timeoutMs} ms` : describeError(error) }
  }
}
