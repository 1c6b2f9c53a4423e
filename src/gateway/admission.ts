// The limits of a call: the worst case is reserved at all of them before it is made, and what it came to is told when it
// is over, whichever way it ended.
import { AppError } from '../core/errors.ts'
import type { Ask } from '../llm/dialect.ts'
import type { Ask as LimiterAsk, Lease, Limiter, Used } from './limits/limiter.ts'
import { refusalError } from './limits/refusal.ts'
import { type Reservation, USED_NOTHING, USED_UNKNOWN, usedBy, worstCase } from './limits/reservation.ts'
import type { Subject } from './limits/subjects.ts'
import type { Outcome } from './outcome.ts'
import type { Plan } from './plan.ts'
import type { Run } from './run.ts'
import type { Configured } from './configured.ts'

export interface Admitting extends Pick<Configured, 'subjectsOf' | 'priceOf'> {
  readonly limiter: Limiter
}

/** Throws `limited`, `forbidden` where no waiting helps, or `unavailable` where it cannot be known. */
export async function admit(parts: Admitting, run: Run, ask: Ask, plan: Plan): Promise<Lease> {
  const { caller } = run.call
  const subjects = parts.subjectsOf(caller, run.user, ask.model)
  const { tokens, costMicroUsd } = subjects.some(needsWorstCase) ? worstOf(parts, ask, plan) : NO_WORST_CASE
  const deciding = parts.limiter.admit(new WorstCase(run, subjects, tokens, costMicroUsd))
  const decision = deciding instanceof Promise ? await waiting(run, deciding) : deciding
  run.standing = decision.standing
  if (decision.kind === 'refused') {
    run.limitHit = { reason: decision.reason, subject: decision.subject.kind }
    throw refusalError(decision)
  }
  run.userHash = subjects.find(({ kind }) => kind === 'user')?.value ?? null
  run.chargedMicroUsd = decision.lease.reservedMicroUsd
  return decision.lease
}

/** A class, for its signal is made only where it is asked for, and a getter in a literal is made anew for every call. */
class WorstCase implements LimiterAsk {
  readonly #run: Run
  readonly subjects: readonly Subject[]
  readonly tokens: number
  readonly costMicroUsd: number | null

  constructor(run: Run, subjects: readonly Subject[], tokens: number, costMicroUsd: number | null) {
    this.#run = run
    this.subjects = subjects
    this.tokens = tokens
    this.costMicroUsd = costMicroUsd
  }

  get signal(): AbortSignal {
    return this.#run.signal
  }
}

/** Where nothing is counted in tokens or money, the worst case is not worked out. */
const needsWorstCase = ({ limits }: Subject): boolean =>
  limits.tokensPerMinute !== undefined || limits.budgetUsd !== undefined

const NO_WORST_CASE: Reservation = { tokens: 0, costMicroUsd: 0 }

function worstOf(parts: Admitting, ask: Ask, plan: Plan): Reservation {
  const wanted = {
    promptCharacters: ask.promptCharacters(),
    maxOutputTokens: ask.maxOutputTokens,
    choices: ask.choices,
    writes: !ask.demands.has('embeddings') && !ask.demands.has('count-tokens'),
  }
  const candidates = plan.targets.map((target) => ({
    price: parts.priceOf(target),
    maxOutputTokens: target.maxOutputTokens,
  }))
  return worstCase(wanted, candidates)
}

async function waiting<T>(run: Run, work: Promise<T>): Promise<T> {
  run.leave()
  try {
    return await work
  } catch (error) {
    throw run.stopped ?? (error instanceof AppError ? error : new AppError('unavailable', undefined, { cause: error }))
  } finally {
    run.enter()
  }
}

/**
 * What the call came to: first for the ledger's row, which has to say so before the limits let go of it; the function
 * tells the limits.
 */
export function account(lease: Lease, run: Run, outcome: Outcome): () => void {
  const used = usedIn(run, outcome)
  const cost = used ? used.costMicroUsd : 0
  // Where nobody learns what it cost, what was reserved stays charged.
  if (cost !== null && run.chargedMicroUsd !== null) run.chargedMicroUsd = cost
  return () => {
    if (used) lease.settle(used)
    else lease.cancel()
  }
}

/** undefined: the call was never made. */
function usedIn(run: Run, outcome: Outcome): Used | undefined {
  const { usage, costMicroUsd } = outcome.facts
  if (usage) return usedBy(usage, costMicroUsd)
  if (run.tried.length > 0) return run.mayHaveUsed ? USED_UNKNOWN : USED_NOTHING
  // What came from our own cache counts as a request, and costs nothing.
  return outcome.kind === 'served' ? USED_NOTHING : undefined
}
