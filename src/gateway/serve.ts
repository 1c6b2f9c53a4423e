// One model call from admission to ledger. Reading this is reading the gateway: read the request, plan its targets, put
// it on record, try the targets in turn, and settle the one Outcome, whichever way it came to be.
import { AppError, toAppError } from '../core/errors.ts'
import type { Clock } from '../core/clock.ts'
import type { Timekeeper } from '../core/timekeeper.ts'
import type { Log } from '../observe/log.ts'
import { account, admit } from './admission.ts'
import type { Audience } from './audience.ts'
import type { AnswerCache } from './cache/answer-cache.ts'
import type { MicroBatcher } from './batching/micro-batcher.ts'
import { type JointAnswer, pursueTogether, type TogetherCall } from './batching/pursue-together.ts'
import type { Coalescer } from './cache/coalescer.ts'
import type { Embed } from './cache/embedder.ts'
import type { Configured } from './configured.ts'
import { Delivery } from './delivery.ts'
import type { HedgeBudget } from './hedge.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { Lease, Limiter } from './limits/limiter.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { ErrorType, Outcome } from './outcome.ts'
import type { Pass, Turnstile } from './overload/turnstile.ts'
import type { Trace, Tracing } from '../observe/tracing.ts'
import { obtain, type SharedRun } from './obtain.ts'
import { findModel } from './plan.ts'
import { failedOutcome, pursue, stoppedOutcome } from './pursue.ts'
import { type ModelCall, Run } from './run.ts'
import { spansOf } from './spans.ts'

/** Everything a call needs: what lives as long as the process, and what the config of the moment makes. */
export interface GatewayParts extends Configured {
  readonly ledger: Ledger
  readonly limiter: Limiter
  readonly metrics: GatewayMetrics
  readonly timekeeper: Timekeeper
  readonly clock: Clock
  readonly log: Log
  readonly turnstile: Turnstile
  readonly hedges: HedgeBudget
  /** 0 to 1, for strategies that draw, and for jitter. */
  readonly random: () => number
  readonly cache: AnswerCache
  readonly coalescer: Coalescer<SharedRun>
  readonly tracing: Tracing | undefined
  readonly batcher: MicroBatcher<TogetherCall, JointAnswer>
  /** How prompts are embedded by that model, at the expense of this call's caller. */
  readonly embedFor: (call: ModelCall, model: string) => Embed
}

/** Never throws: whatever happens is an Outcome, and by then the ledger has it. */
export async function serveCall(parts: GatewayParts, call: ModelCall, audience: Audience): Promise<Outcome> {
  const run = new Run(call, parts.clock, parts.timekeeper)
  if (parts.tracing) run.trace = parts.tracing.begin(call.traceparent)
  let label = 'unknown'
  let outcome: Outcome
  let pass: Pass | undefined
  let lease: Lease | undefined
  try {
    const asked = step('malformed', () => call.dialect.read(call.body))
    run.ask = asked
    run.user = call.user ?? asked.user ?? undefined
    const model = findModel(parts.models, asked.model)
    if (model) label = asked.model
    parts.metrics.began(label)
    if (model) run.endWithin(model.timeouts.totalMs)
    if (model) pass = await enter(parts, run)
    const plan = (run.plan = step(model ? 'malformed' : 'unknown_model', () =>
      parts.planner.plan(asked, call.caller.tenant),
    ))
    const { ask, vault } = step('content_blocked', () => parts.screen(call, asked))
    run.ask = ask
    lease = await admit(parts, run, ask, plan).catch(refuse('limited'))
    outcome = await obtain(
      parts,
      { run, ask, model: plan.model, audience, personal: vault !== null },
      {
        record: () => step('unrecorded', () => parts.ledger.open(run.row(null))),
        pursue: (run, audience) => {
          const onCut = call.onCut ?? plan.model.stream.onCut
          const delivery = new Delivery(run, ask, audience, {
            release: onCut === 'restart' ? 'complete' : 'content',
            rescuable: onCut === 'continue',
            vault,
          })
          const alone = () => pursue(parts, { run, ask, plan, delivery, rewrite: vault !== null })
          return vault === null ? pursueTogether(parts, { run, ask, plan, audience }, alone) : alone()
        },
      },
    )
  } catch (error) {
    if (run.ask === undefined) parts.metrics.began(label)
    outcome = outcomeOfThrown(error, run)
    if (!(error instanceof Refusal) && error !== run.stopped)
      parts.log.error({ err: error, requestId: call.requestId }, 'a model call failed inside Midwatch')
  }
  run.end()
  pass?.leave()
  if (run.limitHit) parts.metrics.limited(run.limitHit)
  const release = lease && account(lease, run, outcome)
  const flushed = parts.ledger.settle(run.row(outcome))
  release?.()
  if (flushed) await flushed
  try {
    parts.metrics.ended(label, call.dialect.endpoint, outcome, {
      seconds: run.elapsedMs() / 1000,
      firstContentSeconds: run.ask?.stream === true && run.firstContentMs !== null ? run.firstContentMs / 1000 : null,
    })
    if (run.trace?.sampled) traceCall(parts, run, run.trace, outcome)
  } catch (error) {
    // All is settled by now: what cannot be counted takes no answer from its caller.
    parts.log.error({ err: error, requestId: call.requestId }, 'a model call could not be counted')
  }
  return outcome
}

function traceCall({ tracing, config }: GatewayParts, run: Run, trace: Trace, outcome: Outcome): void {
  const endMs = run.at + run.elapsedMs()
  tracing?.tell(() => spansOf(run, trace, outcome, endMs, config))
}

/** A place among the calls under way. */
async function enter({ turnstile }: GatewayParts, run: Run): Promise<Pass> {
  try {
    const pass = turnstile.enter(run.call.caller.tenant, run)
    if (!(pass instanceof Promise)) return pass
    run.leave()
    const fromMs = run.elapsedMs()
    return await pass.finally(() => {
      run.queuedMs = run.elapsedMs() - fromMs
    })
  } catch (error) {
    // It was ended from outside while it waited.
    if (run.stopped) throw run.stopped
    return refuse('overloaded')(error)
  } finally {
    run.enter()
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

/** What ends a request from outside is no refusal of ours. */
const STOPPED: ReadonlySet<string> = new Set(['client_gone', 'deadline'])

const refuse =
  (errorType: ErrorType) =>
  (error: unknown): never => {
    throw error instanceof AppError && !STOPPED.has(error.code) ? new Refusal(errorType, error) : error
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
  if (thrown === run.stopped && run.stopped) return stoppedOutcome(run, run.stopped)
  return failedOutcome(run, 'internal', toAppError(thrown))
}
