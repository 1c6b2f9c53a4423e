// What this process has committed of every budget: what was spent and what is reserved for calls under way, as one
// number, learnt from the ledger when a budget is first met and kept in memory from then on. A reservation whose end
// nobody learns (a crash, a usage that no provider told) stays in it as spent.
//
// Callers can make up users without end, so beyond a number of budgets those that nobody has used for a while are
// forgotten. Nothing is granted twice by that: whoever comes again is learnt again, and the ledger has it all, for a row
// is told what it cost before its call lets go of the budget.
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { type Period, periodEnd, periodStart } from './periods.ts'
import type { Subject } from './subjects.ts'

/** Reads from the ledger what a subject has committed since then, in micro-dollars. */
export type SpentSince = (subject: Subject, fromMs: number) => Promise<number>

/** Thousandths of a micro-dollar: whole numbers, so that sums are exact. A limit of nine million dollars fits. */
export const nanoOf = (microUsd: number): number => Math.ceil(microUsd * 1000 - 1e-6)
export const nanoOfUsd = (usd: number): number => Math.round(usd * 1e9)

/** One subject's budget in its current period. */
export interface Budget {
  readonly per: Period
  startMs: number
  endMs: number
  /** Spent and reserved by this process. */
  committedNano: number
  /** Of that, reserved for calls under way. */
  reservedNano: number
  /** By others who share the budget, as far as was heard. */
  othersNano: number
  /** Calls under way that will be settled here. */
  calls: number
  /** When it was last looked at. */
  usedMs: number
}

const SWEEP_FROM = 10_000
/** About half a kilobyte each. */
const MOST = 100_000
/** Between the look at a budget and the reservation there may be a question to Redis: it takes less than this. */
const IDLE_MS = 10_000

export class Spending {
  readonly #spentSince: SpentSince
  readonly #clock: Clock
  readonly #most: number
  readonly #budgets = new Map<string, Budget>()
  readonly #learning = new Map<string, Promise<void>>()
  #sweepAt: number

  /** `most`: how many budgets are kept, beside those in use. */
  constructor(spentSince: SpentSince, clock: Clock, most = MOST) {
    this.#spentSince = spentSince
    this.#clock = clock
    this.#most = most
    this.#sweepAt = Math.min(SWEEP_FROM, most)
  }

  get size(): number {
    return this.#budgets.size
  }

  /** The subject's budget as of now; undefined while it is not learnt. */
  find(subject: Subject, nowMs: number): Budget | undefined {
    const { budgetUsd } = subject.limits
    const budget = this.#budgets.get(subject.id)
    if (!budget || budget.per !== budgetUsd?.per) return undefined
    // A period that began while we counted began with nothing.
    if (nowMs >= budget.endMs) begin(budget, nowMs)
    budget.usedMs = nowMs
    return budget
  }

  /** Asks the ledger. Rejects with `unavailable`: what was spent is not known, so nothing more may be. */
  learn(subject: Subject, nowMs: number): Promise<void> {
    const per = subject.limits.budgetUsd?.per
    if (per === undefined) return Promise.resolve()
    const under = `${per} ${subject.id}`
    let learning = this.#learning.get(under)
    if (!learning) {
      learning = this.#learn(subject, per, nowMs).finally(() => this.#learning.delete(under))
      this.#learning.set(under, learning)
    }
    return learning
  }

  /** A subject that has no budget (any more): what comes now is not counted, so what was is no longer the whole. */
  forget(subject: Subject): void {
    if (this.#budgets.size > 0) this.#budgets.delete(subject.id)
  }

  /** With the id of its subject. */
  all(): Iterable<readonly [string, Budget]> {
    return this.#budgets
  }

  async #learn(subject: Subject, per: Period, nowMs: number): Promise<void> {
    const startMs = periodStart(per, nowMs)
    let spent: number
    try {
      spent = await this.#spentSince(subject, startMs)
    } catch (error) {
      throw new AppError(
        'unavailable',
        'What was spent cannot be read right now, so no budget can be kept. Try again.',
        {
          cause: error,
        },
      )
    }
    // Another period may have begun meanwhile, and nobody counted: then it is asked again.
    if (this.#clock.now() < periodEnd(per, nowMs)) this.#set(subject.id, per, spent, nowMs)
  }

  #set(id: string, per: Period, microUsd: number, nowMs: number): void {
    if (this.#budgets.size >= this.#sweepAt) this.#sweep(nowMs)
    const budget = {
      per,
      startMs: 0,
      endMs: 0,
      committedNano: 0,
      reservedNano: 0,
      othersNano: 0,
      calls: 0,
      usedMs: nowMs,
    }
    begin(budget, nowMs)
    budget.committedNano = nanoOf(microUsd)
    this.#budgets.set(id, budget)
  }

  /** Budgets of a period that is over say nothing any more. Of the others, so many as are too many and not in use. */
  #sweep(nowMs: number): void {
    for (const [id, { endMs }] of this.#budgets) if (nowMs >= endMs) this.#budgets.delete(id)
    const enough = Math.floor(this.#most * 0.75)
    if (this.#budgets.size > enough) {
      let tooMany = this.#budgets.size - enough
      for (const [id, { calls, usedMs }] of this.#budgets) {
        if (tooMany === 0) break
        if (calls > 0 || nowMs - usedMs < IDLE_MS) continue
        this.#budgets.delete(id)
        tooMany--
      }
    }
    // So far apart that the work of sweeping stays a constant share of the work of learning.
    const { size } = this.#budgets
    this.#sweepAt = Math.max(Math.min(SWEEP_FROM, this.#most), Math.min(size * 2, Math.max(this.#most, size * 1.25)))
  }
}

function begin(budget: Budget, nowMs: number): void {
  budget.startMs = periodStart(budget.per, nowMs)
  budget.endMs = periodEnd(budget.per, nowMs)
  budget.committedNano = 0
  budget.reservedNano = 0
  budget.othersNano = 0
}
