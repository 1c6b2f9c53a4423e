// Whether a target may be asked. Two circuits stand before each: that of its provider, which only counts what concerns
// all its models (no connection, our key refused), and that of the provider's one model, which counts the rest. A
// failure counts in one of them. What a 429 or 503 asks for by Retry-After is kept, up to a minute.
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { ProviderFailure } from '../llm/provider.ts'
import { Circuit, type CircuitPass, type CircuitState, type Verdict } from './circuit.ts'
import { feedsBreaker } from './retry.ts'

/** How a call to a target ended, as far as its health is concerned. */
export type AttemptVerdict =
  | { readonly kind: 'good' }
  | { readonly kind: 'failed'; readonly failure: ProviderFailure }
  /** It says nothing: the caller left, a hedge lost, a deadline that the caller chose, Midwatch stops. */
  | { readonly kind: 'unknown' }

export type Entry = Ticket | { readonly kind: 'open'; readonly untilMs: number }

const LONGEST_PAUSE_MS = 60_000

/** A call that was let through. */
export class Ticket {
  readonly kind: 'closed' | 'probe'
  readonly ofProvider: CircuitPass
  readonly ofTarget: CircuitPass

  constructor(ofProvider: CircuitPass, ofTarget: CircuitPass) {
    this.ofProvider = ofProvider
    this.ofTarget = ofTarget
    this.kind = ofProvider.kind === 'probe' ? 'probe' : ofTarget.kind
  }
}

export class TargetBreaker {
  readonly #clock: Clock
  readonly #provider: Circuit
  readonly #target: Circuit
  readonly #onVerdict: (good: boolean) => void

  constructor(clock: Clock, provider: Circuit, target: Circuit, onVerdict: (good: boolean) => void) {
    this.#clock = clock
    this.#provider = provider
    this.#target = target
    this.#onVerdict = onVerdict
  }

  mayEnter(nowMs: number): boolean {
    return this.#provider.mayEnter(nowMs) && this.#target.mayEnter(nowMs)
  }

  /** When it makes sense to come again. */
  opensAtMs(nowMs: number): number {
    return Math.max(this.#provider.opensAtMs(nowMs), this.#target.opensAtMs(nowMs))
  }

  /**
   * A ticket has to be handed back by `leave`, whatever happens. `early`: there is nothing better left to try, so probe
   * before the time, still one at a time and never against a Retry-After.
   */
  tryEnter(early = false): Entry {
    const nowMs = this.#clock.now()
    const ofProvider = this.#provider.enter(nowMs, early)
    const ofTarget = ofProvider && this.#target.enter(nowMs, early)
    if (ofProvider && ofTarget) return new Ticket(ofProvider, ofTarget)
    if (ofProvider) this.#provider.leave(ofProvider, 'neutral', nowMs)
    return { kind: 'open', untilMs: Math.max(nowMs, this.opensAtMs(nowMs)) }
  }

  /** At the first content: a probe need not hold everybody up until its stream has ended. */
  content(ticket: Ticket): void {
    const nowMs = this.#clock.now()
    this.#provider.prove(ticket.ofProvider, nowMs)
    this.#target.prove(ticket.ofTarget, nowMs)
  }

  /** Once for each ticket; said again, it changes nothing. */
  leave(ticket: Ticket, verdict: AttemptVerdict): void {
    if (ticket.ofTarget.left) return
    const nowMs = this.#clock.now()
    const { provider, target } = circuitVerdicts(verdict)
    this.#provider.leave(ticket.ofProvider, provider, nowMs)
    this.#target.leave(ticket.ofTarget, target, nowMs)
    if (verdict.kind === 'failed') {
      const { retryAfterSeconds = 0 } = verdict.failure.detail
      const asksForRest = verdict.failure.kind === 'upstream_rate_limited' || verdict.failure.kind === 'upstream_5xx'
      if (asksForRest && retryAfterSeconds > 0)
        this.#target.pause(nowMs + Math.min(LONGEST_PAUSE_MS, retryAfterSeconds * 1000))
    }
    // Whoever finds fault with a request works.
    if (verdict.kind !== 'unknown') this.#onVerdict(provider !== 'bad' && target !== 'bad')
  }
}

function circuitVerdicts(verdict: AttemptVerdict): { readonly provider: Verdict; readonly target: Verdict } {
  if (verdict.kind === 'good') return { provider: 'good', target: 'good' }
  if (verdict.kind === 'unknown') return { provider: 'neutral', target: 'neutral' }
  switch (feedsBreaker(verdict.failure)) {
    case 'provider':
      return { provider: 'bad', target: 'neutral' }
    case 'target':
      // It was reached and took our key, but for silence, which says nothing of either.
      return { provider: verdict.failure.kind === 'upstream_timeout' ? 'neutral' : 'good', target: 'bad' }
    case 'none':
      return { provider: 'good', target: 'neutral' }
  }
}

export interface BreakersOptions {
  readonly clock: Clock
  readonly random: () => number
  /** Every verdict about a provider, for its long-term health. */
  readonly onVerdict?: (provider: string, good: boolean) => void
}

/** The breakers of all targets. They outlive a reload of the config. */
export class Breakers {
  readonly #options: BreakersOptions
  readonly #providers = new Map<string, { readonly circuit: Circuit; readonly models: Map<string, Model> }>()

  constructor(options: BreakersOptions) {
    this.#options = options
  }

  of(provider: string, model: string): TargetBreaker {
    const { clock, random, onVerdict } = this.#options
    let known = this.#providers.get(provider)
    if (!known) this.#providers.set(provider, (known = { circuit: new Circuit(random), models: new Map() }))
    let one = known.models.get(model)
    if (!one) {
      const circuit = new Circuit(random)
      const breaker = new TargetBreaker(clock, known.circuit, circuit, (good) => onVerdict?.(provider, good))
      known.models.set(model, (one = { circuit, breaker }))
    }
    return one.breaker
  }

  /** Whether nothing of a provider can be asked now. */
  isOpen(provider: string): boolean {
    const known = this.#providers.get(provider)
    if (!known) return false
    const nowMs = this.#options.clock.now()
    if (known.circuit.state(nowMs) === 'open') return true
    const models = [...known.models.values()]
    return models.length > 0 && models.every(({ circuit }) => circuit.state(nowMs) === 'open')
  }

  /** What stands before each target: the worse of its provider's circuit and its own. */
  *states(): Generator<{ readonly provider: string; readonly model: string; readonly state: CircuitState }> {
    const nowMs = this.#options.clock.now()
    for (const [provider, known] of this.#providers) {
      const whole = known.circuit.state(nowMs)
      for (const [model, { circuit }] of known.models) {
        const own = circuit.state(nowMs)
        yield { provider, model, state: whole === 'open' || own === 'closed' ? whole : own }
      }
    }
  }

  /** Forgets what is in the config no more. */
  retain(isConfigured: (provider: string, model: string) => boolean): void {
    for (const [provider, { models }] of this.#providers) {
      for (const model of models.keys()) if (!isConfigured(provider, model)) models.delete(model)
      if (models.size === 0) this.#providers.delete(provider)
    }
  }
}

interface Model {
  readonly circuit: Circuit
  readonly breaker: TargetBreaker
}

/** Where every target of a plan was open and none was asked. */
export function allOpen(model: string, untilMs: number, nowMs: number): AppError {
  const retryAfterSeconds = Math.max(1, Math.ceil((untilMs - nowMs) / 1000))
  return new AppError(
    'unavailable',
    `Every provider behind ${model} failed of late or asked for a pause. Try again in ${retryAfterSeconds} s.`,
    { retryAfterSeconds },
  )
}
