// A second try elsewhere once the first is slower than its own 95th percentile (Dean and Barroso, "The tail at scale",
// 2013). Whoever has content first wins; the other is ended at once, and its use is on the bill all the same.
import type { Target } from './plan.ts'
import type { GatewayParts } from './serve.ts'
import { type Pursuit, type Try, tryTarget } from './try-target.ts'

export interface Hedge {
  readonly target: Target
  readonly afterMs: number
  /** Beside these two. */
  readonly othersLeft: boolean
}

/** Keeps the second tries of each model below their share of its calls. */
export class HedgeBudget {
  readonly #counts = new Map<string, { calls: number; hedges: number }>()

  /** Counts a call; true when it may be hedged. */
  call(model: string, share: number): boolean {
    let count = this.#counts.get(model)
    if (!count) this.#counts.set(model, (count = { calls: 0, hedges: 0 }))
    // What was long ago does not save up for a burst.
    if (++count.calls >= REMEMBERED_CALLS) {
      count.calls /= 2
      count.hedges /= 2
    }
    return count.hedges + 1 <= count.calls * share
  }

  spend(model: string): void {
    const count = this.#counts.get(model)
    if (count) count.hedges++
  }
}

const REMEMBERED_CALLS = 1_000

/** undefined: this call is not hedged. */
export function planHedge(
  { hedges }: GatewayParts,
  { plan, ask }: Pursuit,
  first: Target,
  second: Target | undefined,
  othersLeft: boolean,
): Hedge | undefined {
  const { share, afterMs } = plan.model.hedge
  if (share === 0 || !hedges.call(ask.model, share) || !second) return undefined
  const usualMs = first.load.p95FirstContentMs(ask.stream)
  return usualMs === null ? undefined : { target: second, afterMs: Math.max(usualMs, afterMs), othersLeft }
}

/** The try that decides: the one with content, else the one that failed last. Its end is known. */
export async function raceHedge(
  parts: GatewayParts,
  pursuit: Pursuit,
  first: Try,
  { target, afterMs, othersLeft }: Hedge,
): Promise<{ readonly decisive: Try; readonly second: Try | undefined }> {
  const { run, ask, delivery } = pursuit
  const late = Promise.withResolvers<'late'>()
  const limit = run.timekeeper.limit(afterMs, () => late.resolve('late'))
  const early = await Promise.race([first.done, late.promise])
  limit.cancel()
  if (early !== 'late' || first.attempt.hasContent || run.stopped) {
    await first.done
    return { decisive: first, second: undefined }
  }
  const entry = target.breaker.tryEnter()
  if (entry.kind === 'open') {
    await first.done
    return { decisive: first, second: undefined }
  }
  parts.hedges.spend(ask.model)
  run.hedged = true
  const second = tryTarget(parts, pursuit, target, entry, { reason: 'hedge', othersLeft })
  delivery.onClaim = (owner) => (owner === first.attempt ? second : first).attempt.lose()
  const [end, other] = await Promise.all([first.done, second.done])
  delivery.onClaim = undefined
  if (end.kind === 'completed' || first.attempt.begun || other.kind === 'lost') return { decisive: first, second }
  return { decisive: second, second }
}
