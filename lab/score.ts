// What a drill found out: one row for every fault, and the line that sums them up.
import type { FaultKind } from '../src/core/fault-kinds.ts'
import { counted } from './narrator.ts'

interface Named {
  readonly service: string
  readonly kind: FaultKind
}

/** The shape of `npm run drill -- --json`. */
export interface DrillRow {
  readonly fault: string
  readonly seed: number
  /** null for a round in which nothing was broken. */
  readonly injected: Named | null
  /** null when no cause was named. */
  readonly named: Named | null
  readonly confidence: number | null
  readonly serviceCorrect: boolean
  readonly kindCorrect: boolean
  readonly secondsToDiagnosis: number | null
  readonly alerts: number
  readonly incidents: number
}

export interface DrillRound {
  readonly row: DrillRow
  /** Whether there was an incident where there had to be one, and none, or no culprit, where nothing was broken. */
  readonly found: boolean
  /** Whether an approved action mended it, verified; null when nothing was approved. */
  readonly mended: boolean | null
}

export function makeRow(
  facts: Pick<
    DrillRow,
    'fault' | 'seed' | 'injected' | 'named' | 'confidence' | 'secondsToDiagnosis' | 'alerts' | 'incidents'
  >,
): DrillRow {
  const { fault, seed, injected, named, confidence, secondsToDiagnosis, alerts, incidents } = facts
  const serviceCorrect = injected?.service === named?.service
  const kindCorrect = injected?.kind === named?.kind
  return {
    fault,
    seed,
    injected,
    named,
    confidence,
    serviceCorrect,
    kindCorrect,
    secondsToDiagnosis,
    alerts,
    incidents,
  }
}

const COLUMNS = ['injected', 'named', 'right', 'conf', 's', 'alerts', 'inc', 'mended'] as const

/** A table for people. */
export function renderTable(rounds: readonly DrillRound[]): string {
  const cells = rounds.map(({ row, mended }) => [
    describe(row.injected, 'nothing'),
    describe(row.named, row.incidents > 0 ? 'no cause' : 'no incident'),
    rightness(row),
    row.confidence?.toFixed(2) ?? '',
    row.secondsToDiagnosis?.toFixed(0) ?? '',
    String(row.alerts),
    String(row.incidents),
    mended === null ? '' : mended ? 'yes' : 'no',
  ])
  const widths = COLUMNS.map((head, i) => Math.max(head.length, ...cells.map((line) => line[i]?.length ?? 0)))
  const print = (line: readonly string[]) =>
    line
      .map((cell, i) => (i < 3 || i === 7 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join(' ')
      .trimEnd()
  return [print(COLUMNS), ...cells.map(print)].join('\n')
}

/** "Service right 11 of 13, kind right 10 of 13, median 31 s to the diagnosis, 0 confidently wrong, 164 alerts …". */
export function renderScore(rounds: readonly DrillRound[]): string {
  const rows = rounds.map(({ row }) => row)
  const of = (right: (row: DrillRow) => boolean) => `${rows.filter(right).length} of ${rows.length}`
  const seconds = rows.flatMap(({ secondsToDiagnosis }) => (secondsToDiagnosis === null ? [] : [secondsToDiagnosis]))
  const sum = (of: (row: DrillRow) => number) => rows.reduce((total, row) => total + of(row), 0)
  const tried = rounds.filter(({ mended }) => mended !== null)
  return [
    `Service right ${of((row) => row.serviceCorrect)}, kind right ${of((row) => row.kindCorrect)}`,
    seconds.length > 0 ? `median ${median(seconds).toFixed(0)} s to the diagnosis` : 'no diagnosis',
    `${rows.filter(confidentlyWrong).length} confidently wrong`,
    `${sum((row) => row.alerts)} alerts folded into ${counted(
      sum((row) => row.incidents),
      'incident',
    )}`,
    ...(tried.length > 0
      ? [`${tried.filter(({ mended }) => mended).length} of ${tried.length} approved fixes mended`]
      : []),
  ].join(', ')
}

export const foundAll = (rounds: readonly DrillRound[]): boolean => rounds.every(({ found }) => found)

function rightness(row: DrillRow): string {
  if (row.serviceCorrect && row.kindCorrect) return 'both'
  if (row.serviceCorrect) return 'place'
  return row.kindCorrect ? 'kind' : 'no'
}

/** The one thing that must not happen: a wrong name that is told as sure. */
const SURE = 0.8
const confidentlyWrong = ({ confidence, serviceCorrect, kindCorrect }: DrillRow): boolean =>
  confidence !== null && confidence >= SURE && !(serviceCorrect && kindCorrect)

const describe = (what: Named | null, otherwise: string): string => (what ? `${what.service} ${what.kind}` : otherwise)

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}
