// Asks an address of AWS that a message named: never redirected, with a deadline, and reading no more than a page of text.
import { type Dispatcher, request } from 'undici'
import { AppError } from '../../../core/errors.ts'
import { readBounded } from '../../../core/read-bounded.ts'

export type FetchText = (url: URL, signal: AbortSignal) => Promise<string>

const TIMEOUT_MS = 10_000
const MAX_BYTES = 64 * 1024

/** Throws `upstream` where trying again may help, `malformed` where AWS said no. */
export function createFetchText(dispatcher?: Dispatcher): FetchText {
  return async (url, signal) => {
    const within = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
    const response = await request(url, { signal: within, ...(dispatcher ? { dispatcher } : {}) }).catch(
      (error: unknown) => {
        throw new AppError('upstream', `${url.host} could not be reached.`, { cause: error })
      },
    )
    const text = await readBounded(response.body, MAX_BYTES).catch((error: unknown) => {
      throw new AppError('upstream', `The answer of ${url.host} broke off.`, { cause: error })
    })
    if (text === undefined) throw new AppError('malformed', `${url.host} answered with more than 64 KiB.`)
    if (response.statusCode === 200) return text
    const again = response.statusCode >= 500 || response.statusCode === 429
    throw new AppError(again ? 'upstream' : 'malformed', `${url.host} answered ${response.statusCode}.`)
  }
}
