// Findings as evidence that can be checked: a claim, its weight, and where it was read, with the numbers and the points.
import type { Context } from './context.ts'
import type { Evidence, EvidenceRef } from './evidence.ts'
import type { Finding, Source } from './findings.ts'
import { decimate, firstAt } from './stats.ts'
import { sayList } from './wording.ts'

/** As many points as a plot of a page's width can show. */
const MAX_POINTS = 240

/** Evidence for and against, strongest first; the same claim is given once, with the sum of its weights. */
export function writeEvidence(
  context: Context,
  findings: readonly Finding[],
  path: readonly string[],
): { evidence: Evidence[]; against: Evidence[] } {
  const byClaim = new Map<string, Finding>()
  for (const one of findings) {
    const known = byClaim.get(one.claim)
    byClaim.set(one.claim, known ? { ...known, weight: known.weight + one.weight } : one)
  }
  const merged = [...byClaim.values()]
  const forIt = merged.filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight)
  const against = merged.filter(({ weight }) => weight < 0).sort((a, b) => a.weight - b.weight)
  const written = [...forIt, ...against].map((one, i) => ({
    id: `e${i + 1}`,
    claim: one.claim,
    weight: Math.round(one.weight * 1000) / 1000,
    ref: refOf(context, one.source),
  }))
  const evidence = written.slice(0, forIt.length)
  if (path.length > 1) {
    const claim = `The failure runs along ${sayList(path)}`
    evidence.push({ id: `e${written.length + 1}`, claim, weight: 0, ref: { kind: 'topology', path: [...path] } })
  }
  return { evidence, against: written.slice(forIt.length) }
}

function refOf(context: Context, source: Source): EvidenceRef {
  switch (source.kind) {
    case 'anomaly': {
      const { signal, before, after, onsetMs } = source.anomaly
      const { times, values } = signal.track
      const from = firstAt(signal.track, context.window.fromMs)
      const shown = { times: times.subarray(from), values: values.subarray(from) }
      return {
        kind: 'series',
        service: signal.service,
        metric: signal.metric,
        labels: { ...signal.labels },
        query: signal.query,
        unit: signal.unit,
        fromMs: shown.times[0] ?? context.window.fromMs,
        toMs: shown.times.at(-1) ?? context.window.toMs,
        onsetMs,
        before,
        after,
        points: decimate(shown, MAX_POINTS),
      }
    }
    case 'log': {
      const { service, template, countBefore, countAfter, lines } = source.log
      const shown = lines.map(({ at, level, message, ref }) => ({ at, level, message, ref }))
      return { kind: 'log', service, template, countBefore, countAfter, lines: shown }
    }
    case 'change': {
      const { kind, id, at, service, summary, from, to, author } = source.change
      return {
        kind: 'change',
        id,
        at,
        service,
        changeKind: kind,
        summary,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(author === undefined ? {} : { author }),
      }
    }
    case 'topology':
      return { kind: 'topology', path: [...source.path] }
  }
}
