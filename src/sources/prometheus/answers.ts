// The shapes in which Prometheus answers. What does not fit throws, and connectApi tells whose answer it was.
import { z } from 'zod'
import type { Labels, Point } from '../../core/telemetry.ts'

const labels = z.record(z.string(), z.string())

export const names = z.array(z.string())

export const metadata = z.record(z.string(), z.array(z.object({ type: z.string(), help: z.string() })))

export const activeTargets = z.object({ activeTargets: z.array(z.object({ scrapeInterval: z.string().optional() })) })

// The values are checked by hand: there may be hundreds of thousands.
const matrix = z.object({
  resultType: z.literal('matrix'),
  result: z.array(z.object({ metric: labels, values: z.array(z.unknown()).default([]) })),
})

export interface MatrixSeries {
  readonly labels: Labels
  readonly points: readonly Point[]
}

/** Finite values only; Prometheus writes the others as `NaN` and `+Inf`. */
export function readMatrix(data: unknown): MatrixSeries[] {
  return matrix.parse(data).result.map(({ metric, values }) => {
    const points: Point[] = []
    for (const pair of values) {
      if (!Array.isArray(pair) || typeof pair[0] !== 'number' || typeof pair[1] !== 'string') continue
      const value = Number(pair[1])
      if (Number.isFinite(value)) points.push([Math.round(pair[0] * 1000), value])
    }
    return { labels: metric, points }
  })
}

const sample = z.tuple([z.number(), z.string()])
const instant = z.discriminatedUnion('resultType', [
  z.object({ resultType: z.literal('scalar'), result: sample }),
  z.object({ resultType: z.literal('vector'), result: z.array(z.object({ value: sample })) }),
])

/** The values of an expression at one time, none of them left out. */
export function readInstant(data: unknown): number[] {
  const answer = instant.parse(data)
  const values = answer.resultType === 'scalar' ? [answer.result] : answer.result.map(({ value }) => value)
  return values.map(([, value]) => Number(value))
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
}

/** A duration as Prometheus writes it (`1m30s`), in ms; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  let total = 0
  let rest = text
  for (let match = PART.exec(rest); match; match = PART.exec(rest)) {
    total += Number(match[1]) * (UNITS_MS[match[2] ?? ''] ?? 0)
    rest = rest.slice(match[0].length)
  }
  return rest === '' && total > 0 ? total : undefined
}

const PART = /^(\d+)(ms|s|m|h|d|w|y)/
