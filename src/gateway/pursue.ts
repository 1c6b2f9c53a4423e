// Tries the targets in turn until one answers whole: the next before the first content, and after it, by the declared
// policy, the next one to go on with what broke off.
import { AppError } from '../core/errors.ts'
import type { Ask } from '../llm/dialect.ts'
import type { ProviderFailure } from '../llm/provider.ts'
import { Attempt, type AttemptEnd } from './attempt.ts'
import { type Continuation, continueBehind, spliceOnto } from './continuation.ts'
import type { Delivery } from './delivery.ts'
import type { ProviderHealth } from './health.ts'
import { type ErrorType, failureAsError, mayHelpElsewhere, type Outcome } from './outcome.ts'
import type { Target } from './plan.ts'
import { priceUsage } from './price-usage.ts'
import type { Run } from './run.ts'
import type { GatewayParts } from './serve.ts'

export interface Pursuit {
  readonly run: Run
  readonly ask: Ask
  readonly targets: readonly Target[]
  readonly delivery: Delivery
  /** The answer must be written anew whatever the provider speaks. */
  readonly rewrite: boolean
}

interface Failed {
  readonly target: Target
  readonly failure: ProviderFailure
}

/** How the request ends. Throws only what is our own fault. */
export async function pursue(parts: GatewayParts, pursuit: Pursuit): Promise<Outcome> {
  const { run, targets, delivery } = pursuit
  let failed: Failed | undefined
  for (const target of targets) {
    const end = await tryOne(parts, pursuit, target)
    if (end.kind === 'completed') return served(run, delivery, end.closing)
    if (end.kind !== 'failed') break
    failed = { target, failure: end.failure }
    if (delivery.begun || !mayHelpElsewhere(end.failure, target.failover)) break
  }
  if (failed && delivery.begun && !run.stopped && rescuable(failed, pursuit)) {
    const end = await rescue(parts, pursuit, failed)
    if (end === 'rescued') return served(run, delivery, null)
  }
  if (run.stopped) return stoppedOutcome(run, run.stopped)
  if (!failed) throw new AppError('internal', undefined, { cause: new Error('no target was tried') })
  return failedAt(run, failed)
}

async function tryOne(
  parts: GatewayParts,
  { run, ask, delivery, rewrite }: Pursuit,
  target: Target,
  continuation?: Continuation,
): Promise<AttemptEnd> {
  const provider = parts.providers.get(target.provider)
  if (!provider) throw new AppError('internal', undefined, { cause: new Error(`no provider ${target.provider}`) })
  const attempt = new Attempt({
    run,
    ask,
    target,
    provider,
    delivery,
    rewrite,
    continuation,
    priceOf: (usage) => priceUsage(usage, target),
  })
  const end = await attempt.go()
  run.tried.push({ target, answeredBy: attempt.answeredBy, bill: attempt.bill() })
  noteHealth(parts.health, target, end, run)
  if (end.kind === 'failed') {
    parts.log.warn(
      {
        requestId: run.call.requestId,
        provider: target.provider,
        model: target.model,
        attempt: run.attempts,
        failure: end.failure.kind,
      },
      `${target.provider} failed: ${end.failure.message}`,
    )
  }
  return end
}

const rescuable = ({ target }: Failed, { run }: Pursuit): boolean =>
  (run.call.onCut ?? target.stream.onCut) === 'continue'

/** Goes on with an answer that broke off: at the targets that were not tried, else once more at the one that failed. */
async function rescue(parts: GatewayParts, pursuit: Pursuit, failed: Failed): Promise<'rescued' | 'lost'> {
  const { targets, delivery } = pursuit
  const untried = targets.slice(targets.indexOf(failed.target) + 1)
  for (const target of untried.length > 0 ? untried : [failed.target]) {
    const provider = parts.providers.get(target.provider)
    const said = delivery.takeOver()
    if (!provider || !said) return 'lost'
    const prefills = said.onlyText && said.text.trim() !== '' && (target.prefill ?? provider.takesPrefill(target.model))
    for (const continuation of [...(prefills ? [continueBehind(said)] : []), spliceOnto(said)]) {
      const before = said.text.length
      delivery.disown()
      const end = await tryOne(parts, pursuit, target, continuation)
      if (end.kind === 'completed') return 'rescued'
      if (end.kind !== 'failed') return 'lost'
      // It went on for a while, and what it said is said: the next one has to start from there.
      if (said.text.length > before) break
    }
  }
  return 'lost'
}

const served = (run: Run, delivery: Delivery, closing: Uint8Array | null): Outcome => ({
  kind: 'served',
  closing: delivery.finish(closing),
  facts: run.facts(),
})

function stoppedOutcome(run: Run, reason: AppError): Outcome {
  if (reason.code === 'client_gone') return { kind: 'abandoned', facts: run.facts() }
  return failedOutcome(run, reason.code === 'deadline' ? 'deadline' : 'stopping', reason)
}

/** The provider's own words are for the caller where they are in the caller's dialect. */
function failedAt(run: Run, { target, failure }: Failed): Outcome {
  return {
    ...failedOutcome(run, failure.kind, failureAsError(target.provider, failure)),
    reply: failure.detail.reply,
    event: failure.kind === 'upstream_auth' ? undefined : failure.detail.event,
  }
}

export const failedOutcome = (run: Run, errorType: ErrorType, error: AppError) =>
  ({ kind: 'failed', errorType, error, reply: undefined, event: undefined, facts: run.facts() }) as const

function noteHealth(health: ProviderHealth, target: Target, end: AttemptEnd, run: Run): void {
  if (end.kind === 'completed') health.note(target.provider, true)
  // A provider that finds fault with a request works.
  else if (end.kind === 'failed') health.note(target.provider, end.failure.detail.publicMessage !== undefined)
  // A plain answer that never comes meets no other limit. A limit that the caller chose says nothing.
  else if (run.stopped?.code === 'deadline' && run.firstContentMs === null && run.call.deadlineMs === undefined) {
    health.note(target.provider, false)
  }
}
