// The life of the alerts of one rule, as Prometheus lives it: pending while the condition holds for less than `for`,
// then firing, and resolved once the condition and `keep_firing_for` are over. Resolved alerts are kept a while, so
// that whoever missed the news still hears it.
import type { Labels } from '../../src/core/telemetry.ts'
import { fillAnnotation } from './annotation.ts'
import type { Sample } from './evaluate.ts'
import { fingerprint } from './fingerprint.ts'
import type { AlertRule } from './rules.ts'

const KEEP_RESOLVED_MS = 15 * 60_000

/** An alert that fires or has fired: what is handed on for grouping. */
export interface FiredAlert {
  readonly fingerprint: string
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAtMs: number
  /** null while it fires. */
  readonly endsAtMs: number | null
}

interface Alert {
  readonly labels: Labels
  annotations: Labels
  readonly activeAtMs: number
  lastTrueMs: number
  firedAtMs: number | null
  resolvedAtMs: number | null
}

export interface RuleState {
  /** One evaluation. An evaluation that failed is left out: the state then stays as it was. */
  update(samples: readonly Sample[], atMs: number): void
  /** Firing and lately resolved alerts. */
  fired(): readonly FiredAlert[]
}

export function createRuleState(rule: AlertRule): RuleState {
  const alerts = new Map<string, Alert>()

  const see = ({ labels: groups, value }: Sample, atMs: number): string => {
    const labels = { ...groups, ...rule.labels, alertname: rule.name }
    const key = fingerprint(labels)
    const annotations = Object.fromEntries(
      Object.entries(rule.annotations).map(([name, text]) => [name, fillAnnotation(text, groups, value)]),
    )
    const known = alerts.get(key)
    if (known && known.resolvedAtMs === null) {
      known.lastTrueMs = atMs
      known.annotations = annotations
    } else {
      alerts.set(key, {
        labels,
        annotations,
        activeAtMs: atMs,
        lastTrueMs: atMs,
        firedAtMs: null,
        resolvedAtMs: null,
      })
    }
    return key
  }

  const end = (key: string, alert: Alert, atMs: number): void => {
    if (alert.firedAtMs === null) alerts.delete(key)
    else if (alert.resolvedAtMs === null) {
      if (atMs - alert.lastTrueMs >= rule.keepFiringSeconds * 1000) alert.resolvedAtMs = atMs
    } else if (atMs - alert.resolvedAtMs > KEEP_RESOLVED_MS) alerts.delete(key)
  }

  return {
    update: (samples, atMs) => {
      const seen = new Set(samples.map((sample) => see(sample, atMs)))
      for (const [key, alert] of alerts) {
        if (!seen.has(key)) end(key, alert, atMs)
        else if (alert.firedAtMs === null && atMs - alert.activeAtMs >= rule.forSeconds * 1000) alert.firedAtMs = atMs
      }
    },
    fired: () =>
      [...alerts].flatMap(([key, { labels, annotations, firedAtMs, resolvedAtMs }]) =>
        firedAtMs === null
          ? []
          : [{ fingerprint: key, labels, annotations, startsAtMs: firedAtMs, endsAtMs: resolvedAtMs }],
      ),
  }
}
