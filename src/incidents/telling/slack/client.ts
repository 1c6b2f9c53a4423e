// Slack's Web API as this channel uses it: one try a call (the queue tries again), a deadline on each, and what fails as a
// sentence. Where Slack said "slower", nothing more is sent to that method and channel until the time is over.
import { webApi } from '@slack/bolt'
import { fetchOnce } from '../../../actions/one-shot.ts'
import type { SlackConfig } from '../../../config/slack-schema.ts'
import type { Clock } from '../../../core/clock.ts'
import { failureOf, type SlackFailure } from './failures.ts'

const TIMEOUT_MS = 10_000

/** Thrown by every call that fails. */
export class SlackCallError extends Error {
  override readonly name = 'SlackCallError'
  readonly failure: SlackFailure

  constructor(failure: SlackFailure) {
    super(failure.error.message, { cause: failure.error })
    this.failure = failure
  }
}

export interface SlackClient {
  /** `where`: the channel as people call it, for the sentences. */
  call<T>(where: string, method: string, work: (web: webApi.WebClient) => Promise<T>, signal: AbortSignal): Promise<T>
}

export type SlackAccess = Pick<SlackConfig, 'botToken' | 'apiUrl'>

/** Says nothing: what fails is thrown and told by whoever asked. Its debug lines would hold message texts. */
const quietLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  setLevel: () => undefined,
  getLevel: () => webApi.LogLevel.ERROR,
  setName: () => undefined,
}

export function createSlackClient({ botToken, apiUrl }: SlackAccess, clock: Clock): SlackClient {
  const waitUntil = new Map<string, number>()
  return {
    call: async (where, method, work, signal) => {
      const place = `${method} ${where}`
      const waitMs = (waitUntil.get(place) ?? 0) - clock.now()
      if (waitMs > 0)
        throw new SlackCallError(failureOf(new webApi.WebAPIRateLimitedError(Math.ceil(waitMs / 1000)), where))
      waitUntil.delete(place)
      // Its own options hold for all calls of a client: one for each call, so that it ends with the call's signal.
      const web = new webApi.WebClient(botToken.reveal(), {
        slackApiUrl: apiUrl,
        retryConfig: { retries: 0 },
        rejectRateLimitedCalls: true,
        allowAbsoluteUrls: false,
        logger: quietLogger,
        fetch: fetchUntil(AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])),
      })
      try {
        return await work(web)
      } catch (error) {
        signal.throwIfAborted()
        const failure = failureOf(error, where)
        if (failure.kind === 'limited')
          waitUntil.set(place, clock.now() + (failure.error.retryAfterSeconds ?? 1) * 1000)
        throw new SlackCallError(failure)
      }
    },
  }
}

/** A connection of its own for each: one that was kept alive may be gone just as the next call is written to it. */
export const fetchUntil =
  (signal?: AbortSignal): webApi.FetchFunction =>
  (url, init) => {
    const signals = [signal, init?.signal, AbortSignal.timeout(TIMEOUT_MS)].filter((one) => one !== undefined)
    return fetchOnce(url, { ...init, signal: AbortSignal.any(signals) })
  }
