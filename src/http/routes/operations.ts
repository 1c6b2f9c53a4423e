// For those who run Midwatch: is it alive, may it get traffic, what exactly is wrong, and its numbers.
import { once } from 'node:events'
import { describeError } from '../../core/errors.ts'
import { ok, type Route } from '../exchange.ts'
import type { Metrics } from '../../observe/metrics.ts'

export type CheckResult = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/** One thing Midwatch depends on. `required`: without it, it should get no traffic. */
export interface HealthCheck {
  readonly name: string
  readonly required: boolean
  check(signal: AbortSignal): Promise<CheckResult>
}

export interface OperationsOptions {
  readonly checks: readonly HealthCheck[]
  readonly metrics: Metrics
  readonly version: string
  readonly startedAt: number
  /** True once a stop was asked for: not ready any more, still alive. */
  readonly stopping: () => boolean
  /** What `/health/detail` tells beside the checks, such as the config's state. */
  readonly detail?: () => Readonly<Record<string, unknown>>
}

const CHECK_TIMEOUT_MS = 2000

/** `/health` (alive), `/ready`, `/health/detail`, `/metrics`. */
export function operationsRoutes(options: OperationsOptions): Route[] {
  return [
    {
      method: 'GET',
      path: '/health',
      scope: null,
      handle: async () => ok({ status: 'alive', version: options.version }),
    },
    {
      method: 'GET',
      path: '/ready',
      scope: null,
      handle: async () => {
        if (options.stopping())
          return { status: 503, headers: { 'retry-after': '5' }, json: { ready: false, reason: 'stopping' } }
        const failed = (await runChecks(options.checks.filter((check) => check.required))).filter(
          (result) => !result.ok,
        )
        if (failed.length === 0) return ok({ ready: true })
        return {
          status: 503,
          headers: { 'retry-after': '5' },
          json: { ready: false, reason: failed.map((f) => f.name).join(', ') },
        }
      },
    },
    {
      method: 'GET',
      path: '/health/detail',
      scope: 'admin',
      handle: async () => {
        const checks = await runChecks(options.checks)
        return ok({
          status: checks.every((check) => check.ok)
            ? 'ok'
            : checks.some((c) => !c.ok && c.required)
              ? 'down'
              : 'degraded',
          version: options.version,
          uptimeSeconds: Math.round((Date.now() - options.startedAt) / 1000),
          checks,
          ...options.detail?.(),
        })
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      scope: null,
      handle: async () => ({
        status: 200,
        headers: { 'content-type': options.metrics.contentType },
        body: await options.metrics.metrics(),
      }),
    },
  ]
}

async function runChecks(checks: readonly HealthCheck[]) {
  return Promise.all(
    checks.map(async (one) => {
      const startedMs = performance.now()
      const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS)
      // Raced, not only signalled: a check that hangs in spite of its signal must not hang the answer too.
      const late = once(signal, 'abort').then((): CheckResult => ({ ok: false, reason: 'no answer in time' }))
      const result = await Promise.race([one.check(signal), late]).catch((error: unknown): CheckResult => ({
        ok: false,
        reason: describeError(error),
      }))
      return { name: one.name, required: one.required, ...result, tookMs: Math.round(performance.now() - startedMs) }
    }),
  )
}
