// One try at a target with all that is kept about it: the breaker lets it in and hears how it ended, the target's load
// counts it, and the run remembers it, also when nothing came of it.
import { AppError } from '../core/errors.ts'
import type { Ask } from '../llm/dialect.ts'
import { Attempt, type AttemptEnd } from './attempt.ts'
import type { AttemptVerdict, Ticket } from './breaker.ts'
import type { Continuation } from './continuation.ts'
import type { AttemptReason } from './decision.ts'
import type { Delivery } from './delivery.ts'
import type { FlightEnd } from './load.ts'
import type { Plan, Target } from './plan.ts'
import { costOf } from './prices.ts'
import type { Run } from './run.ts'
import type { GatewayParts } from './serve.ts'

/** A request in pursuit of its answer. */
export interface Pursuit {
  readonly run: Run
  readonly ask: Ask
  readonly plan: Plan
  readonly delivery: Delivery
  /** The answer must be written anew whatever the provider speaks. */
  readonly rewrite: boolean
}

export interface Try {
  readonly target: Target
  readonly attempt: Attempt
  /** Rejects only with what is our own fault. */
  readonly done: Promise<AttemptEnd>
}

export interface TryOptions {
  readonly reason: AttemptReason
  /** Somebody else can be asked after it: so it may not use all the time that is left. */
  readonly othersLeft: boolean
  readonly continuation?: Continuation
}

/** `ticket` is handed back, whatever happens. */
export function tryTarget(
  parts: GatewayParts,
  { run, ask, delivery, rewrite }: Pursuit,
  target: Target,
  ticket: Ticket,
  { reason, othersLeft, continuation }: TryOptions,
): Try {
  const provider = parts.providers.get(target.provider)
  if (!provider) throw new AppError('internal', undefined, { cause: new Error(`no provider ${target.provider}`) })
  const flight = target.load.begin(ask.stream)
  const attempt = new Attempt({
    run,
    ask,
    target,
    provider,
    delivery,
    rewrite,
    continuation,
    plainMs: target.timeouts.plainMs ?? (othersLeft ? run.timeLeftMs() / 2 : Infinity),
    priceOf: (usage) => costOf(usage, parts.priceOf(target)),
    onContent: () => {
      flight.content()
      target.breaker.content(ticket)
    },
  })
  const finish = async (): Promise<AttemptEnd> => {
    let verdict: AttemptVerdict = { kind: 'unknown' }
    let landed: FlightEnd = { kind: 'unknown' }
    try {
      const end = await attempt.go()
      verdict = verdictOf(end, run, target)
      landed = landingOf(verdict, attempt)
      const priceSource = parts.priceOf(target)?.source ?? null
      parts.metrics.tried(target.provider, reason, end)
      run.tried.push({ target, reason, ticket: ticket.kind, priceSource, end, ...attempt.record() })
      if (end.kind === 'failed') logFailure(parts, run, target, end)
      return end
    } finally {
      target.breaker.leave(ticket, verdict)
      flight.end(landed)
    }
  }
  return { target, attempt, done: finish() }
}

function verdictOf(end: AttemptEnd, run: Run, target: Target): AttemptVerdict {
  // The time a plain answer has hangs on the deadline. One that the caller chose says nothing.
  const callersLimit =
    run.call.deadlineMs !== undefined && run.ask?.stream !== true && target.timeouts.plainMs === undefined
  switch (end.kind) {
    case 'completed':
      return { kind: 'good' }
    case 'failed':
      return callersLimit && end.failure.kind === 'upstream_timeout'
        ? { kind: 'unknown' }
        : { kind: 'failed', failure: end.failure }
    case 'late':
      return run.call.deadlineMs === undefined ? { kind: 'failed', failure: end.failure } : { kind: 'unknown' }
    case 'stopped':
    case 'lost':
      return { kind: 'unknown' }
  }
}

function landingOf(verdict: AttemptVerdict, attempt: Attempt): FlightEnd {
  switch (verdict.kind) {
    case 'good':
      return { kind: 'served', outputTokens: attempt.record().bill?.usage.outputTokens ?? null }
    case 'failed':
      return { kind: 'failed' }
    case 'unknown':
      return { kind: 'unknown' }
  }
}

function logFailure({ log }: GatewayParts, run: Run, target: Target, end: AttemptEnd & { kind: 'failed' }): void {
  log.warn(
    {
      requestId: run.call.requestId,
      provider: target.provider,
      model: target.model,
      attempt: run.tried.length,
      failure: end.failure.kind,
    },
    `${target.provider} failed: ${end.failure.message}`,
  )
}
