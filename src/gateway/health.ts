// Whether a provider works, for people and alerts: from what its latest calls came to, and whether its breakers are
// open. What a caller did wrong says nothing about a provider.
import type { Clock } from '../core/clock.ts'

export const PROVIDER_STATES = ['ok', 'failing', 'open'] as const
export type ProviderState = (typeof PROVIDER_STATES)[number]

interface Mark {
  readonly atMs: number
  readonly good: boolean
}

const REMEMBERED = 20
const WINDOW_MS = 120_000
const ENOUGH = 3

export class ProviderHealth {
  readonly #clock: Clock
  readonly #isOpen: (provider: string) => boolean
  readonly #marks = new Map<string, Mark[]>()

  /** `isOpen`: whether nothing of a provider can be asked at this moment. */
  constructor(clock: Clock, providers: readonly string[], isOpen: (provider: string) => boolean = () => false) {
    this.#clock = clock
    this.#isOpen = isOpen
    for (const provider of providers) this.#marks.set(provider, [])
  }

  /** Watches these from now on, and no others. */
  retain(providers: readonly string[]): void {
    for (const provider of this.#marks.keys()) if (!providers.includes(provider)) this.#marks.delete(provider)
    for (const provider of providers) if (!this.#marks.has(provider)) this.#marks.set(provider, [])
  }

  note(provider: string, good: boolean): void {
    const marks = this.#marks.get(provider)
    if (!marks) return
    marks.push({ atMs: this.#clock.now(), good })
    if (marks.length > REMEMBERED) marks.shift()
  }

  /** `failing`: at least three calls in the last two minutes, and half of them failed. `open`: it is not even asked. */
  states(): ReadonlyMap<string, ProviderState> {
    const since = this.#clock.now() - WINDOW_MS
    return new Map(
      [...this.#marks].map(([provider, marks]) => {
        if (this.#isOpen(provider)) return [provider, 'open']
        const recent = marks.filter(({ atMs }) => atMs >= since)
        const bad = recent.filter(({ good }) => !good).length
        return [provider, recent.length >= ENOUGH && bad * 2 >= recent.length ? 'failing' : 'ok']
      }),
    )
  }
}
