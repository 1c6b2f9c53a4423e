// One model call from admission to ledger. Reading this is reading the gateway: read the request, plan its targets, put
// it on record, try the targets in turn, and settle the one Outcome, whichever way it came to be.
import { AppError, toAppError } from '../core/errors.ts'
import type { Clock } from '../core/clock.ts'
import type { Timekeeper } from '../core/timekeeper.ts'
import type { Provider, ProviderFailure } from '../llm/provider.ts'
import type { Log } from '../observe/log.ts'
import { attempt, type AttemptEnd } from './attempt.ts'
import type { Audience } from './audience.ts'
import { type ChatRead, readChatRequest } from './chat-request.ts'
import type { ProviderHealth } from './health.ts'
import type { Ledger } from './ledger.ts'
import type { GatewayMetrics } from './metrics.ts'
import { type ErrorType, failureAsError, mayHelpElsewhere, type Outcome } from './outcome.ts'
import { findModel, type Models, planTargets, type Target } from './plan.ts'
import { CHAT_ENDPOINT, type ChatCall, Run } from './run.ts'

export interface GatewayParts {
  readonly models: Models
  readonly providers: ReadonlyMap<string, Provider>
  readonly ledger: Ledger
  readonly metrics: GatewayMetrics
  readonly health: ProviderHealth
  readonly timekeeper: Timekeeper
  readonly clock: Clock
  readonly log: Log
  /** 0 to 1, for strategies that draw. */
  readonly random: () => number
}

/** Never throws: whatever happens is an Outcome, and by then the ledger has it. */
export async function serveChat(parts: GatewayParts, call: ChatCall, audience: Audience): Promise<Outcome> {
  const run = new Run(call, parts.clock, parts.timekeeper)
  let label = 'unknown'
  let outcome: Outcome
  try {
    const request = step('malformed', () => readChatRequest(call.body))
    run.request = request
    if (findModel(parts.models, request.model)) label = request.model
    parts.metrics.began(label)
    const targets = step('unknown_model', () => planTargets(parts.models, request.model, parts.random))
    run.endWithin(findModel(parts.models, request.model)?.timeouts.totalMs ?? Infinity)
    await parts.ledger.open(run.row(null)).catch(refuse('unrecorded'))
    outcome = await tryInTurn(parts, run, request, targets, audience)
  } catch (error) {
    if (run.request === undefined) parts.metrics.began(label)
    outcome = outcomeOfThrown(error, run)
    if (!(error instanceof Refusal))
      parts.log.error({ err: error, requestId: call.requestId }, 'a model call failed inside Midwatch')
  }
  run.end()
  await parts.ledger.settle(run.row(outcome))
  parts.metrics.ended(label, CHAT_ENDPOINT, outcome, {
    seconds: run.elapsedMs() / 1000,
    firstContentSeconds: run.request?.stream === true && run.firstContentMs !== null ? run.firstContentMs / 1000 : null,
  })
  return outcome
}

async function tryInTurn(
  parts: GatewayParts,
  run: Run,
  request: ChatRead,
  targets: readonly Target[],
  audience: Audience,
): Promise<Outcome> {
  let failed: { readonly target: Target; readonly failure: ProviderFailure } | undefined
  for (const target of targets) {
    const provider = parts.providers.get(target.provider)
    if (!provider) continue
    const end = await attempt(run, request, provider, target, audience)
    noteHealth(parts.health, target, end, run)
    if (end.kind === 'completed') return { kind: 'served', closing: end.closing, facts: run.facts() }
    if (end.kind === 'stopped') break
    failed = { target, failure: end.failure }
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
    if (run.firstContentMs !== null || !mayHelpElsewhere(end.failure)) break
  }
  if (run.stopped) return stoppedOutcome(run, run.stopped)
  if (!failed) throw new AppError('internal', undefined, { cause: new Error(`no provider for ${request.model}`) })
  const { target, failure } = failed
  return {
    ...failedOutcome(run, failure.kind, failureAsError(target.provider, failure)),
    reply: failure.detail.reply,
    event: failure.kind === 'upstream_auth' ? undefined : failure.detail.event,
  }
}

function stoppedOutcome(run: Run, reason: AppError): Outcome {
  if (reason.code === 'client_gone') return { kind: 'abandoned', facts: run.facts() }
  return failedOutcome(run, reason.code === 'deadline' ? 'deadline' : 'stopping', reason)
}

const failedOutcome = (run: Run, errorType: ErrorType, error: AppError) =>
  ({ kind: 'failed', errorType, error, reply: undefined, event: undefined, facts: run.facts() }) as const

function noteHealth(health: ProviderHealth, target: Target, end: AttemptEnd, run: Run): void {
  if (end.kind === 'completed') health.note(target.provider, true)
  // A provider that finds fault with a request works.
  else if (end.kind === 'failed') health.note(target.provider, !mayHelpElsewhere(end.failure))
  // A plain answer that never comes meets no other limit. A limit that the caller chose says nothing.
  else if (run.stopped?.code === 'deadline' && run.firstContentMs === null && run.call.deadlineMs === undefined) {
    health.note(target.provider, false)
  }
}

/** A refusal on its way out of the list of steps. */
class Refusal extends Error {
  readonly errorType: ErrorType
  readonly error: AppError

  constructor(errorType: ErrorType, error: AppError) {
    super(error.message, { cause: error })
    this.errorType = errorType
    this.error = error
  }
}

const refuse =
  (errorType: ErrorType) =>
  (error: unknown): never => {
    throw error instanceof AppError ? new Refusal(errorType, error) : error
  }

function step<T>(errorType: ErrorType, work: () => T): T {
  try {
    return work()
  } catch (error) {
    return refuse(errorType)(error)
  }
}

function outcomeOfThrown(thrown: unknown, run: Run): Outcome {
  if (thrown instanceof Refusal) {
    return { kind: 'refused', errorType: thrown.errorType, error: thrown.error, facts: run.facts() }
  }
  return failedOutcome(run, 'internal', toAppError(thrown))
}
