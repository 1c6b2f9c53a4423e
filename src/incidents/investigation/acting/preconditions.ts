// Whether what an action presumes is so: each precondition is asked at its source. One that cannot be asked does not hold.
import type { PreconditionConfig } from '../../../config/action-schema.ts'
import type { Comparison } from '../../../core/action-kinds.ts'
import type { Clock } from '../../../core/clock.ts'
import { withDeadline } from '../../../core/deadline.ts'
import { describeError } from '../../../core/errors.ts'
import type { MetricSource } from '../../../core/telemetry.ts'
import { fillTemplate } from '../../../core/template.ts'
import type { InvestigationContext } from '../context.ts'
import { fillHeaders } from './request.ts'

export interface Checked {
  /** The precondition in words. */
  readonly says: string
  readonly holds: boolean
  /** What was seen instead, or why nothing was. */
  readonly seen: string
}

type AskingContext = Pick<InvestigationContext, 'actions' | 'clock'> & {
  readonly sources: { readonly metrics: readonly MetricSource[] }
}

const ASK_WITHIN_MS = 10_000

/** All of them, side by side. Throws only when the signal aborts. */
export async function askPreconditions(
  context: AskingContext,
  preconditions: readonly PreconditionConfig[],
  parameters: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly Checked[]> {
  const values = { ...parameters, run: '' }
  return await Promise.all(
    preconditions.map(async (one): Promise<Checked> => {
      let { says } = one
      try {
        says = fillTemplate(says, values)
        return { says, ...(await ask(context, one, values, signal)) }
      } catch (error) {
        signal.throwIfAborted()
        return { says, holds: false, seen: `it could not be asked: ${describeError(error)}` }
      }
    }),
  )
}

/** "the old release is still there: seen …" of all that do not hold, or undefined. */
export function sayUnmet(checked: readonly Checked[]): string | undefined {
  const unmet = checked.filter(({ holds }) => !holds)
  return unmet.length === 0 ? undefined : unmet.map(({ says, seen }) => `“${says}” does not hold (${seen})`).join('; ')
}

type Answer = Pick<Checked, 'holds' | 'seen'>

async function ask(
  context: AskingContext,
  one: PreconditionConfig,
  values: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answer> {
  if (one.kind === 'promql') {
    const { value, query } = await askPromql(context, one.query, values, signal)
    if (value === undefined) return { holds: false, seen: `${query} has no value` }
    return { holds: compare(value, one.is, one.value), seen: `${query} is ${value}, wanted ${one.is} ${one.value}` }
  }
  const headers = fillHeaders(one.headers, values)
  const url = fillTemplate(one.url, values, encodeURIComponent)
  const looked = await context.actions.look({ url, headers, timeoutMs: one.timeoutMs }, signal)
  if (looked.kind === 'unanswered') return { holds: false, seen: looked.detail }
  if (looked.status !== one.status) return { holds: false, seen: `answered ${looked.status}, wanted ${one.status}` }
  if (one.field === undefined) return { holds: true, seen: `answered ${looked.status}` }
  const found = fieldOf(looked.body, one.field)
  if (found === undefined) return { holds: false, seen: `the answer has no ${one.field}` }
  if (one.equals === undefined) return { holds: true, seen: `${one.field} is ${found}` }
  const wanted = fillTemplate(one.equals, values)
  return { holds: found === wanted, seen: `${one.field} is ${found}, wanted ${wanted}` }
}

/** Asks the first source that speaks PromQL. Throws where there is none. */
export async function askPromql(
  { sources, clock }: Pick<AskingContext, 'sources' | 'clock'> & { readonly clock: Clock },
  template: string,
  values: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<{ readonly value: number | undefined; readonly query: string }> {
  const query = fillTemplate(template, values, escapeInQuotes)
  const evaluate = sources.metrics.find((source) => source.evaluate !== undefined)
  if (!evaluate?.evaluate) throw new Error('no source here speaks PromQL; name a Prometheus in agent.sources')
  const value = await withDeadline(
    clock,
    ASK_WITHIN_MS,
    signal,
    async (inner) => await evaluate.evaluate?.(query, clock.now(), inner),
  )
  return { value, query }
}

export function compare(value: number, is: Comparison, wanted: number): boolean {
  switch (is) {
    case '<':
      return value < wanted
    case '<=':
      return value <= wanted
    case '==':
      return value === wanted
    case '!=':
      return value !== wanted
    case '>=':
      return value >= wanted
    case '>':
      return value > wanted
  }
}

/** A value is harmless, but it may have a quote. */
const escapeInQuotes = (value: string): string => value.replaceAll(/["\\]/g, String.raw`\$&`)

const LONGEST_SEEN = 200

/** A plain value at a path of a JSON text (`status.replicas.0`), as text. */
function fieldOf(body: string, path: string): string | undefined {
  let at: unknown
  try {
    at = JSON.parse(body)
  } catch {
    return undefined
  }
  for (const step of path.split('.')) {
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, step)) return undefined
    at = (at as Record<string, unknown>)[step]
  }
  return typeof at === 'string' || typeof at === 'number' || typeof at === 'boolean'
    ? String(at).slice(0, LONGEST_SEEN)
    : undefined
}
