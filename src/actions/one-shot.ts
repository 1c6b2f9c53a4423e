// `fetch` with a connection of its own for each request. One that is kept alive may be closed by the other side just as
// the next request goes out on it; that fails like a request that was cut off, of which nobody knows whether it arrived.
import { Agent, fetch as fetchWith, type RequestInit } from 'undici'

// How long an answer may take is the caller's to say: undici's own limits would end a long one early.
const ONE_SHOT = new Agent({ pipelining: 0, headersTimeout: 0, bodyTimeout: 0 })

/** As the global one, but for its connections. */
export const fetchOnce = ((url: string, init?: RequestInit) =>
  fetchWith(url, { ...init, dispatcher: ONE_SHOT })) as unknown as typeof fetch
