// Whether a provider works, from what its latest calls came to. What a caller did wrong says nothing about a provider.
import type { Clock } from '../core/clock.ts'

export type ProviderState = 'ok' | 'failing'

interface Mark {
  readonly atMs: number
  readonly good: boolean
}

const REMEMBERED = 20
const WINDOW_MS = 120_000
const ENOUGH = 3

export class ProviderHealth {
  readonly #clock: Clock
  readonly #marks = new Map<string, Mark[]>()

  constructor(clock: Clock, providers: readonly string[]) {
    this.#clock = clock
    for (const provider of providers) this.#marks.set(provider, [])
  }

  note(provider: string, good: boolean): void {
    const marks = this.#marks.get(provider)
    if (!marks) return
    marks.push({ atMs: this.#clock.now(), good })
    if (marks.length > REMEMBERED) marks.shift()
  }

  /** `failing`: at least three calls in the last two minutes, and half of them failed. */
  states(): ReadonlyMap<string, ProviderState> {
    const since = this.#clock.now() - WINDOW_MS
    return new Map(
      [...this.#marks].map(([provider, marks]) => {
        const recent = marks.filter(({ atMs }) => atMs >= since)
        const bad = recent.filter(({ good }) => !good).length
        return [provider, recent.length >= ENOUGH && bad * 2 >= recent.length ? 'failing' : 'ok']
      }),
    )
  }
}
