// Datadog's API: where it is, who asks, and how often one may. It tells in each answer how many questions are left of a period
// (`x-ratelimit-…`); when none are, the next one waits for the period to end where that is soon, and else is refused here.
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { Secret } from '../../core/secret.ts'
import { type Answer, connectHttpApi, type HttpApi, type Question, readAnswer } from '../http-api.ts'

export interface DatadogAccess {
  /** `datadoghq.eu`: which of its regions. */
  readonly site: string
  /** In place of what follows from the site. */
  readonly url?: string | undefined
  readonly apiKey: Secret
  readonly applicationKey: Secret
  readonly clock: Clock
  readonly timeoutMs?: number
  readonly maxBytes?: number
}

export interface Datadog {
  /** Waits its turn; throws `limited` when the limit is used up for longer than a question may wait. */
  ask<T>(question: Question, read: (json: unknown) => T, signal: AbortSignal): Promise<T>
  readonly api: HttpApi
}

/** Longer than this is not waited. */
const MAX_WAIT_MS = 10_000
/** How often a 429 is asked again. */
const MAX_TRIES = 3

const refusal = z.object({ errors: z.array(z.union([z.string(), z.object({ detail: z.string() })])).min(1) })
const said = (json: unknown): string | undefined => {
  const first = refusal.safeParse(json).data?.errors[0]
  return typeof first === 'string' ? first : first?.detail
}

export function connectDatadog(options: DatadogAccess): Datadog {
  const { clock } = options
  const api = connectHttpApi({
    kind: 'Datadog',
    url: options.url ?? `https://api.${options.site}`,
    headers: {
      'dd-api-key': options.apiKey.reveal(),
      'dd-application-key': options.applicationKey.reveal(),
    },
    timeoutMs: options.timeoutMs ?? 20_000,
    maxBytes: options.maxBytes ?? 32 * 1024 * 1024,
  })
  /** Path → until when nothing may be asked; each has a limit of its own. */
  const closedUntil = new Map<string, number>()

  const waitFor = async (path: string, signal: AbortSignal): Promise<void> => {
    const ms = (closedUntil.get(path) ?? 0) - clock.now()
    if (ms <= 0) return
    if (ms > MAX_WAIT_MS)
      throw new AppError(
        'limited',
        `${api.name} may not be asked again for ${Math.ceil(ms / 1000)} s: its rate limit is used up.`,
      )
    await clock.sleep(ms, signal)
  }

  const learn = (path: string, { status, headers }: Answer): void => {
    const remaining = headers.get('x-ratelimit-remaining')
    if (status !== 429 && !(remaining !== null && Number(remaining) <= 0)) return
    const seconds = Number(headers.get('x-ratelimit-reset') ?? headers.get('retry-after') ?? 1)
    closedUntil.set(path, clock.now() + Math.max(1, Number.isFinite(seconds) ? seconds : 1) * 1000)
  }

  return {
    api,
    async ask(question, read, signal) {
      for (let tries = 1; ; tries++) {
        await waitFor(question.path, signal)
        const answer = await api.ask(question, signal)
        learn(question.path, answer)
        if (answer.status !== 429 || tries >= MAX_TRIES) return readAnswer(api, answer, read, said)
      }
    },
  }
}
