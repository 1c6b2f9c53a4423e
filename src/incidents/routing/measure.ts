// Asks the metric sources how an objective does: of each long window its twelfths, so that one question answers for both
// windows. What cannot be answered is unknown, with why; it never fails the classification.
import type { Objective } from '../../config/routing-schema.ts'
import { AppError, describeError } from '../../core/errors.ts'
import { compileLinear } from '../../core/linear-regex.ts'
import type { MetricSource, Series } from '../../core/telemetry.ts'
import { BURN_WINDOWS, burnsOf, type Shares, sharesOf, STEPS } from './burn-rate.ts'
import type { MeasuredObjective } from './severity-of-impact.ts'

/** Of the first source that knows anything of it. */
export async function measureObjective(
  sources: readonly MetricSource[],
  service: string,
  objective: Objective,
  nowMs: number,
  signal: AbortSignal,
): Promise<MeasuredObjective> {
  const { name, target, windowDays } = objective
  let unknown = 'no source has its metric'
  for (const source of sources) {
    try {
      const shares: Shares[] = []
      // In turn: at three in the morning a source has others to answer too.
      for (const { longMs } of BURN_WINDOWS)
        shares.push(await sharesFrom(source, service, objective, longMs, nowMs, signal))
      if (shares[0]?.short === null && shares.every(({ long }) => long === null)) continue
      return { name, target, windowDays, burns: burnsOf(objective, shares), unknown: null }
    } catch (error) {
      signal.throwIfAborted()
      unknown = (error instanceof AppError ? error.message : describeError(error)).slice(0, 300)
    }
  }
  return { name, target, windowDays, burns: [], unknown }
}

async function sharesFrom(
  source: MetricSource,
  service: string,
  objective: Objective,
  longMs: number,
  nowMs: number,
  signal: AbortSignal,
): Promise<Shares> {
  const stepMs = longMs / STEPS
  if (objective.errorRatio !== undefined)
    return await evaluateRatio(source, objective.errorRatio, longMs, nowMs, signal)
  const range = { fromMs: nowMs - longMs + stepMs, toMs: nowMs, stepMs }
  const sum = (series: readonly Series[], which: (labels: Series['labels']) => boolean): (number | null)[] => {
    const sums = Array.from({ length: STEPS }, (): number | null => null)
    for (const { labels, points } of series)
      if (which(labels))
        for (const [at, value] of points) {
          const step = Math.round((at - range.fromMs) / stepMs)
          if (step >= 0 && step < STEPS && Number.isFinite(value)) sums[step] = (sums[step] ?? 0) + value
        }
    return sums
  }
  const { requests, latency } = objective
  if (requests) {
    const { metric, where, bad } = requests
    const matches = compileLinear(bad.matches)
    const query = { metric, as: 'rate', where: { ...where, service }, by: [bad.label] } as const
    const series = await source.query(query, range, signal)
    const ofBad = sum(series, (labels) => matches(labels[bad.label] ?? ''))
    const total = sum(series, () => true)
    return sharesOf(
      total.map((all, i) => ({ bad: ofBad[i] ?? null, total: all })),
      stepMs,
    )
  }
  if (!latency) throw new AppError('internal', 'An objective measures nothing.')
  const query = {
    metric: `${latency.metric}_bucket`,
    as: 'rate',
    where: { ...latency.where, service },
    by: ['le'],
  } as const
  const series = await source.query(query, range, signal)
  const bound = boundAt(series, latency.withinSeconds)
  if (series.length > 0 && bound === undefined)
    throw new AppError(
      'malformed',
      `${latency.metric} has no bucket of ${latency.withinSeconds} s. Take one of its bounds: ${boundsOf(series)}.`,
    )
  const total = sum(series, ({ le }) => le === '+Inf')
  const fast = sum(series, ({ le }) => le === bound)
  return sharesOf(
    total.map((all, i) => ({ bad: all === null ? null : Math.max(0, all - (fast[i] ?? 0)), total: all })),
    stepMs,
  )
}

/** The bucket that ends exactly there: anything else would count wrongly without saying so. */
const boundAt = (series: readonly Series[], seconds: number): string | undefined =>
  series.map(({ labels }) => labels['le']).find((le) => le !== undefined && Math.abs(Number(le) - seconds) < 1e-9)

const boundsOf = (series: readonly Series[]): string =>
  [...new Set(series.map(({ labels }) => Number(labels['le'])))]
    .filter(Number.isFinite)
    .sort((a, b) => a - b)
    .slice(0, 20)
    .join(', ')

async function evaluateRatio(
  source: MetricSource,
  promql: string,
  longMs: number,
  nowMs: number,
  signal: AbortSignal,
): Promise<Shares> {
  if (!source.evaluate)
    throw new AppError('malformed', `${source.name} does not speak PromQL; give requests or latency instead.`)
  const over = async (ms: number): Promise<number | null> => {
    const value = await source.evaluate?.(promql.replaceAll('$window', `${Math.round(ms / 1000)}s`), nowMs, signal)
    return value === undefined || !Number.isFinite(value) ? null : Math.min(1, Math.max(0, value))
  }
  return { long: await over(longMs), short: await over(longMs / STEPS), badInLong: null }
}
