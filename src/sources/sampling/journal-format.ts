// How rows of samples are written down: JSON lines that name a target, a series or a family once and then carry only
// numbers. A file is read with one decoder from its first line on; a line that does not fit is skipped, and a row that
// speaks of something unnamed loses only that value.
import type { Labels } from '../../core/telemetry.ts'
import { toMetricType } from '../metric-families.ts'
import type { Family, Sample } from './sample.ts'

export interface JournalRow {
  readonly targetKey: string
  readonly targetLabels: Labels
  readonly atMs: number
  readonly samples: readonly Sample[]
}

export type JournalEntry =
  | { readonly kind: 'row'; readonly row: JournalRow }
  | { readonly kind: 'family'; readonly family: Family }
  | { readonly kind: 'none' }

const NONE: JournalEntry = { kind: 'none' }

/** Lines of one file, in the order they are to be written. */
export class JournalEncoder {
  readonly #targets = new Map<string, { readonly id: number; readonly series: Map<string, number> }>()
  readonly #families = new Set<string>()

  encode(row: JournalRow, families: readonly Family[]): string {
    const lines: unknown[] = []
    for (const { name, type, help } of families) {
      const key = JSON.stringify([name, type, help])
      if (this.#families.has(key)) continue
      this.#families.add(key)
      lines.push(['family', name, type, help])
    }
    let target = this.#targets.get(row.targetKey)
    if (!target) {
      this.#targets.set(row.targetKey, (target = { id: this.#targets.size, series: new Map() }))
      lines.push(['target', target.id, row.targetKey, row.targetLabels])
    }
    const values: (number | string)[] = []
    for (const { name, labels, value } of row.samples) {
      if (Number.isNaN(value)) continue
      const key = JSON.stringify([name, labels])
      let id = target.series.get(key)
      if (id === undefined) {
        target.series.set(key, (id = target.series.size))
        lines.push(['series', target.id, id, name, labels])
      }
      // JSON has no infinity.
      values.push(id, Number.isFinite(value) ? value : String(value))
    }
    lines.push(['row', target.id, row.atMs, values])
    return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  }
}

type Named = Omit<Sample, 'value'>

export class JournalDecoder {
  readonly #targets = new Map<unknown, { readonly key: string; readonly labels: Labels; readonly series: Named[] }>()

  /** One line of a file. Never throws. */
  decode(text: string): JournalEntry {
    let line: unknown
    try {
      line = JSON.parse(text)
    } catch {
      return NONE
    }
    if (!Array.isArray(line)) return NONE
    const [kind, a, b, c, d] = line as unknown[]
    switch (kind) {
      case 'family':
        if (typeof a !== 'string' || typeof b !== 'string' || typeof c !== 'string') return NONE
        return { kind: 'family', family: { name: a, type: toMetricType(b), help: c } }
      case 'target':
        if (typeof b === 'string' && isLabels(c)) this.#targets.set(a, { key: b, labels: c, series: [] })
        return NONE
      case 'series': {
        const series = this.#targets.get(a)?.series
        if (series && b === series.length && typeof c === 'string' && isPairs(d)) series.push({ name: c, labels: d })
        return NONE
      }
      case 'row':
        return this.#row(a, b, c)
      default:
        return NONE
    }
  }

  #row(targetId: unknown, atMs: unknown, values: unknown): JournalEntry {
    const target = this.#targets.get(targetId)
    if (!target || typeof atMs !== 'number' || !Array.isArray(values)) return NONE
    const samples: Sample[] = []
    for (let i = 0; i + 1 < values.length; i += 2) {
      const named = target.series[values[i] as number]
      if (named) samples.push({ ...named, value: Number(values[i + 1]) })
    }
    return { kind: 'row', row: { targetKey: target.key, targetLabels: target.labels, atMs, samples } }
  }
}

const isLabels = (value: unknown): value is Labels =>
  typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'string')

const isPairs = (value: unknown): value is Sample['labels'] =>
  Array.isArray(value) &&
  value.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((each) => typeof each === 'string'))
