// How many calls are under way at once. Whoever finds a place free walks in within the same turn of the event loop; the
// others wait, and tenants take turns. When too many wait, the newest of the longest line is sent away, so that a tenant
// with a thousand calls cannot keep another's only one out. Sent away means 503, with the time after which a place is
// likely, from what was measured.
//
// A limit that finds itself (AIMD, gradient) was left out on purpose: how long a model takes hangs on what it is asked to
// write, so latency, which those limits steer by, says little about load here.
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { Limit, Timekeeper } from '../../core/timekeeper.ts'
import { FairQueue, type Place } from './fair-queue.ts'
import { Flow } from './flow.ts'

export interface TurnstileLimits {
  readonly maxActive: number
  readonly maxQueued: number
  readonly maxWaitMs: number
  readonly maxLagMs: number
}

export interface TurnstileOptions {
  readonly limits: TurnstileLimits
  readonly clock: Clock
  readonly timekeeper: Timekeeper
  /** How late the event loop is, in ms. */
  readonly lagMs: () => number
}

export interface TurnstileState {
  readonly active: number
  readonly queued: number
  readonly tenantsQueued: number
  /** λ: calls a second that come to the door. */
  readonly arrivalsPerSecond: number
  readonly departuresPerSecond: number
  /** W: from the door until the end; null before the first has ended. */
  readonly secondsInSystem: number | null
  readonly lagMs: number
  /** How many were sent away since the start, by why. */
  readonly shed: Readonly<Record<ShedReason, number>>
}

export type ShedReason = 'full' | 'waited' | 'lag'

interface Waiter {
  readonly arrivedMs: number
  readonly admit: (pass: Pass) => void
  readonly refuse: (reason: Error) => void
}

const LONGEST_RETRY_AFTER_SECONDS = 60

export class Turnstile {
  readonly #clock: Clock
  readonly #timekeeper: Timekeeper
  readonly #lagMs: () => number
  readonly #queue = new FairQueue<Waiter>()
  readonly #flow: Flow
  readonly #shed = { full: 0, waited: 0, lag: 0 }
  #limits: TurnstileLimits
  #active = 0
  #stopped = false

  constructor({ limits, clock, timekeeper, lagMs }: TurnstileOptions) {
    this.#limits = limits
    this.#clock = clock
    this.#timekeeper = timekeeper
    this.#lagMs = lagMs
    this.#flow = new Flow(clock.now())
  }

  /**
   * A pass at once where there is room, else a promise of one. Throws, or rejects with, `unavailable` when the call is
   * sent away, and the signal's reason when it aborts first: the caller's deadline has to be in it. It is only asked for
   * where there is a wait. Whoever holds a pass must leave.
   */
  enter(tenant: string, caller: { readonly signal: AbortSignal }): Pass | Promise<Pass> {
    const nowMs = this.#clock.now()
    this.#flow.arrived(nowMs)
    if (this.#stopped) throw stopping()
    if (this.#lagMs() > this.#limits.maxLagMs) throw this.#sendAway('lag', nowMs)
    if (this.#active < this.#limits.maxActive && this.#queue.length === 0) return this.#admit(nowMs)
    if (this.#queue.length >= this.#limits.maxQueued) {
      // With this call, the tenant's own line would be longer by one: among equally long ones it is the newest.
      const other = this.#queue.dropFromLongest(this.#queue.lengthOf(tenant) + 1)
      const error = this.#sendAway('full', nowMs)
      if (!other) throw error
      other.refuse(error)
    }
    return this.#wait(tenant, caller.signal, nowMs)
  }

  /**
   * Whether one more call that can wait may come, where so many of them have come (and some may not be at the door yet):
   * half of all places are for the others.
   */
  hasRoom(taken: number): boolean {
    const most = Math.max(1, this.#limits.maxActive / 2)
    return this.#queue.length === 0 && Math.max(this.#active, taken) < most
  }

  state(): TurnstileState {
    const nowMs = this.#clock.now()
    return {
      active: this.#active,
      queued: this.#queue.length,
      tenantsQueued: this.#queue.tenants,
      arrivalsPerSecond: this.#flow.arrivalsPerSecond(nowMs),
      departuresPerSecond: this.#flow.departuresPerSecond(nowMs),
      secondsInSystem: this.#flow.secondsInSystem,
      lagMs: this.#lagMs(),
      shed: { ...this.#shed },
    }
  }

  /** Takes effect for who comes and who leaves from now on; nobody that is in or in line is sent away. */
  configure(limits: TurnstileLimits): void {
    this.#limits = limits
    this.#admitNext()
  }

  /** Sends away all that wait, and everybody that comes. */
  stop(): void {
    this.#stopped = true
    for (let waiter = this.#queue.next(); waiter; waiter = this.#queue.next()) waiter.refuse(stopping())
  }

  /** For passes only. */
  left(arrivedMs: number): void {
    this.#active--
    this.#flow.left(this.#clock.now(), arrivedMs)
    if (this.#queue.length > 0) this.#admitNext()
  }

  #admit(arrivedMs: number): Pass {
    this.#active++
    return new Pass(this, arrivedMs)
  }

  #admitNext(): void {
    while (this.#active < this.#limits.maxActive) {
      const waiter = this.#queue.next()
      if (!waiter) return
      waiter.admit(this.#admit(waiter.arrivedMs))
    }
  }

  #wait(tenant: string, signal: AbortSignal, arrivedMs: number): Promise<Pass> {
    signal.throwIfAborted()
    return new Promise((resolve, reject) => {
      let place: Place<Waiter> | undefined
      let limit: Limit | undefined
      const end = (): void => {
        if (place) this.#queue.remove(place)
        limit?.cancel()
        signal.removeEventListener('abort', onAbort)
      }
      const refuse = (reason: Error): void => {
        end()
        reject(reason)
      }
      const admit = (pass: Pass): void => {
        end()
        resolve(pass)
      }
      const onAbort = (): void => refuse(signal.reason as Error)
      place = this.#queue.push(tenant, { arrivedMs, admit, refuse })
      limit = this.#timekeeper.limit(this.#limits.maxWaitMs, () => refuse(this.#sendAway('waited', this.#clock.now())))
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** By Little's law, a newcomer that waited for all in line would wait for their number over the rate of departures. */
  #sendAway(reason: ShedReason, nowMs: number): AppError {
    this.#shed[reason]++
    const perSecond = this.#flow.departuresPerSecond(nowMs)
    const seconds = perSecond > 0 ? (this.#queue.length + 1) / perSecond : this.#limits.maxWaitMs / 1000
    return new AppError('unavailable', SAID[reason], {
      retryAfterSeconds: Math.min(LONGEST_RETRY_AFTER_SECONDS, Math.max(1, Math.ceil(seconds))),
    })
  }
}

const SAID: Readonly<Record<ShedReason, string>> = {
  full: 'Too many calls are waiting for a place. Try again shortly.',
  waited: 'No place came free in time. Try again shortly.',
  lag: 'Midwatch is overloaded at the moment. Try again shortly.',
}

const stopping = (): AppError => new AppError('unavailable', 'Midwatch is stopping. Try again in a moment.')

/** A place of one call. */
export class Pass {
  readonly #turnstile: Turnstile
  readonly #arrivedMs: number
  #left = false

  constructor(turnstile: Turnstile, arrivedMs: number) {
    this.#turnstile = turnstile
    this.#arrivedMs = arrivedMs
  }

  /** Gives the place to whose turn it is; said again, it changes nothing. */
  leave(): void {
    if (this.#left) return
    this.#left = true
    this.#turnstile.left(this.#arrivedMs)
  }
}
