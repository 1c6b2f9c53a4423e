// What is shown of a large output: how much there is, its beginning and end, what stands out, the templates in it, and the
// handle by which the rest can be paged through. The whole of it is kept aside. Made by code, so that it says what is there.
import { mask } from '../../../diagnosis/log-templates.ts'
import type { Row } from './claim-ref.ts'

/** Rows that are shown as they are; of more only a part. */
const WHOLE = 12
const HEAD = 5
const TAIL = 3
const EXTREMES = 5
const TEMPLATES = 5
const PAGE = 30
const MAX_TEXT = 500

export interface Shown {
  /** Rows to show, in their order. */
  readonly rows: readonly Row[]
  /** One line on what is not shown; undefined when everything is. */
  readonly note?: string
}

/** `handle` is what `page` takes. */
export function summarise(rows: readonly Row[], handle: string): Shown {
  if (rows.length <= WHOLE) return { rows: rows.map(clip) }
  const strongest = [...rows.keys()]
    .sort((a, b) => (rows[b]?.strength ?? 0) - (rows[a]?.strength ?? 0) || a - b)
    .slice(0, EXTREMES)
  const picked = new Set([
    ...Array.from({ length: HEAD }, (_, i) => i),
    ...strongest,
    ...Array.from({ length: TAIL }, (_, i) => rows.length - TAIL + i),
  ])
  const templates = new Map<string, number>()
  for (const { text } of rows) {
    const template = mask(text)
    templates.set(template, (templates.get(template) ?? 0) + 1)
  }
  const frequent = [...templates].filter(([, count]) => count > 1).sort((a, b) => b[1] - a[1])
  const told = frequent.slice(0, TEMPLATES).map(([template, count]) => `${count} × ${template.slice(0, 120)}`)
  const alike = told.length === 0 ? '' : ` Alike: ${told.join('; ')}.`
  return {
    rows: rows.flatMap((row, i) => (picked.has(i) ? [clip(row)] : [])),
    note: `${rows.length} rows in all, ${picked.size} shown: the first, the strongest and the last.${alike} Page through them with handle ${handle}.`,
  }
}

/** A page of the whole, from `offset` on. */
export function pageOf(rows: readonly Row[], offset: number, handle: string): Shown {
  const shown = rows.slice(offset, offset + PAGE)
  const next = offset + shown.length
  const note =
    next < rows.length ? `Rows ${offset} to ${next - 1} of ${rows.length}; go on at ${next} of ${handle}.` : undefined
  return { rows: shown.map(clip), ...(note === undefined ? {} : { note }) }
}

const clip = (row: Row): Row =>
  row.text.length <= MAX_TEXT ? row : { ...row, text: `${row.text.slice(0, MAX_TEXT - 1).toWellFormed()}…` }
