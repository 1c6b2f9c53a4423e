// Recorded cases disturbed in ways that a good diagnosis withstands: they stand for the cases that nobody recorded. Each
// disturbance is drawn anew for every case from a seed, so that runs can be compared.
import type { LogLine, Series } from '../../src/core/telemetry.ts'
import type { CaseInput } from '../../src/diagnosis/case.ts'
import { seeded } from '../../src/diagnosis/testing/shop.ts'

export type Random = () => number
type Disturb = (input: CaseInput, random: Random) => CaseInput

/** A third of the series of the case were not scraped. */
const fewerSeries: Disturb = (input, random) => ({ ...input, series: input.series.filter(() => random() > 0.3) })

/** The alert came up to two steps sooner, or one later. */
const otherAlert: Disturb = (input, random) => {
  const steps = [-2, -1, 1][Math.floor(random() * 3)] ?? 1
  const alertAtMs = input.alertAtMs + steps * input.stepMs
  return { ...input, alertAtMs, symptoms: input.symptoms.map((one) => ({ ...one, startsAtMs: alertAtMs })) }
}

/** Every number strays by up to a tenth; a share of what succeeded is exact. */
const noise: Disturb = (input, random) => ({
  ...input,
  series: input.series.map((one) =>
    /success|availab/i.test(one.metric)
      ? one
      : { ...one, points: one.points.map(([time, value]) => [time, value * (0.9 + 0.2 * random())] as const) },
  ),
})

/** A third of the log lines were lost on the way. */
const fewerLines: Disturb = (input, random) => ({ ...input, logs: input.logs.filter(() => random() > 0.3) })

const noLogs: Disturb = (input) => ({ ...input, logs: [] })

const isTraced = ({ metric }: Series): boolean => /^(span|edge)_/.test(metric)

const noSpans: Disturb = (input) => ({ ...input, series: input.series.filter((one) => !isTraced(one)) })

/** A quarter of the services send no lines. */
const muteServices: Disturb = (input, random) => {
  const mute = new Map<string, boolean>()
  const speaks = ({ service }: LogLine): boolean => {
    if (!mute.has(service)) mute.set(service, random() < 0.25)
    return mute.get(service) === false
  }
  return { ...input, logs: input.logs.filter(speaks) }
}

/** What came later than a step after the alert is not there yet. */
const early: Disturb = (input) => {
  const until = input.alertAtMs + input.stepMs
  return {
    ...input,
    series: input.series.map((one) => ({ ...one, points: one.points.filter(([time]) => time <= until) })),
    logs: input.logs.filter(({ at }) => at <= until),
  }
}

export const DISTURBANCES: Readonly<Record<string, Disturb>> = {
  'a third of the series missing': fewerSeries,
  'alert at another time': otherAlert,
  'numbers stray by a tenth': noise,
  'a third of the lines missing': fewerLines,
  'a quarter of the services write no lines': muteServices,
  'asked at the alert': early,
  'no logs': noLogs,
  'no spans': noSpans,
}

/** The same numbers for the same text (whose hash is FNV-1a). */
export function randomOf(text: string): Random {
  let hash = 2_166_136_261
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16_777_619) >>> 0
  return seeded(hash)
}
