// Tries the targets in turn until one answers whole: the same one again where that may help, the next one otherwise; once
// content went out, by the declared policy, whoever can go on with what broke off.
import type { AppError } from '../core/errors.ts'
import type { ProviderFailure } from '../llm/provider.ts'
import type { AttemptEnd } from './attempt.ts'
import { allOpen } from './breaker.ts'
import { type Hedge, planHedge, raceHedge } from './hedge.ts'
import { type ErrorType, failureAsError, type Outcome } from './outcome.ts'
import type { Target } from './plan.ts'
import { rescue } from './rescue.ts'
import { mayServe, nextStep } from './retry.ts'
import type { Run } from './run.ts'
import type { GatewayParts } from './serve.ts'
import { type Pursuit, type Try, tryTarget } from './try-target.ts'

interface Failed {
  readonly target: Target
  readonly failure: ProviderFailure
  /** The provider spoke in the caller's dialect. */
  readonly verbatim: boolean
}

/** How the request ends. Throws only what is our own fault. */
export async function pursue(parts: GatewayParts, pursuit: Pursuit): Promise<Outcome> {
  const { run, plan, delivery } = pursuit
  const left = [...plan.targets]
  let ready = plan.ready
  let failed: Failed | undefined
  let opensMs = Infinity
  let triesHere = 0
  for (let target = left[0]; target && !run.stopped; target = left[0]) {
    // Its own first try may have opened the breaker: where nobody else is left, its retry is still better than a failure.
    const entry = target.breaker.tryEnter(ready <= 0 || (triesHere > 0 && left.length === 1))
    if (entry.kind === 'open') {
      opensMs = Math.min(opensMs, entry.untilMs)
      left.shift()
      ready--
      triesHere = 0
      continue
    }
    triesHere++
    const first = tryTarget(parts, pursuit, target, entry, {
      reason: triesHere > 1 ? 'retry' : run.attempts > 0 ? 'failover' : 'first',
      othersLeft: ready > 1,
    })
    const hedge = triesHere === 1 && ready > 1 ? planHedge(parts, pursuit, target, left[1], ready > 2) : undefined
    const last = hedge ? await hedged(parts, pursuit, first, hedge, left) : { tried: first, end: await first.done }
    const { end } = last
    // The second of two that were asked at once was one of the ready ones.
    if (hedge && left[1] !== hedge.target) ready--
    if (end.kind === 'completed') return served(pursuit, end.closing)
    if (end.kind !== 'failed') break
    failed = { target: last.tried.target, failure: end.failure, verbatim: last.tried.attempt.verbatim }
    if (delivery.begun) break
    const step = nextStep({
      failure: end.failure,
      contentSent: false,
      triesHere,
      retries: target.retries,
      failover: plan.model.failover,
      othersLeft: left.slice(1).some((other) => mayServe(other, last.tried.target, end.failure)),
      timeLeftMs: run.timeLeftMs(),
      random: parts.random,
    })
    if (step.kind === 'give-up') break
    if (step.kind === 'retry') {
      if (step.afterMs > 0) await pause(parts, run, step.afterMs)
      continue
    }
    do {
      left.shift()
      ready--
    } while (left[0] && !mayServe(left[0], last.tried.target, end.failure))
    triesHere = 0
  }
  if (failed && delivery.begun && !run.stopped) {
    if (onCutOf(pursuit) !== 'continue') run.unrescued = 'not asked for'
    else if (await rescue(parts, pursuit, failed.target, left.slice(1))) return served(pursuit, null)
  }
  if (run.stopped) return stoppedOutcome(run, run.stopped)
  if (failed) return failedAt(run, failed)
  const error = allOpen(plan.targets[0]?.of ?? '', opensMs, parts.clock.now())
  return { kind: 'refused', errorType: 'breaker_open', error, facts: run.facts() }
}

/** The try that decides, and the second target off the list if it was asked. */
async function hedged(
  parts: GatewayParts,
  pursuit: Pursuit,
  first: Try,
  hedge: Hedge,
  left: Target[],
): Promise<{ readonly tried: Try; readonly end: AttemptEnd }> {
  const { decisive, second } = await raceHedge(parts, pursuit, first, hedge)
  if (second) left.splice(left.indexOf(second.target), 1)
  return { tried: decisive, end: await decisive.done }
}

const onCutOf = ({ run, plan }: Pursuit) => run.call.onCut ?? plan.model.stream.onCut

async function pause({ clock }: GatewayParts, run: Run, ms: number): Promise<void> {
  run.leave()
  // Woken early, the loop sees that the run was stopped.
  await clock.sleep(ms, run.signal).catch(() => undefined)
  run.enter()
}

const served = ({ run, delivery }: Pursuit, closing: Uint8Array | null): Outcome => ({
  kind: 'served',
  closing: delivery.finish(closing),
  facts: run.facts(),
})

export function stoppedOutcome(run: Run, reason: AppError): Outcome {
  if (reason.code === 'client_gone') return { kind: 'abandoned', facts: run.facts() }
  return failedOutcome(run, reason.code === 'deadline' ? 'deadline' : 'stopping', reason)
}

/** The provider's own words are for the caller where they are in the caller's dialect. */
function failedAt(run: Run, { target, failure, verbatim }: Failed): Outcome {
  return {
    ...failedOutcome(run, failure.kind, failureAsError(target.provider, failure)),
    reply: verbatim ? failure.detail.reply : undefined,
    event: verbatim && failure.kind !== 'upstream_auth' ? failure.detail.event : undefined,
  }
}

export const failedOutcome = (run: Run, errorType: ErrorType, error: AppError) =>
  ({ kind: 'failed', errorType, error, reply: undefined, event: undefined, facts: run.facts() }) as const
